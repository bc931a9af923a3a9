"""The catalog of audiences as it is published now."""

from audiences.catalog import Catalog
from storage import audiences
from storage.pool import Db


class Catalogs:
    """Holds the catalog, and reads it again when it has changed."""

    def __init__(self) -> None:
        self.catalog = Catalog()
        self._changed = -1

    async def refresh(self, db: Db, changed: int | None = None) -> Catalog:
        """The catalog as of `changed`, or as it is now."""
        if changed is None:
            changed = await audiences.changed(db)
        if changed != self._changed:
            self.catalog = await catalog_of(db)
            self._changed = changed
        return self.catalog


async def catalog_of(db: Db) -> Catalog:
    """Every audience that is published."""
    rows = await audiences.listed(db)
    return Catalog(
        {row.name: row.definition for row in rows},
        frozenset(row.name for row in rows if row.ready_at is not None),
    )
