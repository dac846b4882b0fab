"""MAC commands: what a device does and answers when a network server asks.

Source: LoRaWAN 1.0.3 specification, §5; a field that this device cannot use is refused in the answer's bits, and then
nothing of the command is done.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from simulator.lorawan import region
from simulator.lorawan.region import Tuned
from simulator.lorawan.settings import Channel, RadioSettings

LINK_CHECK, LINK_ADR, DUTY_CYCLE, RX_PARAM_SETUP, DEV_STATUS = 0x02, 0x03, 0x04, 0x05, 0x06
NEW_CHANNEL, RX_TIMING_SETUP, TX_PARAM_SETUP, DL_CHANNEL, DEVICE_TIME = 0x07, 0x08, 0x09, 0x0A, 0x0D
SIZES = {
    LINK_CHECK: 2,
    LINK_ADR: 4,
    DUTY_CYCLE: 1,
    RX_PARAM_SETUP: 4,
    DEV_STATUS: 0,
    NEW_CHANNEL: 5,
    RX_TIMING_SETUP: 1,
    TX_PARAM_SETUP: 1,
    DL_CHANNEL: 4,
    DEVICE_TIME: 5,
}
"""Bytes behind the command's own, on the way down."""
STICKY = frozenset({RX_PARAM_SETUP, RX_TIMING_SETUP, DL_CHANNEL})
"""Repeated in every uplink until a downlink comes: the network must know before it can reach the device again."""
KEEP = 0x0F
MASK_OF_16, MASK_ALL = 0, 6
FREQUENCY_STEP_HZ = 100
POWER_OK, RATE_OK, MASK_OK = 4, 2, 1
OFFSET_OK, RX2_RATE_OK, RX2_CHANNEL_OK = 4, 2, 1
CHANNEL_RATE_OK, CHANNEL_FREQUENCY_OK = 2, 1
UPLINK_EXISTS, DOWNLINK_FREQUENCY_OK = 2, 1


class Command(NamedTuple):
    """One command and the bytes behind it."""

    cid: int
    body: bytes


class DeviceStatus(NamedTuple):
    """What DevStatusReq asks: battery 0 (external), 1…254, 255 (unknown); margin of the last downlink in dB."""

    battery: int
    margin: int


def commands(options: bytes) -> Iterator[Command]:
    """The commands in options or in a payload on port 0, up to the first that is unknown or cut."""
    at = 0
    while at < len(options) and (size := SIZES.get(options[at])) is not None:
        body = options[at + 1 : at + 1 + size]
        if len(body) < size:
            return
        yield Command(options[at], body)
        at += 1 + size


def checks_link(options: bytes) -> bool:
    """Whether LinkCheckAns is among the commands that came down: a gateway has heard the uplink that asked (§5.1)."""
    return any(command.cid == LINK_CHECK for command in commands(options))


def obey(settings: RadioSettings, options: bytes, status: DeviceStatus) -> tuple[RadioSettings, list[Command]]:
    """The settings after these commands, and the answers in their order."""
    answers: list[Command] = []
    for cid, block in groupby(commands(options), key=lambda command: command.cid):
        bodies = [command.body for command in block]
        if cid == LINK_ADR:
            settings, bits = _link_adr(settings, bodies)
            answers += [Command(cid, bytes((bits,)))] * len(bodies)
        elif cid == DEV_STATUS:
            answers += [Command(cid, bytes((status.battery, status.margin & 0x3F)))] * len(bodies)
        elif cid in ANSWERED:
            for body in bodies:
                settings, answer = ANSWERED[cid](settings, body)
                answers.append(Command(cid, answer))
    return settings, answers


def _link_adr(settings: RadioSettings, bodies: list[bytes]) -> tuple[RadioSettings, int]:
    """A block of LinkADRReq is one command: masks add up, the last one's rate, power and repetitions count."""
    enabled, mask_ok = settings.enabled, MASK_OK
    for body in bodies:
        enabled, fits = _masked(settings, enabled, int.from_bytes(body[1:3], "little"), body[3] >> 4 & 0x07)
        mask_ok &= fits
    rate, power, repetitions = bodies[-1][0] >> 4, bodies[-1][0] & 0x0F, bodies[-1][3] & 0x0F
    rate = settings.data_rate if rate == KEEP else rate
    power = settings.power if power == KEEP else power
    carried = any(
        channel.lowest <= rate <= channel.highest for number, channel in settings.channels.items() if number in enabled
    )
    rate_ok = RATE_OK if rate <= region.FASTEST and carried else 0
    bits = (POWER_OK if power <= region.WEAKEST else 0) | rate_ok | (mask_ok if enabled else 0)
    if bits != POWER_OK | RATE_OK | MASK_OK:
        return settings, bits
    used = replace(settings, data_rate=rate, power=power, enabled=enabled, transmissions=max(1, repetitions))
    return used, bits


def _masked(settings: RadioSettings, enabled: frozenset[int], mask: int, control: int) -> tuple[frozenset[int], int]:
    """The channels that a mask leaves on, and whether the device has them all."""
    if control == MASK_ALL:
        return frozenset(settings.channels), MASK_OK
    wanted = frozenset(number for number in range(region.MOST_CHANNELS) if mask >> number & 1)
    known = control == MASK_OF_16 and wanted <= settings.channels.keys()
    return (wanted, MASK_OK) if known else (enabled, 0)


def _duty_cycle(settings: RadioSettings, body: bytes) -> tuple[RadioSettings, bytes]:
    return replace(settings, duty_cycle=body[0] & 0x0F), b""


def _rx_param_setup(settings: RadioSettings, body: bytes) -> tuple[RadioSettings, bytes]:
    offset, rate, frequency = body[0] >> 4 & 0x07, body[0] & 0x0F, _hz(body[1:4])
    bits = (
        (OFFSET_OK if offset <= region.HIGHEST_RX1_OFFSET else 0)
        | (RX2_RATE_OK if rate <= region.FASTEST else 0)
        | (RX2_CHANNEL_OK if region.usable(frequency) else 0)
    )
    if bits != OFFSET_OK | RX2_RATE_OK | RX2_CHANNEL_OK:
        return settings, bytes((bits,))
    rx2 = Tuned(frequency, region.SPREADING_FACTORS[rate])
    return replace(settings, rx1_dr_offset=offset, rx2=rx2), bytes((bits,))


def _new_channel(settings: RadioSettings, body: bytes) -> tuple[RadioSettings, bytes]:
    """The three default channels cannot be changed; frequency 0 takes a channel away."""
    number, frequency = body[0], _hz(body[1:4])
    channel = Channel(frequency, body[4] & 0x0F, body[4] >> 4)
    changeable = len(region.DEFAULT_CHANNELS_HZ) <= number < region.MOST_CHANNELS
    bits = CHANNEL_RATE_OK if channel.lowest <= channel.highest <= region.FASTEST else 0
    bits |= CHANNEL_FREQUENCY_OK if changeable and (not frequency or region.usable(frequency)) else 0
    if bits != CHANNEL_RATE_OK | CHANNEL_FREQUENCY_OK:
        return settings, bytes((bits,))
    channels = {known: there for known, there in settings.channels.items() if known != number}
    if not frequency:
        enabled = settings.enabled - {number} or frozenset(range(len(region.DEFAULT_CHANNELS_HZ)))
        return replace(settings, channels=channels, enabled=enabled), bytes((bits,))
    return replace(settings, channels=channels | {number: channel}, enabled=settings.enabled | {number}), bytes((bits,))


def _rx_timing_setup(settings: RadioSettings, body: bytes) -> tuple[RadioSettings, bytes]:
    return replace(settings, rx1_delay_s=max(1, body[0] & 0x0F)), b""


def _dl_channel(settings: RadioSettings, body: bytes) -> tuple[RadioSettings, bytes]:
    number, frequency = body[0], _hz(body[1:4])
    channel = settings.channels.get(number)
    bits = (UPLINK_EXISTS if channel else 0) | (DOWNLINK_FREQUENCY_OK if region.usable(frequency) else 0)
    if channel is None or bits != UPLINK_EXISTS | DOWNLINK_FREQUENCY_OK:
        return settings, bytes((bits,))
    moved = channel._replace(answered_hz=frequency)
    return replace(settings, channels=settings.channels | {number: moved}), bytes((bits,))


def _hz(body: bytes) -> int:
    return int.from_bytes(body, "little") * FREQUENCY_STEP_HZ


ANSWERED: dict[int, Callable[[RadioSettings, bytes], tuple[RadioSettings, bytes]]] = {
    DUTY_CYCLE: _duty_cycle,
    RX_PARAM_SETUP: _rx_param_setup,
    NEW_CHANNEL: _new_channel,
    RX_TIMING_SETUP: _rx_timing_setup,
    DL_CHANNEL: _dl_channel,
}
"""TXParamSetupReq is not among them: a device of EU868 does not have it and says nothing."""
