"""What rules that ask for programmes remember of how much they could decide on."""

import json

from rules.traffic.signal_plan import RULE
from rules.traffic.steered import DAY_MS, DAYS, MeasuredDay, counted
from tests.rules.traffic.town import Play, town


def days(city: Play) -> list[list[int]]:
    """The days in the kept state of the group."""
    (body,) = [row.body for (_, subject), row in city.rows.items() if subject == "group"]
    found: list[list[int]] = json.loads(body)["rest"]["measured_days"]
    return found


def test_a_day_counts_its_decisions_and_those_on_known_flows() -> None:
    """One a minute, from what is measured on; without a detector's news none is known, over a restart."""
    city = Play(town(), RULE)
    city.flow(60, 350.0, 350.0)
    ((day, decided, known),) = days(city)
    assert day == city.now // DAY_MS
    assert 55 <= decided <= 60
    assert 35 <= known <= 45
    city.restart()
    city.flow(60, 350.0, 350.0, skip=["out"])
    ((_, later, still),) = days(city)
    assert (later - decided, 0 < still - known <= 15) == (60, True)


def test_only_the_newest_days_are_kept() -> None:
    """A day begins anew with its first decision; the oldest of too many goes."""
    found: tuple[MeasuredDay, ...] = ()
    for day in range(DAYS + 5):
        found = counted(counted(found, day * DAY_MS, known=True), day * DAY_MS + 1, known=False)
    assert found == tuple(MeasuredDay(day, 2, 1) for day in range(5, DAYS + 5))


def test_a_state_from_before_days_were_counted_is_taken_up() -> None:
    """Nothing is known of the days then, all else is as it was."""
    city = Play(town(), RULE)
    city.flow(35, 350.0, 350.0)
    key = (RULE.id, "group")
    body = json.loads(city.rows[key].body)
    del body["rest"]["measured_days"]
    city.rows[key] = city.rows[key]._replace(body=json.dumps(body))
    city.restart()
    city.tick(1)
    ((_, decided, known),) = days(city)
    assert (decided, known) == (1, 1)
