"""A device whose uplinks are conditioned one after the other, and what is said of each."""

from collections.abc import Iterable

from decoders.codec import CodecField
from decoders.measurement import Measurement, Reading
from decoders.quantity import Privacy, Quantity
from rules import calibration
from rules.condition import Conditioned, Plan, condition
from rules.condition_config import TARGETS, ConditionRules
from rules.condition_entry import NOTHING, Entries
from rules.device.config import DeviceRules
from rules.device.hearing import Heard, hear
from rules.device.record import About, Record

Q = Quantity
MINUTE = 60_000
START = 1_800_000_000_000
LATEST = START * 2
T, H, P = Q.AIR_TEMPERATURE, Q.AIR_HUMIDITY, Q.AIR_PRESSURE
PEOPLE, PEOPLE_TOTAL = Q.PEOPLE_COUNT, Q.PEOPLE_COUNT_TOTAL
WORD = (CodecField(PEOPLE_TOTAL, "in", verified=True, low=0, high=65_535, step=1),)
ABOUT = About("", "", "", "", "", "", Privacy.OPEN)


class Device:
    """A device whose uplinks are conditioned one after the other."""

    def __init__(
        self, fields: Iterable[CodecField] | None = (), rules: ConditionRules | None = None, **tags: object
    ) -> None:
        carried = None if fields is None else tuple(fields)
        self.plan = Plan(rules or ConditionRules(), carried, calibration.read(tags).figures)
        self.entries: Entries = NOTHING

    def uplink(self, *measurements: Measurement, latest_ms: int = LATEST) -> Conditioned:
        """The next uplink."""
        found = condition(self.plan, self.entries, measurements, latest_ms)
        self.entries = found.entries
        return found

    def give(self, minute: float, *readings: Reading) -> dict[tuple[Quantity, str], tuple[float, int]]:
        """Value and doubt of each reading of the uplink of this minute."""
        return told(self.uplink(at(minute, *readings)))

    def feed(
        self, quantity: Quantity, minutes: Iterable[float], values: Iterable[float], channel: str = ""
    ) -> list[int]:
        """The doubts about values of one quantity, one an uplink."""
        return [
            self.give(minute, Reading(quantity, value, channel))[quantity, channel][1]
            for minute, value in zip(minutes, values, strict=True)
        ]

    def count(self, minute: float, total: float, quantity: Quantity = PEOPLE_TOTAL, channel: str = "in") -> object:
        """The amount and doubt that a total leads to; None without an amount."""
        found = self.give(minute, Reading(quantity, total, channel))
        return found.get((TARGETS[quantity].quantity, channel))


def at(minute: float, *readings: Reading) -> Measurement:
    """A measurement of that minute."""
    return Measurement.of(START + int(minute * MINUTE), readings)


def told(found: Conditioned) -> dict[tuple[Quantity, str], tuple[float, int]]:
    """Value and doubt of each reading of the only measurement."""
    (judged,) = found.judged
    doubts = judged.doubts
    return {(q, channel): (value, doubts.get((q, channel), 0)) for q, value, channel in judged.measurement.readings}


def kept(entries: Entries) -> Record:
    """A device's record with these entries."""
    heard = Heard(ABOUT, 0, 0, 0, 0, "", "", None, 0, None, False, None, None, True, True, entries)  # noqa: FBT003 - a row
    return hear(DeviceRules(), None, heard).record
