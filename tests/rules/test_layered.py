"""Layered mappings: what a copied dictionary would be, without the copying."""

from collections.abc import Mapping
from operator import is_not

from hypothesis import given
from hypothesis import strategies as st

from rules.layered import SMALL, Layered, differing, put

CHANGES = st.lists(st.tuples(st.integers(0, 60), st.integers()), max_size=80)


@given(st.integers(0, 50), CHANGES)
def test_putting_entries_is_copying_a_dictionary(size: int, changes: list[tuple[int, int]]) -> None:
    """Entries, their order, their number, what is missing: as in a dictionary; those before stay as they were."""
    wanted = {str(key): -1 - key for key in range(size)}
    entries: Mapping[str, int] = wanted
    for key, value in changes:
        before, was = entries, dict(entries.items())
        entries, wanted = put(entries, str(key), value), {**wanted, str(key): value}
        assert list(entries.items()) == list(wanted.items())
        assert len(entries) == len(wanted)
        assert entries == wanted
        assert wanted == entries
        assert [entries.get(str(each)) for each in range(62)] == [wanted.get(str(each)) for each in range(62)]
        assert [str(each) in entries for each in range(62)] == [str(each) in wanted for each in range(62)]
        assert dict(before.items()) == was


@given(st.integers(0, 50), CHANGES, CHANGES)
def test_differing_names_every_entry_that_is_another_object(
    size: int, first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    """Whether the two share a dictionary, or one of them was put together in between."""
    before: Mapping[str, tuple[int]] = {str(key): (key,) for key in range(size)}
    for key, value in first:
        before = put(before, str(key), (value,))
    after = before
    for key, value in second:
        after = put(after, str(key), (value,))
    wanted = [key for key, value in after.items() if is_not(value, before.get(key))]
    assert sorted(differing(before, after)) == sorted(wanted)
    assert differing({}, after) == list(after)


def test_a_change_of_a_large_mapping_touches_few_entries() -> None:
    """Of a thousand entries a change copies some thirty at most but for every thirtieth, which puts all together."""
    entries: Mapping[str, int] = {str(key): key for key in range(1000)}
    copied = []
    for key in range(320):
        entries = put(entries, str(key), -key)
        copied.append(len(entries.above) if isinstance(entries, Layered) else len(entries))
    assert sum(each > 40 for each in copied) == 10
    assert isinstance(put({str(key): key for key in range(SMALL - 1)}, "new", 0), dict)
