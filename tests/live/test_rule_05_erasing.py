"""Rule 5: an erased customer leaves every audience, and subscribers are told so."""

from storage import external_ids
from storage.pool import Pool
from tests.http import sharing_app as app
from tests.live.subscriber import receiver
from tests.live.test_rule_06_subscribers import pushing, subscribe


async def test_erasing_is_pushed_also_to_one_that_was_away(db: Pool, database_url: str) -> None:
    for name in ("loyal", "new"):
        await app.publish(db, name, shared=True)
    ada = await app.person(db, "ada")
    async with app.client_of(db) as admin, receiver() as there, receiver() as away:
        for one in (there, away):
            await subscribe(admin, one)
        async with pushing(database_url, db):
            await app.join(db, ada, "loyal", "new")
            await there.until(2)
            await away.until(2)
            await away.stop()
            answer = await admin.delete("/v1/customers/ada")
            await there.until(4)
            assert await external_ids.of_customers(db, [ada]) == {ada: []}
            await away.start()
            await away.until(4)
        again = await admin.get("/v1/customers/ada/audiences")

    assert answer.status_code == 200
    for one in (there, away):
        assert one.names()[2:] == [
            ("audience.left", "loyal", "ada"), ("audience.left", "new", "ada"),
        ]  # fmt: skip
    assert again.status_code == 404
