"""The one place that reads the environment: composition roots load it and hand values down."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "PARCOURS_"
UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


class SettingsError(Exception):
    """A setting has a value that cannot be used; the message names each such variable."""


def read_duration(value: object) -> timedelta:
    """`400d`, `36h`, `90m`, `P1DT12H` or a number of seconds, never negative."""
    text = str(value).strip()
    try:
        if text[-1:] in UNITS:
            read = timedelta(**{UNITS[text[-1]]: float(text[:-1])})
        elif isinstance(value, timedelta) or text.upper().startswith("P"):
            read = TypeAdapter(timedelta).validate_python(value)
        else:
            read = timedelta(seconds=float(text))
    except (ValueError, OverflowError):
        raise PydanticCustomError("duration", "not a duration") from None
    if read <= timedelta(0):
        raise PydanticCustomError("duration", "a duration must be more than nothing")
    return read


Duration = Annotated[timedelta, BeforeValidator(read_duration)]
Port = Annotated[int, Field(ge=1, le=65535)]
PostgresAddress = Annotated[str, Field(pattern=r"^postgres(ql)?://\S+$")]
SmtpAddress = Annotated[str, Field(pattern=r"^smtps?://(\S+@)?[^\s/@:]+(:\d{1,5})?/?$")]
HttpAddress = Annotated[str, Field(pattern=r"^https?://[^\s/]+")]
HostAndPort = Annotated[str, Field(pattern=r"^[^\s/:]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$")]
Mailbox = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$|^[^<>]+ <[^@\s<>]+@[^@\s<>]+>$")]


class Settings(BaseSettings):
    """What a process of Parcours can be told; each field's description says what it is for."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True
    )

    http_host: str = Field("127.0.0.1", description="the address the API listens on")
    http_port: Port = Field(8080, description="the port the API listens on")
    data_dir: Path = Field(Path(".parcours"), description="where embedded servers keep their data")
    workers: Annotated[int, Field(ge=1, le=256)] = Field(
        1, description="how many worker processes `parcours up` starts: one a core"
    )
    database_url: PostgresAddress | None = Field(
        None, description="your Postgres (15 or later), as postgresql://user@host/name"
    )

    temporal_address: HostAndPort | None = Field(
        None, description="the frontend of your Temporal, as host:port"
    )
    temporal_namespace: str = Field("default", description="the Temporal namespace to work in")
    temporal_api_key: SecretStr | None = Field(None, description="an API key of Temporal Cloud")
    temporal_tls_server_root_ca_cert: Path | None = Field(
        None, description="a PEM file: who signed the Temporal server's certificate"
    )
    temporal_tls_client_cert: Path | None = Field(
        None, description="a PEM file: our certificate for Temporal"
    )
    temporal_tls_client_private_key: Path | None = Field(
        None, description="a PEM file: the key of our certificate for Temporal"
    )
    temporal_tls_server_name: str | None = Field(
        None, description="the name expected in the Temporal server's certificate"
    )
    temporal_cli: Path | None = Field(
        None, description="the `temporal` program to start the embedded Temporal with"
    )

    smtp_url: SmtpAddress | None = Field(
        None, description="your mail server: smtp://host:port or smtps://user:password@host"
    )
    email_from: Mailbox = Field(
        "Parcours <hello@parcours.localhost>", description="who mails are from: Name <address>"
    )
    sms_url: HttpAddress | None = Field(None, description="where text messages are posted")
    sms_secret: SecretStr | None = Field(None, description="signs what goes to SMS_URL")
    push_url: HttpAddress | None = Field(None, description="where push messages are posted")
    push_secret: SecretStr | None = Field(None, description="signs what goes to PUSH_URL")
    webhook_url: HttpAddress | None = Field(None, description="where webhook messages are posted")
    webhook_secret: SecretStr | None = Field(None, description="signs what goes to WEBHOOK_URL")
    whatsapp_url: HttpAddress | None = Field(None, description="where WhatsApp messages are posted")
    whatsapp_secret: SecretStr | None = Field(None, description="signs what goes to WHATSAPP_URL")

    write_key: SecretStr | None = Field(None, description="the key that may send events")
    admin_key: SecretStr | None = Field(None, description="the key that may do everything else")
    retention: Duration = Field(
        timedelta(days=400), description="how long events and the trail are kept: 400d, 36h, P1Y"
    )
    late_event_limit: Duration = Field(
        timedelta(days=1), description="an event older than this at receipt wakes nothing: 1d, 36h"
    )
    allow_private_calls: bool = Field(
        False,
        description="let `call` steps and subscriptions reach loopback and private addresses "
        "(true or false)",
    )
    log_format: Literal["console", "json"] = Field(
        "console", description="how logs are written: console or json"
    )

    @property
    def uses_temporal_tls(self) -> bool:
        """Whether Temporal is to be reached over TLS: anything of TLS or an API key says so."""
        return self.temporal_api_key is not None or any(
            getattr(self, name) is not None
            for name in type(self).model_fields
            if name.startswith("temporal_tls_")
        )

    def environment(self) -> dict[str, str]:
        """The variables that make these settings again in another process."""
        return {
            f"{PREFIX}{name.upper()}": as_text(getattr(self, name))
            for name in type(self).model_fields
            if getattr(self, name) is not None
        }


def as_text(value: object) -> str:
    """A setting's value as the environment variable that reads as the same."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, timedelta):
        return str(value.total_seconds())
    return str(value.absolute()) if isinstance(value, Path) else str(value)


SECRET = {"database_url", "smtp_url"}  # they may hold a password; every SecretStr is one as well


def load() -> Settings:
    """The settings of this process; every bad value is named in one SettingsError."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("\n".join(explain(problem) for problem in error.errors())) from None


def explain(problem: ErrorDetails) -> str:
    """One sentence: the variable, its value unless it may be secret, and what is expected."""
    name = str(problem["loc"][0])
    field = Settings.model_fields[name]
    hidden = name in SECRET or "SecretStr" in str(field.annotation)
    value = "its value is not shown" if hidden else repr(problem["input"])
    wrong = problem["msg"][0].lower() + problem["msg"][1:]
    if problem["type"] == "string_pattern_mismatch":
        wrong = "not of the right form"
    return f"{PREFIX}{name.upper()} ({value}): {wrong}; it is {field.description}"
