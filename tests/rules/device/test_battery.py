"""Battery low, and the forecast from the trend of daily means."""

from decoders.quantity import Privacy
from rules.device import battery
from rules.device.config import DeviceRules
from rules.device.hearing import Heard, hear
from rules.device.record import About, Battery, Record

RULES = DeviceRules()
ABOUT = About("d", "m", "a", "", "", "", Privacy.OPEN)
HEARD = Heard(ABOUT, 0, 0, 0, 0, "", "", None, 0, None, volts=False, low=None, empty=None, stored=True, counts=True)


def discharge(begin: float, a_day: float, days: int, **marks: float | None) -> Battery:
    """A battery read three times a day, falling by so much each day."""
    found: Battery | None = None
    for day in range(days):
        for reading in (-0.1, 0.0, 0.1):
            value = begin - a_day * day + reading * a_day
            found = battery.charge(found, value, day, volts=bool(marks), low=marks.get("low"), empty=marks.get("empty"))
    assert found is not None
    return found


def holding(found: Battery) -> Record:
    """A device with this battery."""
    return hear(RULES, None, HEARD).record._replace(battery=found)


def test_a_steady_fall_is_forecast() -> None:
    """From 100 % by half a percent a day, after 60 days: 141 days are left."""
    left = battery.days_left(RULES, discharge(100, 0.5, 60))
    assert left is not None
    assert abs(left - 141) < 1


def test_volts_need_to_be_told_where_they_end() -> None:
    """3.6 V by 10 mV a day, empty at 2.1 V, after 30 days: 121 days; without the mark no forecast."""
    left = battery.days_left(RULES, discharge(3.6, 0.01, 30, empty=2.1))
    assert left is not None
    assert abs(left - 121) < 1
    assert battery.days_left(RULES, discharge(3.6, 0.01, 30, low=2.5)) is None


def test_no_forecast_without_history_or_fall() -> None:
    """Thirteen finished days are too few, fourteen enough; a level that stands or rises has no end."""
    assert battery.days_left(RULES, discharge(100, 0.5, 14)) is None
    assert battery.days_left(RULES, discharge(100, 0.5, 15)) is not None
    assert battery.days_left(RULES, discharge(100, 0.0, 40)) is None
    assert battery.days_left(RULES, discharge(50, -0.1, 40)) is None


def test_a_new_battery_begins_a_new_trend() -> None:
    """A jump up by 50 % is a new battery: its old trend is forgotten, it is not low."""
    worn = discharge(60, 1.0, 41)
    assert battery.low(RULES, holding(worn), before=False)
    fresh = battery.charge(worn, 100, 41, volts=False, low=None, empty=None)
    assert fresh.samples == 0
    assert not battery.low(RULES, holding(fresh), before=True)


def test_low_by_level_and_by_forecast_with_a_gap_in_between() -> None:
    """20 % is low, 21 % is not, unless it was said before; thirty days left are low, too."""
    assert battery.low(RULES, holding(discharge(20, 0, 1)), before=False)
    assert not battery.low(RULES, holding(discharge(21, 0, 1)), before=False)
    assert battery.low(RULES, holding(discharge(21, 0, 1)), before=True)
    assert not battery.low(RULES, holding(discharge(26, 0, 1)), before=True)
    falling = discharge(100, 2.0, 38)
    assert falling.value > 20
    assert battery.low(RULES, holding(falling), before=False)
    assert battery.low(RULES, holding(discharge(2.4, 0, 1, low=2.5)), before=False)
    assert not battery.low(RULES, holding(discharge(2.6, 0, 1, low=2.5)), before=False)


def test_percent_wins_over_volts() -> None:
    """A device that reports both in turns keeps the percentage."""
    found = battery.charge(None, 80.0, 0, volts=False, low=None, empty=None)
    assert battery.charge(found, 3.4, 0, volts=True, low=None, empty=None) == found
    volts = battery.charge(None, 3.4, 0, volts=True, low=None, empty=None)
    assert not battery.charge(volts, 80.0, 0, volts=False, low=None, empty=None).volts
