"""A scenario against time: what of the world is different at an instant. Pure; ms since 1970 in, factors out."""

from simulator.scenario.model import ORDINARY, Scenario, Timed

MS_PER_S = 1000
LOWEST_C, HIGHEST_C = -40.0, 50.0
MOST_WIND, MOST_DEMAND, MOST_SPEED = 10.0, 10.0, 2.0
"""What sections that hold at once come to at most, °C and factors."""


class Script:
    """A scenario that began at `start_ms`."""

    def __init__(self, scenario: Scenario = ORDINARY, start_ms: int = 0) -> None:
        self.scenario = scenario
        self.start_ms = start_ms

    def seconds(self, ms: int) -> float:
        """Seconds since the start."""
        return (ms - self.start_ms) / MS_PER_S

    def weight(self, section: Timed, ms: int) -> float:
        """How much of a section holds: 0..1."""
        return section.weight(self.seconds(ms))

    def temperature(self, ms: int, natural: float) -> float:
        """The air in °C, where it would be `natural`."""
        for air in self.scenario.air:
            weight = self.weight(air, ms)
            wanted = (natural if air.temperature is None else air.temperature) + air.warmer_by
            natural += weight * (wanted - natural)
        return min(HIGHEST_C, max(LOWEST_C, natural))

    def humidity(self, ms: int, natural: float) -> float:
        """The air's humidity in %."""
        for air in self.scenario.air:
            if air.humidity is not None:
                natural += self.weight(air, ms) * (air.humidity - natural)
        return natural

    def wind(self, ms: int) -> float:
        """By how much the wind is stronger."""
        factor = 1.0
        for air in self.scenario.air:
            factor *= 1 + self.weight(air, ms) * (air.wind - 1)
        return min(MOST_WIND, factor)

    def rain(self, ms: int) -> float | None:
        """The rain in mm/h; None: what it would be."""
        for rain in self.scenario.rain:
            weight = self.weight(rain, ms)
            if weight:
                return rain.mm_per_hour * weight
        return None

    def turns(self, begin_ms: int, end_ms: int) -> list[int]:
        """The instants between two others at which rain is set or left to itself, both ends included."""
        edges = {begin_ms, end_ms}
        for rain in self.scenario.rain:
            for seconds in (rain.from_s, rain.until_s):
                if seconds is not None:
                    edges.add(self.start_ms + round(seconds * MS_PER_S))
        return sorted(edge for edge in edges if begin_ms <= edge <= end_ms)

    def demand(self, ms: int, asset_id: str, direction: str) -> tuple[float, float]:
        """Factors of demand and of speed past a detector, of who drives into the city or out."""
        demand = speed = 1.0
        for traffic in self.scenario.traffic:
            if traffic.assets and asset_id not in traffic.assets:
                continue
            weight = self.weight(traffic, ms)
            speed *= 1 + weight * (traffic.speed - 1)
            if traffic.direction is None or traffic.direction == direction:
                demand *= 1 + weight * (traffic.demand - 1)
        return min(MOST_DEMAND, demand), min(MOST_SPEED, speed)

    def wanted(self, ms: int, lot_id: str, natural: float) -> float:
        """The share of a lot's spaces that is wanted."""
        for parking in self.scenario.parking:
            if not parking.assets or lot_id in parking.assets:
                natural += self.weight(parking, ms) * (parking.share - natural)
        return natural

    def collected(self, ms: int, fraction: str) -> bool:
        """Whether containers of a fraction are emptied."""
        return not any(
            (not strike.fractions or fraction in strike.fractions) and self.weight(strike, ms) > 0
            for strike in self.scenario.strike
        )

    def broker_keeps(self, ms: int) -> int:
        """How many messages the network server keeps while it reaches no broker."""
        return max((each.keeps for each in self.scenario.broker_outage if self.weight(each, ms)), default=0)

    def broker_back_ms(self, ms: int) -> int | None:
        """When the broker is reached again; None while it is."""
        for outage in self.scenario.broker_outage:
            if self.weight(outage, ms):
                return self.start_ms + round(outage.until_s * MS_PER_S)
        return None
