"""One simulated device: joins, counts frames, reports at its interval, and is heard or not."""

from random import Random
from typing import NamedTuple
from uuid import UUID

from decoders.codec import Codec
from simulator.chirpstack import Copy, Identity, Join, Status, Up
from simulator.radio import Link
from simulator.sensor import Frame, Sensor
from simulator.world import Calendar, Moment

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
JOIN_SPREAD_S = 60.0
FIRST_REPORT_S = (2.0, 30.0)
STATUS_INTERVAL_S = 86_400.0
LOWEST_MARGIN_DB = -32
HIGHEST_MARGIN_DB = 31
DEDUPLICATION_WINDOW_NS = 150_000_000
NETWORK_DELAY_NS = (40_000_000, 120_000_000)
BATTERY_STEPS = 254
BATTERY_LIFE_DAYS = 3000.0


class Site(NamedTuple):
    """What a device needs of its city: randomness, calendar, and its paths to the gateways."""

    rng: Random
    calendar: Calendar
    link: Link


def identifier(rng: Random) -> str:
    """A random UUID of version 4."""
    return str(UUID(int=rng.getrandbits(128), version=4))


class Device:
    """A device of the city. Times are ns since 1970.

    `report` and `change` give None when no gateway heard the frame; the frame counter grows all the same.
    """

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
        self._reported_ns: int | None = None
        self._charge = site.rng.uniform(0.6, 1.0)
        self._since_ns = 0

    def join(self, time_ns: int) -> Join:
        """The device comes on air."""
        self._since_ns = time_ns
        return Join(self.identity, identifier(self._rng), time_ns, self._dev_addr)

    def report(self, time_ns: int) -> Up | None:
        """The regular report."""
        elapsed = self.interval_s if self._reported_ns is None else (time_ns - self._reported_ns) / NS_PER_S
        self._reported_ns = time_ns
        return self._send(self.sensor.report(self._moment(time_ns), elapsed, self._battery(time_ns)), time_ns)

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
        battery = round(self._battery(time_ns) * (BATTERY_STEPS - 1)) * 100 / BATTERY_STEPS
        return Status(
            self.identity,
            identifier(self._rng),
            time_ns,
            min(HIGHEST_MARGIN_DB, max(LOWEST_MARGIN_DB, margin)),
            round(battery, 2),
        )

    def _moment(self, time_ns: int) -> Moment:
        return self._calendar.at(time_ns // NS_PER_MS)

    def _battery(self, time_ns: int) -> float:
        days = (time_ns - self._since_ns) / NS_PER_S / 86_400
        return max(0.0, self._charge - days / BATTERY_LIFE_DAYS)

    def _send(self, frame: Frame, time_ns: int) -> Up | None:
        data = self.codec.encode(frame.f_port, frame.readings)
        f_cnt = self._f_cnt
        self._f_cnt += 1
        air = self._link.send()
        if not air.heard:
            return None
        rng = self._rng
        taken = time_ns + rng.randint(*NETWORK_DELAY_NS)
        copies = tuple(
            Copy(
                heard.gateway,
                rng.getrandbits(32),
                taken + (rng.randrange(DEDUPLICATION_WINDOW_NS) if number else 0),
                heard.rssi,
                heard.snr,
                air.channel,
            )
            for number, heard in enumerate(air.heard)
        )
        return Up(
            self.identity,
            identifier(rng),
            taken,
            self._dev_addr,
            f_cnt,
            frame.f_port,
            data,
            air.frequency_hz,
            air.spreading_factor,
            copies,
        )
