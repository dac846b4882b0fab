"""Digital Matter Oyster and Oyster 3 (with Yabby 3, Oyster 4): battery powered position trackers.

Source: Digital Matter Oyster LoRaWAN integration; TheThingsNetwork/lorawan-devices vendor/digital-matter oyster.js; for
ports 4 and 33 also akenza-io/device-type-library types/digitalMatter/oyster3. Little-endian. Where a fix failed the
frame repeats the last position that was known: that one is no reading of now, and is dropped. What follows a person's
car or bicycle is personal.
"""

from collections.abc import Mapping

from decoders import attribute
from decoders.choice import Choice, by_bits, by_length
from decoders.codec import Codec
from decoders.field import Bits, Curve, Field, Pad, Part
from decoders.frame_bytes import TwosComplement
from decoders.layout import Layout
from decoders.quantity import Family, Privacy, Quantity

DEGREES = 10_000_000
WEEK_S = 7 * 24 * 3600
FIX: Mapping[int, float] = {0: 1}
NO_FIX: Mapping[int, float] = {1: 0}
NO_YES = {0: "no", 1: "yes"}
LATITUDE_BITS, LONGITUDE_BITS = 23, 24
BATTERY_MASK = 0xFF
NEW_BATTERY = 0x800


def _battery_of_both_scales() -> Curve:
    """Eight bits, and another three bits on the scale: x / 40 V, or with it (3500 + 32 · x) mV."""

    def value(raw: int) -> float:
        step = raw & BATTERY_MASK
        return (3500 + 32 * step) / 1000 if raw & NEW_BATTERY else step / 40

    def raw(volts: float) -> int:
        old = min(round(volts * 40), BATTERY_MASK)
        new = NEW_BATTERY | min(max(round((volts * 1000 - 3500) / 32), 0), BATTERY_MASK)
        return min(old, new, key=lambda raw: abs(value(raw) - volts))

    return Curve(value, raw, low=0.0, high=11.66, step=0.032)


def _share(bits: int, circle: int) -> Curve:
    """Two's complement, of which the whole range is that many degrees."""
    whole = 1 << bits

    def raw(degrees: float) -> int:
        return min(round(degrees * whole / circle), (whole >> 1) - 1) % whole

    step = circle / whole
    return Curve(TwosComplement(bits, circle, whole), raw, low=-circle / 2, high=circle / 2 - step, step=step)


BATTERY = _battery_of_both_scales()
LATITUDE = _share(LATITUDE_BITS, 180)
LONGITUDE = _share(LONGITUDE_BITS, 360)


def _by_fix(at: int, bit: int, fix: Layout, no_fix: Layout) -> Choice:
    """A frame with a position of now, or with one that is not; the bit says which."""
    return by_bits(at, str(bit), {0: ("fix", fix), 1: ("no fix", no_fix)})


def _fine(*, verified: bool) -> Choice:
    """Port 1: eleven bytes, positions to a centimetre."""

    def motion(fix: Mapping[int, float], *heading: Field, checked: bool) -> Bits:
        return Bits(
            "B",
            Field(Quantity.MOVING, "0", verified=checked),
            Field(Quantity.POSITION_FIX, "1", values=fix, verified=checked),
            *heading,
        )

    battery = Field(Quantity.BATTERY_VOLTAGE, "B", divisor=40, verified=verified)
    return _by_fix(
        8,
        1,
        Layout(
            "<",
            Field(Quantity.LATITUDE, "i", divisor=DEGREES, verified=verified),
            Field(Quantity.LONGITUDE, "i", divisor=DEGREES, verified=verified),
            motion(FIX, Field(Quantity.HEADING, "2-7", scale=5.625, verified=verified), checked=verified),
            Field(Quantity.SPEED, "B", verified=verified),
            battery,
        ),
        Layout("<", Pad(8), motion(NO_FIX, checked=verified), Pad(1), battery),
    )


def _coarse(alarm: str) -> Choice:
    """Port 4: nine bytes, positions to three metres; the battery has one of two scales."""

    def status(fix: Mapping[int, float]) -> Bits:
        return Bits(
            "H",
            Field(Quantity.BATTERY_VOLTAGE, "0-11", curve=BATTERY, verified=False),
            Field(Quantity.MOVING, "8", verified=False),
            Field(Quantity.POSITION_FIX, "9", values=fix, verified=False),
            Field(Quantity.ALARM, "10", alarm, verified=False),
        )

    return _by_fix(
        8,
        1,
        Layout(
            "<",
            Field(Quantity.LATITUDE, "s24", scale=256, divisor=DEGREES, verified=False),
            Field(Quantity.LONGITUDE, "s24", scale=256, divisor=DEGREES, verified=False),
            Bits(
                "B",
                Field(Quantity.HEADING, "0-2", scale=45, verified=False),
                Field(Quantity.SPEED, "3-7", scale=5, verified=False),
            ),
            status(FIX),
        ),
        Layout("<", Pad(7), status(NO_FIX)),
    )


def _packed() -> Choice:
    """Port 33: eleven bytes that are one number, with the time without motion."""

    def frame(fix: Mapping[int, float], *position: Field) -> Layout:
        return Layout(
            "<",
            Bits(
                "11sle",
                Field(Quantity.POSITION_FIX, "0", values=fix),
                *position,
                Field(Quantity.MOVING, "48"),
                Field(Quantity.ALARM, "49", "battery", verified=False),
                Field(Quantity.ALARM, "50", "inactivity"),
                Field(Quantity.STATE_DURATION, "51-64", "inactive", scale=2),
                Field(Quantity.BATTERY_VOLTAGE, "65-72", scale=32, offset=3500, divisor=1000),
            ),
        )

    return _by_fix(
        0,
        0,
        frame(
            FIX,
            Field(Quantity.LATITUDE, "1-23", curve=LATITUDE),
            Field(Quantity.LONGITUDE, "24-47", curve=LONGITUDE),
            Field(Quantity.HEADING, "73-75", scale=45),
            Field(Quantity.SPEED, "76-80", scale=5),
        ),
        frame(NO_FIX),
    )


def _statistics(*, verified: bool) -> Layout:
    """Port 3: counts in units of 32."""

    def count(quantity: Quantity, bits: str, channel: str = "") -> Field:
        return Field(quantity, bits, channel, scale=32, verified=verified)

    return Layout(
        "<",
        Bits(
            "11sle",
            Field(Quantity.BATTERY_VOLTAGE, "0-3", "initial", offset=40, divisor=10, verified=verified),
            count(Quantity.UPLINK_COUNT_TOTAL, "4-14"),
            count(Quantity.TRIP_COUNT_TOTAL, "15-27"),
            count(Quantity.MEASUREMENT_COUNT_TOTAL, "28-37", "fix"),
            count(Quantity.MEASUREMENT_COUNT_TOTAL, "38-45", "no_fix"),
            Field(Quantity.FIX_TIME, "46-54", "fix", verified=verified),
            Field(Quantity.FIX_TIME, "55-63", "no_fix", verified=verified),
            Field(Quantity.FIX_TIME, "64-71", "freshen", verified=verified),
            attribute.number("wakeups_per_trip", "72-78"),
            Field(Quantity.UPTIME, "79-87", scale=WEEK_S, verified=verified),
        ),
    )


ACKNOWLEDGEMENT: tuple[Part, ...] = (
    Bits("B", attribute.number("sequence", "0-6"), attribute.words("accepted", "7", NO_YES)),
    attribute.version("firmware_version", 2),
)
DOWNLINK = by_length(
    {
        "short": Layout("<", *ACKNOWLEDGEMENT),
        "long": Layout(
            "<",
            *ACKNOWLEDGEMENT,
            attribute.number("product_id", "B"),
            attribute.number("hardware_revision", "B"),
            attribute.number("downlink_port", "B"),
        ),
    }
)

OYSTER = Codec(
    id="digital-matter/oyster",
    vendor="Digital Matter",
    model="Oyster GPS tracker",
    family=Family.TRAFFIC,
    source="TheThingsNetwork/lorawan-devices vendor/digital-matter oyster.js",
    ports={1: _fine(verified=True), 2: DOWNLINK, 3: _statistics(verified=False), 4: _coarse("man_down")},
    privacy=Privacy.PERSONAL,
)
OYSTER_3 = Codec(
    id="digital-matter/oyster-3",
    vendor="Digital Matter",
    model="Oyster 3, Yabby 3, Oyster 4 trackers",
    family=Family.TRAFFIC,
    source="chirpstack-device-profiles vendors/digital-matter; akenza-io/device-type-library digitalMatter/oyster3",
    ports={
        1: _fine(verified=True),
        2: DOWNLINK,
        3: _statistics(verified=True),
        4: _coarse("inactivity"),
        33: _packed(),
    },
    privacy=Privacy.PERSONAL,
)

CODECS = (OYSTER, OYSTER_3)
