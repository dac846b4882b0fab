"""How the readings of each device are conditioned: by its codec, its tags, and the properties in the city's file."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from decoders.codec import Codec, CodecField
from decoders.measurement import Measurement
from ingest.devices import Route
from rules import calibration
from rules.calibration import Figure
from rules.city import City
from rules.condition import Conditioned, Plan, condition
from rules.condition_config import ConditionRules
from rules.condition_entry import Entries
from rules.condition_time import Times, settled
from rules.rule import AHEAD_MS

REMEMBERED = 10_000
"""Plans, and devices with figures that cannot be used, that are remembered."""
SHOWN = 20
WARNING = "calibration"
Parameters = Mapping[str, float]
Figures = Mapping[Figure, float]


class Conditioning:
    """Plans by device, kept with its route; devices of one codec that nobody calibrated share theirs."""

    def __init__(self, rules: ConditionRules, city: City) -> None:
        self._rules = rules
        self._city = city
        self._plans: dict[tuple[str, frozenset[tuple[Figure, float]]], Plan] = {}
        self._carried: dict[str, tuple[CodecField, ...]] = {}
        self._problems: dict[str, tuple[str, ...]] = {}

    def condition(
        self, route: Route, measurements: Sequence[Measurement], entries: Entries, time_ms: int, ns_time_ms: int
    ) -> Conditioned:
        """Judge what an uplink of that time says; `entries` are what is remembered of its device."""
        if not measurements:
            return Conditioned((), entries)
        plan = self._plan(route, self._city.parameters(route.device.dev_eui, time_ms, route.device.tags.get("asset")))
        if len(measurements) == 1 and measurements[0][0] == time_ms:
            return condition(plan, entries, measurements, ns_time_ms + AHEAD_MS)
        found, lost = self.settled(measurements, time_ms, ns_time_ms)
        return condition(plan, entries, found, ns_time_ms + AHEAD_MS, lost)

    def settled(self, measurements: Sequence[Measurement], time_ms: int, ns_time_ms: int) -> Times:
        """The measurements of an uplink of that time, at times that can be."""
        return settled(measurements, time_ms, ns_time_ms, self._rules.oldest_days)

    def warnings(self) -> dict[str, str]:
        """The figures that cannot be used, of the city's file and of devices heard since the start."""
        found = [*city_problems(self._city)]
        found += [f"device {dev_eui}: tag {problem}" for dev_eui, said in self._problems.items() for problem in said]
        shown = {f"{WARNING} {number}": text for number, text in enumerate(islice(found, SHOWN), start=1)}
        if len(found) > SHOWN:
            shown[WARNING] = f"and {len(found) - SHOWN} more figures that are not used"
        return shown

    def _plan(self, route: Route, given: Parameters) -> Plan:
        known = route.plan
        if known is not None and known[0] is given:
            return known[1]
        dev_eui = route.device.dev_eui
        tags = calibration.read(route.device.tags)
        carried = self._fields(route.codec) if tags.figures else None
        problems = (*tags.problems, *(calibration.unfit(tags.figures, carried) if carried else ()))
        if problems:
            if len(self._problems) >= REMEMBERED:
                self._problems.clear()
            self._problems[dev_eui] = problems
        else:
            self._problems.pop(dev_eui, None)
        plan = self._shared(route, {**tags.figures, **calibration.read(given).figures})
        route.plan = given, plan
        return plan

    def _shared(self, route: Route, figures: Figures) -> Plan:
        codec = route.codec
        key = (codec.id if codec else "", frozenset(figures.items()))
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= REMEMBERED:
                self._plans.clear()
            plan = self._plans[key] = Plan(self._rules, self._fields(codec), figures)
        return plan

    def _fields(self, codec: object) -> tuple[CodecField, ...] | None:
        """What a codec can say; None for one that is no table."""
        if not isinstance(codec, Codec):
            return None
        found = self._carried.get(codec.id)
        if found is None:
            found = self._carried[codec.id] = codec.fields()
        return found


def city_problems(city: City) -> Iterator[str]:
    """A line for each figure in the city's file that cannot be used."""
    for asset in city.assets.values():
        for problem in calibration.read(asset.properties).problems:
            yield f"feature {asset.id!r}: property {problem}"
        for device in asset.devices:
            for problem in calibration.read(device.properties).problems:
                yield f"feature {asset.id!r}, device {device.dev_eui}: property {problem}"
