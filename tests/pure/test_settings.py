"""Settings: read from the environment, refused with a sentence, and all of them documented."""

from datetime import timedelta
from pathlib import Path

import pytest

from settings import PREFIX, Settings, SettingsError, load

EXAMPLE = Path(__file__).parents[2] / ".env.example"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"{PREFIX}{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


def test_example_names_every_setting_with_its_default(tmp_path: Path) -> None:
    lines = [line[1:] for line in EXAMPLE.read_text().splitlines() if line.startswith(f"#{PREFIX}")]
    (tmp_path / ".env").write_text("\n".join(lines))

    names = [line.split("=")[0] for line in lines]

    assert names == [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    assert load() == Settings.model_construct()


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("400d", timedelta(days=400)),
        ("36h", timedelta(hours=36)),
        ("1.5m", timedelta(seconds=90)),
        ("P1DT12H", timedelta(hours=36)),
        ("90", timedelta(seconds=90)),
    ],
)
def test_duration_is_read(monkeypatch: pytest.MonkeyPatch, text: str, duration: timedelta) -> None:
    monkeypatch.setenv("PARCOURS_RETENTION", text)

    assert load().retention == duration


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_PORT", "abc"),
        ("HTTP_PORT", "70000"),
        ("WORKERS", "0"),
        ("RETENTION", "a while"),
        ("RETENTION", "-1d"),
        ("LATE_EVENT_LIMIT", "nan"),
        ("TEMPORAL_ADDRESS", "localhost"),
        ("EMAIL_FROM", "nobody"),
        ("SMS_URL", "ftp://example.com"),
        ("LOG_FORMAT", "xml"),
        ("ALLOW_PRIVATE_CALLS", "perhaps"),
    ],
)
def test_bad_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"PARCOURS_{name}", value)

    with pytest.raises(SettingsError, match=rf"^PARCOURS_{name} \('{value}'\): .+; it is .+$"):
        load()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://root:hunter2@host/name"),
        ("SMTP_URL", "mail://me:hunter2@host"),
    ],
)
def test_value_with_a_password_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"PARCOURS_{name}", value)

    with pytest.raises(SettingsError) as refused:
        load()

    assert name in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_all_bad_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARCOURS_HTTP_PORT", "x")
    monkeypatch.setenv("PARCOURS_WORKERS", "y")

    with pytest.raises(SettingsError) as refused:
        load()

    assert len(str(refused.value).splitlines()) == 2


def test_environment_makes_the_same_settings_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARCOURS_ADMIN_KEY", "key")
    monkeypatch.setenv("PARCOURS_RETENTION", "36h")
    monkeypatch.setenv("PARCOURS_DATA_DIR", "/somewhere")
    settings = load()

    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)

    assert load() == settings


def test_a_key_of_temporal_cloud_means_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not load().uses_temporal_tls

    monkeypatch.setenv("PARCOURS_TEMPORAL_API_KEY", "key")

    assert load().uses_temporal_tls
