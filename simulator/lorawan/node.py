"""A simulated device with its LoRaWAN side: what its sensor says goes on the air, what comes down is obeyed."""

from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from random import Random
from typing import NamedTuple

from simulator.chirpstack import Up
from simulator.device import ACK_TIMEOUT_NS, Device
from simulator.devices.transmitter import between
from simulator.duty_cycle import FRAME_BYTES
from simulator.lorawan import region
from simulator.lorawan.air import Air
from simulator.lorawan.bridge import NS_PER_S, Reception
from simulator.lorawan.budget import Budget
from simulator.lorawan.end_device import EndDevice, Received
from simulator.lorawan.frame import Data
from simulator.lorawan.region import Tuned
from simulator.radio import CHANNELS_HZ, LIMITS_DB

LONGEST_QUEUE = 8
JOIN_AGAIN_S = (5.0, 15.0)
LONGEST_JOIN_WAIT_S = 120.0
PERCENT = 100


@dataclass(slots=True)
class Tally:
    """What happened on the air: `unheard` transmissions reached no gateway, `dropped` uplinks were never sent.

    `history` are frames of earlier readings.
    """

    join_requests: int = 0
    joins: int = 0
    uplinks: int = 0
    unheard: int = 0
    repeated: int = 0
    dropped: int = 0
    history: int = 0
    frames: int = 0
    downlinks: int = 0
    acknowledged: int = 0

    def as_dict(self) -> dict[str, int]:
        """As JSON."""
        return asdict(self)


class Hooks(NamedTuple):
    """Whom a node tells: that it has joined, which data came down for it, and what became of each uplink.

    `answered` is one that asked, and that the network has for sure; any other is `given_up` in the end.
    """

    joined: Callable[[Device], None]
    downlink: Callable[[Device, Data], None]
    answered: Callable[[Device, Up], None]
    given_up: Callable[[Device, Up], None]


class Node:
    """One device on the air, within its duty cycle.

    What is to be sent while a frame waits for airtime or for its answer waits, too, the oldest of it not for ever. An
    uplink that is not confirmed asks by LinkCheckReq whether it is heard where the device could tell it later.
    """

    def __init__(
        self,
        device: Device,
        end_device: EndDevice,
        air: Air,
        rng: Random,
        tally: Tally,
        hooks: Hooks,
        *,
        confirmed_percent: int = 0,
    ) -> None:
        self.end_device = end_device
        self._device = device
        self._air = air
        self._rng = rng
        self._tally = tally
        self._hooks = hooks
        self._confirmed = confirmed_percent / PERCENT
        self._waiting: deque[Up] = deque(maxlen=LONGEST_QUEUE)
        self._sent: Up | None = None
        self._heard = False
        self._busy = False
        self._attempts = 0
        self._budget = Budget()

    def join(self, now_ns: int) -> None:
        """Ask to join, and again until somebody answers."""
        if self._air.ending:
            return
        self._attempts += 1
        self._tally.join_requests += 1
        self.tune()
        frequency = self._rng.choice(region.DEFAULT_CHANNELS_HZ)
        spreading_factor = self.end_device.rate_for(0)
        self._transmit(self.end_device.join_request(), Tuned(frequency, spreading_factor), now_ns)

    def uplink(self, up: Up | None, now_ns: int) -> None:
        """A frame of the sensor's; None is one that nobody can hear."""
        if up is None:
            self._tally.uplinks += 1
            self._tally.unheard += 1
            self.end_device.missed()
        elif self._busy:
            if len(self._waiting) == LONGEST_QUEUE:
                self._tally.dropped += 1
                self._hooks.given_up(self._device, self._waiting[0])
            self._waiting.append(up)
        else:
            self._send(up, now_ns)

    @property
    def options_size(self) -> int:
        """Bytes of MAC commands that the device's next uplink will carry."""
        return self.end_device.options_size(link_check=self._device.tells_later)

    def tune(self) -> None:
        """The radio sends as the network has told the device to."""
        settings = self.end_device.settings
        self._device.link.spreading_factor = region.SPREADING_FACTORS[settings.data_rate]
        self._device.link.power_steps = settings.power

    def received(self, what: Received, now_ns: int) -> None:  # noqa: ARG002 - as every radio hears it
        """A frame has come: the join accept, or data."""
        if what.joined:
            self._tally.joins += 1
            self._attempts = 0
            self._hooks.joined(self._device)
        elif what.data is not None:
            self._tally.downlinks += 1
            self._tally.acknowledged += what.data.ack
            self._heard |= what.heard
            self._hooks.downlink(self._device, what.data)

        self.tune()

    def closed(self, now_ns: int) -> None:
        """The windows are over: join again, repeat, or send what waits."""
        self._busy = False
        if self._air.ending:
            return
        again = self.end_device.again(newer=bool(self._waiting))
        if self.end_device.joining:
            wait_s = min(LONGEST_JOIN_WAIT_S, self._attempts * self._rng.uniform(*JOIN_AGAIN_S))
            self._air.later(now_ns + int(wait_s * NS_PER_S), self.join)
        elif again is not None:
            self._busy = True
            self._air.later(now_ns + between(self._rng, *ACK_TIMEOUT_NS), lambda time_ns: self._repeat(again, time_ns))
        else:
            self._settle()
            if self._waiting:
                self._send(self._waiting.popleft(), now_ns)

    def _settle(self) -> None:
        """The last uplink is not repeated any more: somebody has it, or it is given up."""
        up, self._sent = self._sent, None
        if up is not None:
            (self._hooks.answered if self._heard else self._hooks.given_up)(self._device, up)

    def _repeat(self, phy: bytes, now_ns: int) -> None:
        """The same frame on another channel."""
        if self._air.ending:
            return
        self._tally.repeated += 1
        self._transmit(phy, self._tuned(len(phy) - FRAME_BYTES, slower=self.end_device.slower), now_ns)

    def _send(self, up: Up, now_ns: int) -> None:
        confirmed = self._rng.random() < self._confirmed
        link_check = self._device.tells_later and not confirmed
        size = len(up.data) + self.end_device.options_size(link_check=link_check)
        tuned = self._tuned(size, up.frequency_hz)
        self._tally.uplinks += 1
        self._sent, self._heard = up, False
        heard = {
            copy.gateway.gateway_id: Reception(now_ns, copy.rssi, copy.snr, copy.channel, copy.uplink_id)
            for copy in up.copies
        }
        phy = self.end_device.uplink(up.f_port, up.data, confirmed=confirmed, link_check=link_check)
        self._go(phy, tuned, heard, now_ns)

    def _tuned(self, size: int, frequency_hz: int = 0, slower: int = 0) -> Tuned:
        """On the channel that the radio chose where the network allows it, else on one that it does."""
        settings = self.end_device.settings
        allowed = sorted(settings.channels[number].frequency_hz for number in settings.enabled)
        chosen = frequency_hz if frequency_hz in allowed else self._rng.choice(allowed)
        return Tuned(chosen, self.end_device.rate_for(size, slower))

    def _transmit(self, phy: bytes, tuned: Tuned, now_ns: int) -> None:
        air = self._device.link.send(tuned.spreading_factor)
        heard = {
            copy.gateway.gateway_id: Reception(now_ns, copy.rssi, copy.snr, air.channel, self._rng.getrandbits(32))
            for copy in air.heard
        }
        self._go(phy, tuned, heard, now_ns)

    def _go(self, phy: bytes, tuned: Tuned, heard: dict[str, Reception], now_ns: int) -> None:
        """On the air as soon as there is airtime for it."""
        self._busy = True
        pace = self._air.pace
        city_ns = pace.city_ns(now_ns)
        start_ns = self._budget.take(len(phy), tuned, city_ns, self.end_device.settings.duty_cycle)
        if start_ns <= city_ns:
            self._begin(phy, tuned, heard, now_ns)
            return
        wait_ns = int((start_ns - city_ns) / pace.speed) + 1
        self._air.later(now_ns + wait_ns, lambda time_ns: self._begin(phy, tuned, heard, time_ns))

    def _begin(self, phy: bytes, tuned: Tuned, heard: dict[str, Reception], now_ns: int) -> None:
        """A faster rate than the path allows is heard by fewer."""
        if self._air.ending:
            return
        channel = CHANNELS_HZ.index(tuned.frequency_hz) if tuned.frequency_hz in CHANNELS_HZ else 0
        reached = {
            gateway_id: reception._replace(channel=channel)
            for gateway_id, reception in heard.items()
            if reception.snr >= LIMITS_DB[tuned.spreading_factor]
        }
        self._tally.frames += len(reached)
        self._tally.unheard += not reached
        self._air.transmit(self, phy, tuned, reached, now_ns)
