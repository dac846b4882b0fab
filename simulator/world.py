"""The state of the city: parked cars, traffic, weather, bins. Seeded, and moved on only by asking for a later time.

Figures are typical, not calibrated: parking as a super-gaussian day curve, traffic as Poisson counts with two peaks,
fine dust as lognormal AR(1) with 0.95 an hour, bins as gamma increments with a median of about eight days to full.
"""

import math
from datetime import UTC, datetime
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

MS_PER_S = 1000
S_PER_HOUR = 3600
S_PER_DAY = 86_400
WEEKEND = 5
DAYLIGHT_LX = 40_000
LAMP_LX = 8
COARSE_PER_FINE = 1.6
BIN_DAYS_TO_FULL = 7.7
BIN_SHAPE_PER_DAY = 3.0
BIN_WEEKDAYS = (1.1, 0.95, 0.9, 0.95, 1.1, 1.35, 0.65)
FULL = 1.0
COLLECTION_HOURS = (6, 15)
POISSON_EXACT_UP_TO = 50


class Moment(NamedTuple):
    """An instant with its place in the city's calendar: ms since 1970 (UTC), local hour, weekday (Monday 0)."""

    ms: int
    hour: float
    weekday: int
    day_of_year: int


class Calendar:
    """The local time of a city."""

    def __init__(self, timezone: str) -> None:
        self._zone = ZoneInfo(timezone)
        self._begin_ms = -1
        self._local = datetime(1970, 1, 1, tzinfo=UTC)

    def at(self, ms: int) -> Moment:
        """The calendar's view of an instant."""
        begin = ms - ms % (900 * MS_PER_S)
        if begin != self._begin_ms:
            self._begin_ms = begin
            self._local = datetime.fromtimestamp(begin / MS_PER_S, UTC).astimezone(self._zone)
        local = self._local
        hour = local.hour + local.minute / 60 + (ms - begin) / (S_PER_HOUR * MS_PER_S)
        return Moment(ms, hour, local.weekday(), local.timetuple().tm_yday)


class Weather:
    """The city's air; stations add their own bias. °C, %, hPa, lx, µg/m³."""

    def __init__(self, rng: Random, start: Moment) -> None:
        self._rng = rng
        self._ms = start.ms
        self._noise = rng.gauss(0, 2)
        self._pressure = rng.gauss(0, 8)
        self._dust = rng.gauss(0, 0.5)
        self.temperature = self.humidity = self.pressure = self.illuminance = self.pm2_5 = self.pm10 = 0.0
        self.advance(start)

    def advance(self, now: Moment) -> None:
        """Move on to this time."""
        hours = max(0, now.ms - self._ms) / MS_PER_S / S_PER_HOUR
        self._ms = max(self._ms, now.ms)
        self._noise = self._step(self._noise, 2.0, 0.95, hours)
        self._pressure = self._step(self._pressure, 8.0, 0.99, hours)
        self._dust = self._step(self._dust, 0.5, 0.95, hours)
        season = -math.cos(2 * math.pi * (now.day_of_year - 20) / 365)
        day = math.cos(2 * math.pi * (now.hour - 15) / 24)
        self.temperature = 10.5 + 8.5 * season + (3.5 + 2 * season) * day + self._noise
        self.humidity = min(98.0, max(25.0, 74 - 12 * day - 6 * season - 2 * self._noise))
        self.pressure = 1008 + self._pressure
        elevation = math.cos(2 * math.pi * (now.hour - 13) / 24) + 0.35 * season
        self.illuminance = max(LAMP_LX, DAYLIGHT_LX * elevation)
        evening = math.exp(-(((now.hour - 20) / 4) ** 2))
        self.pm2_5 = 9 * math.exp(self._dust) * (1 + max(0.0, -season) * (0.4 + 0.6 * evening))
        self.pm10 = self.pm2_5 * COARSE_PER_FINE

    def _step(self, value: float, sigma: float, per_hour: float, hours: float) -> float:
        keep = math.pow(per_hour, hours)
        return value * keep + self._rng.gauss(0, sigma * math.sqrt(1 - keep * keep))


class LotCurve:
    """The share of spaces taken over the day, for all spaces of one lot."""

    def __init__(self, rng: Random) -> None:
        self._noon = rng.uniform(11.5, 14.5)
        self._width = rng.uniform(4.5, 6.5)
        self._peak = rng.uniform(0.75, 0.97)
        self._base = rng.uniform(0.1, 0.3)

    def share(self, now: Moment) -> float:
        """How much of the lot is taken, 0..1."""
        peak = self._peak * (0.6 if now.weekday >= WEEKEND else 1)
        return self._base + max(0.0, peak - self._base) * math.exp(-(((now.hour - self._noon) / self._width) ** 4))


class Space:
    """One parking space: taken and left at random so that the lot follows its curve."""

    def __init__(self, rng: Random, curve: LotCurve, now: Moment) -> None:
        self._rng = rng
        self._curve = curve
        self._stay_s = rng.uniform(1800, 7200)
        self.occupied = rng.random() < curve.share(now)
        self.since_ms = now.ms - int(rng.expovariate(1 / self._stay_s) * MS_PER_S)
        self.before_min = int(rng.expovariate(1 / self._stay_s) / 60)

    def until_change_s(self, now: Moment) -> float:
        """A sample of how long the present state will last."""
        share = min(0.99, max(0.01, self._curve.share(now)))
        return self._rng.expovariate((1 - share if self.occupied else share) / self._stay_s)

    def change(self, now: Moment) -> None:
        """A car comes or leaves."""
        self.before_min = (now.ms - self.since_ms) // (60 * MS_PER_S)
        self.since_ms = now.ms
        self.occupied = not self.occupied


class Bin:
    """One container: fills in gamma steps and is emptied on its day, or the next working day once it is full."""

    def __init__(self, rng: Random, start: Moment) -> None:
        self._rng = rng
        self._ms = start.ms
        self._per_day = FULL / BIN_DAYS_TO_FULL * rng.uniform(0.6, 1.6)
        self._round_day = rng.randrange(WEEKEND)
        self._emptied_on = start.day_of_year
        self.fill = rng.uniform(0.05, 0.98)

    def advance(self, now: Moment) -> bool:
        """Move on to this time; whether it was emptied on the way."""
        days = max(0, now.ms - self._ms) / MS_PER_S / S_PER_DAY
        self._ms = max(self._ms, now.ms)
        if days > 0:
            shape = BIN_SHAPE_PER_DAY * days
            scale = self._per_day * BIN_WEEKDAYS[now.weekday] / BIN_SHAPE_PER_DAY
            self.fill = min(FULL, self.fill + self._rng.gammavariate(shape, scale))
        if not self._truck_comes(now):
            return False
        self._emptied_on = now.day_of_year
        self.fill = self._rng.uniform(0, 0.05)
        return True

    def _truck_comes(self, now: Moment) -> bool:
        if self._emptied_on == now.day_of_year or not COLLECTION_HOURS[0] <= now.hour < COLLECTION_HOURS[1]:
            return False
        return now.weekday == self._round_day or (self.fill >= FULL and now.weekday < WEEKEND)


class Count(NamedTuple):
    """Who passed in an interval: left to right, right to left, mean speed in km/h."""

    ltr: int
    rtl: int
    speed: float


class Road:
    """Traffic past one detector, with peaks towards the city in the morning and out of it in the evening.

    `spread` is by how much of `per_day` roads differ; `inbound_ltr` None leaves it to chance which way the city lies.
    """

    def __init__(
        self,
        rng: Random,
        per_day: float,
        free_speed: float,
        *,
        spread: float = 0.5,
        inbound_ltr: bool | None = None,
    ) -> None:
        self._rng = rng
        self._per_hour = per_day * rng.uniform(1 - spread, 1 + spread) / 24
        self._free_speed = free_speed
        self._inbound_ltr = rng.random() < 0.5 if inbound_ltr is None else inbound_ltr  # noqa: PLR2004 - a fair coin

    def count(self, now: Moment, span_s: float) -> Count:
        """What passed in the span that ends now."""
        morning = math.exp(-(((now.hour - 7.75) / 1.5) ** 2))
        evening = math.exp(-(((now.hour - 16.75) / 2.0) ** 2))
        day = math.exp(-(((now.hour - 13.5) / 5.5) ** 4))
        weekend = 0.5 if now.weekday >= WEEKEND else 1.0
        both = self._per_hour * (0.1 + 1.2 * day + weekend * 0.9 * (morning + evening)) * span_s / S_PER_HOUR
        inbound = 0.5 + 0.12 * weekend * (morning - evening)
        one, other = poisson(self._rng, both * inbound), poisson(self._rng, both * (1 - inbound))
        busy = min(1.0, both / max(1e-9, self._per_hour * 3 * span_s / S_PER_HOUR))
        speed = max(4.0, self._free_speed * (1 - 0.35 * busy) + self._rng.gauss(0, 2))
        return Count(one, other, speed) if self._inbound_ltr else Count(other, one, speed)


def poisson(rng: Random, mean: float) -> int:
    """A Poisson number: exact for small means, else its normal approximation."""
    if mean > POISSON_EXACT_UP_TO:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, count, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        count += 1
        product *= rng.random()
    return count
