"""What a network may tell a device to use: rates, channels, windows. The device's side of LoRaWAN's MAC state."""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from simulator.lorawan import region
from simulator.lorawan.frame import JoinAccept
from simulator.lorawan.region import Tuned


class Channel(NamedTuple):
    """One channel: uplinks in Hz, their data rates, and where the answers come."""

    frequency_hz: int
    lowest: int = 0
    highest: int = region.FASTEST
    answered_hz: int | None = None


DEFAULT_RX2 = Tuned(region.RX2_HZ, region.SPREADING_FACTORS[region.RX2_DATA_RATE])


def default_channels() -> dict[int, Channel]:
    """The three channels that every device of the region has."""
    return {number: Channel(hz) for number, hz in enumerate(region.DEFAULT_CHANNELS_HZ)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RadioSettings:
    """A device's settings; a new session begins with the defaults."""

    data_rate: int = 0
    power: int = region.STRONGEST
    transmissions: int = 1
    channels: dict[int, Channel] = field(default_factory=default_channels)
    enabled: frozenset[int] = frozenset(range(len(region.DEFAULT_CHANNELS_HZ)))
    rx1_delay_s: int = region.RX1_DELAY_S
    rx1_dr_offset: int = 0
    rx2: Tuned = DEFAULT_RX2
    duty_cycle: int = 0

    def joined(self, accept: JoinAccept) -> "RadioSettings":
        """The settings with which a session begins."""
        further = enumerate(accept.channels, len(region.DEFAULT_CHANNELS_HZ))
        channels = default_channels() | {number: Channel(hz) for number, hz in further}
        return RadioSettings(
            data_rate=self.data_rate,
            channels=channels,
            enabled=frozenset(channels),
            rx1_delay_s=accept.rx1_delay_s,
            rx1_dr_offset=accept.rx1_dr_offset,
            rx2=Tuned(self.rx2.frequency_hz, region.SPREADING_FACTORS[min(accept.rx2_data_rate, region.FASTEST)]),
        )

    def rx1(self, uplink: Tuned) -> Tuned:
        """Where the first window listens after this uplink."""
        rate = max(0, region.data_rate(uplink.spreading_factor) - self.rx1_dr_offset)
        moved = {channel.frequency_hz: channel.answered_hz for channel in self.channels.values()}
        return Tuned(moved.get(uplink.frequency_hz) or uplink.frequency_hz, region.SPREADING_FACTORS[rate])

    def slower(self) -> "RadioSettings":
        """One step of the device's own way out when it hears nothing any more."""
        if self.power != region.STRONGEST:
            return replace(self, power=region.STRONGEST)
        if self.data_rate:
            return replace(self, data_rate=self.data_rate - 1)
        return replace(self, enabled=self.enabled | set(default_channels()))
