"""A scenario as its file says it. All times in a section count from the start of the simulation.

Durations are seconds, or texts such as `90s`, `10m`, `2h`, `1d`. A section lasts from `from` until `until` (without
it: for ever), comes in and goes out over `ramp`, and concerns everything where it names nothing.
"""

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from decoders import catalog
from decoders.quantity import Quantity

UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
COLDEST, HOTTEST = -30, 45
BY_NAME = {quantity.field: quantity for quantity in Quantity}


def _seconds(given: object) -> object:
    if not isinstance(given, str):
        return given
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", given.strip())
    if match is None:
        raise ValueError(f"{given!r} is no duration, expected for example 90s, 10m, 2h or 1d")
    return float(match[1]) * UNITS_S[match[2]]


Duration = Annotated[float, BeforeValidator(_seconds), Field(ge=0, le=366 * 86_400)]


class Section(BaseModel):
    """Base of all parts of a file: frozen, unknown keys refused, numbers finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_by_alias=True)


class Timed(Section):
    """Something that lasts, in s since the start."""

    from_s: Duration = Field(default=0, alias="from")
    until_s: Duration | None = Field(default=None, alias="until")
    ramp_s: Duration = Field(default=0, alias="ramp")

    @field_validator("until_s")
    @classmethod
    def _ends_after_it_starts(cls, until: float | None, info: ValidationInfo) -> float | None:
        begin = info.data.get("from_s")
        if until is not None and begin is not None and until <= begin:
            raise ValueError(f"it ends {until:.0f} s after the start, before it begins at {begin:.0f} s")
        return until

    def weight(self, seconds: float) -> float:
        """How much of it holds so many seconds after the start: 0..1."""
        left = float("inf") if self.until_s is None else self.until_s - seconds
        if seconds < self.from_s or left <= 0:
            return 0.0
        return 1.0 if self.ramp_s == 0 else min(1.0, (seconds - self.from_s) / self.ramp_s, left / self.ramp_s)


class Air(Timed):
    """The air is set to `temperature` (°C) or warmer by so many K, to `humidity` (%), wind times `wind`."""

    temperature: float | None = Field(default=None, ge=COLDEST, le=HOTTEST)
    warmer_by: float = Field(default=0, ge=-40, le=40)
    humidity: float | None = Field(default=None, ge=5, le=100)
    wind: float = Field(default=1, ge=0, le=10)

    @model_validator(mode="after")
    def _bearable(self) -> "Air":
        if self.temperature is not None and not COLDEST <= self.temperature + self.warmer_by <= HOTTEST:
            both = self.temperature + self.warmer_by
            raise ValueError(f"temperature and warmer_by make {both:g} °C, expected {COLDEST:g} to {HOTTEST:g}")
        return self


class Rain(Timed):
    """It rains so many mm/h instead of what it would; 0 is a dry spell."""

    mm_per_hour: float = Field(ge=0, le=150)


class Traffic(Timed):
    """Demand times `demand`, speed times `speed`; of these detectors, driving to the city or out of it."""

    demand: float = Field(default=1, ge=0, le=10)
    speed: float = Field(default=1, gt=0, le=2)
    direction: Literal["inbound", "outbound"] | None = None
    assets: tuple[str, ...] = ()


class Incident(Timed):
    """A lane is closed behind these detectors: no more than `vehicles_per_hour` pass in a direction, at `speed` times.

    What cannot pass waits. A share of those who come, `diverted`, drives elsewhere: past the detectors `to`, past each
    as many, or where nobody counts.
    """

    assets: tuple[str, ...] = Field(min_length=1)
    vehicles_per_hour: float = Field(ge=0, le=10_000)
    speed: float = Field(default=1, gt=0, le=1)
    direction: Literal["inbound", "outbound"] | None = None
    diverted: float = Field(default=0, ge=0, le=1)
    to: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> "Incident":
        if self.to and not self.diverted:
            raise ValueError("to needs diverted")
        if both := set(self.assets) & set(self.to):
            raise ValueError(f"{min(both)!r} is in assets and in to")
        return self


class Parking(Timed):
    """This share of the spaces of these lots is wanted."""

    share: float = Field(ge=0, le=1)
    assets: tuple[str, ...] = ()


class Strike(Timed):
    """Containers of these fractions are not emptied."""

    fractions: tuple[str, ...] = ()


class GatewayOutage(Timed):
    """These gateways (ids of the city file) hear nothing."""

    gateways: tuple[str, ...] = Field(min_length=1)


class BrokerOutage(Timed):
    """The network server reaches no broker: it keeps the newest `keeps` messages, and sends them when it is back."""

    until_s: Duration = Field(alias="until")
    keeps: int = Field(default=100, ge=0)

    @field_validator("until_s")
    @classmethod
    def _ends(cls, until: float, info: ValidationInfo) -> float:
        cls._ends_after_it_starts(until, info)
        return until


class SensorFault(StrEnum):
    """What a sensor may do on a bad day."""

    STUCK = "stuck"
    DRIFTING = "drifting"
    JUMPING = "jumping"
    SILENT = "silent"
    DELAYED = "delayed"
    COUNTER_RESET = "counter_reset"
    WRONG_PROFILE = "wrong_profile"
    GARBAGE = "garbage"
    SPOOFED = "spoofed"


NEED_QUANTITY = (SensorFault.DRIFTING, SensorFault.JUMPING)


class Sensor(Timed):
    """A fault of these devices (DevEUIs), of all of these assets, or of these models (codec ids).

    drifting: `quantity` is wrong by `by` more each hour; jumping: each other frame says `by` more; delayed: uplinks
    reach the network server `delay` late; wrong_profile: the network server holds them for devices of `codec`,
    without it for some that nobody knows.
    """

    fault: SensorFault
    devices: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    quantity: str | None = None
    by: float = 0
    delay_s: Duration = Field(default=0, alias="delay")
    codec: str | None = None

    @field_validator("quantity")
    @classmethod
    def _known_quantity(cls, given: str | None) -> str | None:
        if given is not None and given not in BY_NAME:
            raise ValueError(f"no quantity is called {given!r}")
        return given

    @field_validator("codec")
    @classmethod
    def _known_codec(cls, given: str | None) -> str | None:
        if given is not None and given not in catalog.BY_ID:
            raise ValueError(f"no codec is called {given!r}")
        return given

    @model_validator(mode="after")
    def _whole(self) -> "Sensor":
        if not (self.devices or self.assets or self.models):
            raise ValueError("it names none of devices, assets, models")
        if self.fault in NEED_QUANTITY and (self.quantity is None or not self.by):
            raise ValueError(f"{self.fault} needs quantity and by")
        if self.fault is SensorFault.DELAYED and not self.delay_s:
            raise ValueError("delayed needs delay")
        return self


class Scenario(Section):
    """A file. `title` is its line in `simulate --list`; `from` and `for` are used where the command line has none."""

    title: str = Field(min_length=1, max_length=110, pattern=r"^[^\r\n]+$")
    begin: datetime | None = Field(default=None, alias="from")
    lasts_s: Duration | None = Field(default=None, alias="for", gt=0)
    air: tuple[Air, ...] = ()
    rain: tuple[Rain, ...] = ()
    traffic: tuple[Traffic, ...] = ()
    incident: tuple[Incident, ...] = ()
    parking: tuple[Parking, ...] = ()
    strike: tuple[Strike, ...] = ()
    gateway_outage: tuple[GatewayOutage, ...] = ()
    broker_outage: tuple[BrokerOutage, ...] = ()
    sensor: tuple[Sensor, ...] = ()

    @field_validator("begin")
    @classmethod
    def _with_an_offset(cls, begin: datetime | None) -> datetime | None:
        if begin is not None and begin.tzinfo is None:
            raise ValueError("the time has no offset, expected for example 2026-06-13T06:00:00+02:00")
        return begin


SECTIONS: dict[str, type[Section]] = {
    "air": Air,
    "rain": Rain,
    "traffic": Traffic,
    "incident": Incident,
    "parking": Parking,
    "strike": Strike,
    "gateway_outage": GatewayOutage,
    "broker_outage": BrokerOutage,
    "sensor": Sensor,
}
ORDINARY = Scenario(title="an ordinary city")
