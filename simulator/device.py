"""One simulated device: joins, counts frames, reports at its interval, repeats and remembers what nobody answered."""

from random import Random
from typing import NamedTuple

from decoders.codec import Codec
from simulator.devices.battery import Battery
from simulator.devices.clock import Clock, on_clock, tells_time
from simulator.devices.forms import figures_of
from simulator.devices.memory import History, Memory, keeps
from simulator.devices.orders import Obedient, interval_s, settings
from simulator.devices.transmitter import WINDOWS_NS, Transmitter, between
from simulator.event import Copy, Flight, Identity, Join, Status, Up
from simulator.lorawan.region import LONGEST_PAYLOADS, data_rate
from simulator.radio import FADING_DB, LIMITS_DB, POWER_STEP_DB, SLOWEST, Link
from simulator.sensor import Frame, Sensor
from simulator.world import Calendar, Moment

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
JOIN_SPREAD_S = 60.0
FIRST_REPORT_S = (2.0, 30.0)
STATUS_INTERVAL_S = 86_400.0
LOWEST_MARGIN_DB = -32
HIGHEST_MARGIN_DB = 31
VARIANTS = "89ab"
CONFIRMED_SHARE = 0.1
"""Of all devices; ours. Makers leave it to the operator, and networks advise against it."""
TRANSMISSIONS = 8
TRANSMISSIONS_PER_RATE = 2
ACK_TIMEOUT_NS = (1 * NS_PER_S, 3 * NS_PER_S)
"""Repeats of a confirmed uplink: LoRaWAN 1.0.2, §18.4 (slower after two each), and ACK_TIMEOUT of its regions."""


class Site(NamedTuple):
    """What a device needs of its city: randomness, calendar, and its paths to the gateways."""

    rng: Random
    calendar: Calendar
    link: Link


def identifier(rng: Random) -> str:
    """A random UUID of version 4."""
    bits = f"{rng.getrandbits(128):032x}"
    return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-{VARIANTS[int(bits[16], 16) & 3]}{bits[17:20]}-{bits[20:]}"


class Device:
    """A device of the city. Times are ns since 1970.

    `report` and `change` give None when no gateway can hear the frame and the device does not ask for an answer; the
    frame counter grows all the same. A frame waits while its sub-band has no airtime left, and is not sent at all when
    that takes more than five minutes. Who `asks` is told by `answered` or `unanswered` what became of an uplink; by
    `given_up` instead of the latter where somebody else repeats it.
    """

    __slots__ = (
        *("_battery", "_calendar", "_clock", "_dev_addr", "_f_cnt", "_link", "_memory"),
        *("_received", "_reported_ns", "_rng", "_tells_time", "_transmitter"),
        *("codec", "confirmed", "identity", "interval_s", "sensor", "unsent"),
    )

    def __init__(self, identity: Identity, codec: Codec, sensor: Sensor, interval_s: float, site: Site) -> None:
        self.identity = identity
        self.codec = codec
        self.sensor = sensor
        self.interval_s = interval_s
        self._rng = site.rng
        self._calendar = site.calendar
        self._link = site.link
        self._dev_addr = f"{site.rng.getrandbits(25):08x}"
        self._f_cnt = 0
        self._received = -1
        self._reported_ns: int | None = None
        self._battery = Battery(site.rng)
        self._transmitter = Transmitter(site.rng, site.link)
        self._clock = Clock(site.rng)
        self._tells_time = tells_time(codec.id)
        self._memory: Memory | None = None
        self.confirmed = site.rng.random() < CONFIRMED_SHARE
        self.unsent = 0

    @property
    def link(self) -> Link:
        """The device's paths to the gateways."""
        return self._link

    @property
    def clock(self) -> Clock:
        """The device's own clock."""
        return self._clock

    @property
    def asks(self) -> bool:
        """Whether uplinks ask for an answer: confirmed ones do, and by LinkCheckReq those of who can tell later."""
        return self.confirmed or self.tells_later

    @property
    def tells_later(self) -> bool:
        """Whether the format has places for readings of earlier times."""
        return keeps(self.codec.id)

    @property
    def remembers(self) -> bool:
        """Whether there are earlier readings to send."""
        return bool(self._memory)

    def join(self, time_ns: int) -> Join:
        """The device comes on air, and is told the time."""
        self._battery.begin(time_ns)
        self._clock.set(time_ns)
        return Join(self.identity, identifier(self._rng), time_ns, self._dev_addr)

    def report(self, time_ns: int) -> Up | None:
        """The regular report."""
        elapsed = self.interval_s if self._reported_ns is None else (time_ns - self._reported_ns) / NS_PER_S
        self._reported_ns = time_ns
        frame = self.sensor.report(self._moment(time_ns), elapsed, self._battery.share(time_ns))
        return self._send(self._dated(frame, time_ns) if self._tells_time else frame, time_ns)

    def until_report_s(self) -> float:
        """When the next regular report is due, by the device's clock and with its random part."""
        return self._clock.lasts_s(self.interval_s, self._rng)

    def until_change_s(self, time_ns: int) -> float | None:
        """When something happens that is reported at once; None where nothing ever does."""
        return self.sensor.until_change_s(self._moment(time_ns))

    def change(self, time_ns: int) -> Up | None:
        """It happens."""
        return self._send(self.sensor.change(self._moment(time_ns)), time_ns)

    def status(self, time_ns: int) -> Status:
        """The answer to the network server's question."""
        heard = self._link.send().heard
        margin = round(max((copy.snr for copy in heard), default=0.0)) + 5
        margin = min(HIGHEST_MARGIN_DB, max(LOWEST_MARGIN_DB, margin))
        return Status(self.identity, identifier(self._rng), time_ns, margin, self._battery.level(time_ns))

    def obey(self, f_port: int, data: bytes, time_ns: int) -> None:
        """A downlink has come: it may set the reporting interval, or a light or switch of the device."""
        self.interval_s = interval_s(self.codec.id, data, f_port) or self.interval_s
        if isinstance(self.sensor, Obedient):
            self.sensor.obey(settings(self.codec.id, f_port, data, time_ns // NS_PER_MS))

    def received(self, up: Up) -> bool:
        """Whether the network server sees an uplink's counter for the first time: its memory, not the device's."""
        new, self._received = up.f_cnt > self._received, max(self._received, up.f_cnt)
        return new

    def hears(self, up: Up) -> bool:
        """Whether an answer to an uplink gets through: at full power, by the gateway that heard best, with fading."""
        level = max(copy.snr for copy in up.copies) + self._link.power_steps * POWER_STEP_DB
        return level + self._rng.gauss(0, FADING_DB) >= LIMITS_DB[up.spreading_factor]

    def answered(self, up: Up) -> None:
        """An answer has come: what the uplink told of earlier times need not be told again."""
        if self._memory is not None and up.history:
            self._memory.told(up.history)

    def unanswered(self, up: Up, end_ns: int) -> Up | None:
        """No answer came to an uplink that ended then: a confirmed one goes out again, with the same counter.

        None when it is given up: after eight times, when something newer is to be sent, or at once where it was not
        confirmed.
        """
        again = None
        if up.confirmed and up.attempt < TRANSMISSIONS and up.f_cnt == self._f_cnt - 1:
            again = self._again(up, end_ns + WINDOWS_NS + between(self._rng, *ACK_TIMEOUT_NS))
        if again is None:
            self.given_up(up)
        return again

    def given_up(self, up: Up) -> None:
        """No answer to an uplink will come: what it said is kept where the format has places for earlier readings."""
        if not up.history:
            self._keep(up.f_port, up.data, up.made_ns)

    def earlier(self, time_ns: int, reserved: int = 0) -> History | None:
        """Earlier readings that go into a frame at today's data rate, less `reserved` bytes; None when there are none.

        The bytes are those of MAC commands beside the payload.
        """
        longest = LONGEST_PAYLOADS[data_rate(self._link.spreading_factor)] - reserved
        return self._memory.frame(longest, self._shown_ms(time_ns)) if self._memory is not None else None

    def history(self, found: History, time_ns: int) -> Up | None:
        """A frame of earlier readings; None when it is not sent or nobody can hear it."""
        return self._transmit(found.f_port, found.data, time_ns, found.times_ms)

    def _moment(self, time_ns: int) -> Moment:
        return self._calendar.at(time_ns // NS_PER_MS)

    def _shown_ms(self, time_ns: int) -> int:
        return self._clock.shows_ns(time_ns) // NS_PER_MS

    def _dated(self, frame: Frame, time_ns: int) -> Frame:
        """The frame with the time of day that the device's clock shows."""
        dated = on_clock(frame, self._calendar.at(self._shown_ms(time_ns)))
        if frame.data is None or dated is frame:
            return dated
        figures = figures_of(self.codec, self.identity.tags)
        return dated._replace(data=self.codec.encode(dated.f_port, dated.readings, figures))

    def _keep(self, f_port: int, data: bytes, time_ns: int) -> None:
        if keeps(self.codec.id):
            if self._memory is None:
                self._memory = Memory(self.codec, figures_of(self.codec, self.identity.tags))
            self._memory.keep(f_port, data, self._shown_ms(time_ns))

    def _send(self, frame: Frame, time_ns: int) -> Up | None:
        data = self.codec.encode(frame.f_port, frame.readings) if frame.data is None else frame.data
        return self._transmit(frame.f_port, data, time_ns)

    def _transmit(self, f_port: int, data: bytes, time_ns: int, history: tuple[int, ...] = ()) -> Up | None:
        """A new frame; None, and kept, when it cannot go out or nobody can hear it and no answer is missed."""
        flight = self._transmitter.fly(len(data), time_ns, self._link.spreading_factor)
        if flight is None:
            self.unsent += 1
        else:
            f_cnt, self._f_cnt = self._f_cnt, self._f_cnt + 1
            if flight.air.heard or self.confirmed:
                return self._up(f_port, data, f_cnt, flight, time_ns, history)
            self._link.missed()
        if not history:
            self._keep(f_port, data, time_ns)
        return None

    def _up(self, f_port: int, data: bytes, f_cnt: int, flight: Flight, time_ns: int, history: tuple[int, ...]) -> Up:
        copies, air = self._transmitter.copies(flight), flight.air
        return Up(
            self.identity,
            identifier(self._rng),
            _time_ns(copies, flight),
            self._dev_addr,
            f_cnt,
            f_port,
            data,
            air.frequency_hz,
            air.spreading_factor,
            copies,
            flight,
            self.confirmed,
            time_ns,
            1,
            history,
        )

    def _again(self, up: Up, time_ns: int) -> Up | None:
        """The same frame once more, slower after each two; None when it would have to wait for too long."""
        slower = up.attempt // TRANSMISSIONS_PER_RATE
        flight = self._transmitter.fly(len(up.data), time_ns, min(SLOWEST, self._link.spreading_factor + slower))
        if flight is None:
            return None
        copies, air = self._transmitter.copies(flight), flight.air
        return up._replace(
            deduplication_id=identifier(self._rng),
            time_ns=_time_ns(copies, flight),
            frequency_hz=air.frequency_hz,
            spreading_factor=air.spreading_factor,
            copies=copies,
            flight=flight,
            attempt=up.attempt + 1,
        )


def _time_ns(copies: tuple[Copy, ...], flight: Flight) -> int:
    """The event's time: when the first copy came, or the frame was over."""
    return copies[0].ns_time if copies else flight.start_ns + flight.airtime_ns
