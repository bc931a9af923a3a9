"""Ids that follow from others are those of the standard, whatever made them."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from storage.ids import derived


@given(st.uuids(), st.text())
def test_a_derived_id_is_the_one_of_the_standard(namespace: UUID, name: str) -> None:
    made = derived(namespace, name)

    assert made == uuid5(namespace, name)
    assert (str(made), hash(made), made.version) == (
        str(uuid5(namespace, name)), hash(uuid5(namespace, name)), 5,
    )  # fmt: skip
