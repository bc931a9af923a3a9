"""What is broadcast to measure: a mail of two kilobytes to every customer of a made-up base."""

from collections.abc import Callable
from datetime import UTC, datetime

from bench.population import make
from storage import journeys
from storage.pool import Pool

NAME, AUDIENCE = "news", "everybody"
PARAGRAPH = "This month we have put together for you what many of you had asked us for. "
JOURNEY = {
    "journey": NAME,
    "class": "marketing",
    "entry": {"audience": AUDIENCE, "schedule": {"cron": "0 9 * * 1"}},
    "steps": [
        {"id": "news", "kind": "send", "channel": "email", "template": "news", "topic": "news"}
    ],
}
TEMPLATES = {
    "news": {
        "name": "news",
        "channel": "email",
        "parts": {
            "subject": "News for {{ customer.country }}",
            "text": "Hello {{ customer.household }},\n\n"
            "{% if customer.worth > 500.0 %}you are dear to us.{% else %}welcome.{% endif %}\n"
            + f"{PARAGRAPH}\n"
            * 7,
            "html": "<h1>Hello {{ customer.household | default: 'there' }}</h1>\n"
            "{% if customer.plan == 'pro' %}<p>Thank you for being pro.</p>{% endif %}\n"
            + f"<p>{PARAGRAPH}</p>\n" * 14
            + "<p>{{ customer.email }}</p>\n",
        },
    }
}


async def prepared(db: Pool, url: str, customers: int, note: Callable[[str], None]) -> None:
    """Customers, all of them members of one audience, and the journey."""
    await make(url, customers, 0, datetime.now(UTC), note)
    await db.execute(
        "INSERT INTO audience_members (audience, customer, joined_at) "
        "SELECT $1, id, now() FROM customers",
        AUDIENCE,
    )
    await db.execute("VACUUM (ANALYZE) audience_members")
    await journeys.publish(db, NAME, "bench", JOURNEY, TEMPLATES, datetime.now(UTC))
