"""Where devices were when, by people's words and by tags."""

from ingest.fleet.assignments import Assignments
from ingest.journal_records import Assigned


def test_todays_tag_counts_for_a_device_of_which_nothing_is_kept() -> None:
    """Without any dated word a device is where its tag says, at any time."""
    assert Assignments().place("d", 5, "lot") == "lot"
    assert Assignments().place("d", 5, None) is None


def test_a_changed_tag_holds_from_its_change_on() -> None:
    """Before the change the device is where it was, afterwards where it went, also when it comes back."""
    known = Assignments()
    first = known.retagged("d", "a", "b", 100)
    for row in first:
        known.put(row)
    second = known.retagged("d", "b", "a", 200)
    assert known.place("d", 250, "a") == "b", "not in force yet"
    assert known.place("d", 250, "a", second) == "a"
    for row in second:
        known.put(row)
    assert [row[1:3] for row in (*first, *second)] == [(0, "a"), (100, "b"), (200, "a")]
    again = Assignments([*second, *first])
    for assignments in (known, again):
        assert [assignments.place("d", time, "a") for time in (99, 100, 199, 200)] == ["a", "b", "b", "a"]


def test_a_persons_word_is_stronger_than_any_tag() -> None:
    """From its time on, until the next word; `nowhere` is a word, too."""
    known = Assignments([Assigned("d", 150, "shop", "os:anna"), Assigned("d", 300, "", "os:anna")])
    for before, now, time in (("a", "b", 100), ("b", "c", 200)):
        for row in known.retagged("d", before, now, time):
            known.put(row)
    assert [known.place("d", time, "c") for time in (50, 120, 150, 250, 300)] == ["a", "b", "shop", "shop", ""]
