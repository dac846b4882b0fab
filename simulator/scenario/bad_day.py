"""Sensors on a bad day: what a scenario lets go wrong with single devices."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from random import Random

from typing_extensions import override

from decoders import catalog
from decoders.codec import Codec
from decoders.error import DecodeError, EncodeError
from decoders.measurement import Reading
from decoders.quantity import Quantity
from simulator.chirpstack import Encoding, Up
from simulator.device import NS_PER_MS, NS_PER_S, Device
from simulator.devices.forms import figures_of
from simulator.devices.orders import Obedient, Setting
from simulator.faults import UNKNOWN_PROFILE, Message, Outcome, message_of, spoofed, unreadable
from simulator.scenario.model import Sensor, SensorFault
from simulator.scenario.script import Script
from simulator.sensor import Frame
from simulator.sensor import Sensor as Senses
from simulator.world import Moment

OF_READINGS = (SensorFault.STUCK, SensorFault.DRIFTING, SensorFault.JUMPING)
S_PER_HOUR = 3600
LONGEST_DECIMALS = 6


class BadSenses(Senses):
    """A sensor whose readings are wrong while its faults last; the world around it goes on."""

    def __init__(
        self, senses: Senses, faults: list[Sensor], script: Script, codec: Codec, figures: Mapping[str, float]
    ) -> None:
        self._senses = senses
        self._faults = faults
        self._script = script
        self._codec = codec
        self._figures = figures
        self._stuck: dict[tuple[Quantity, str], Reading] = {}
        self._frames = 0
        self.extra_loss_db = senses.extra_loss_db

    @override
    def report(self, now: Moment, span_s: float, battery: float) -> Frame:
        return self._wrong(self._senses.report(now, span_s, battery), now)

    @override
    def until_change_s(self, now: Moment) -> float | None:
        return self._senses.until_change_s(now)

    @override
    def change(self, now: Moment) -> Frame:
        return self._wrong(self._senses.change(now), now)

    def obey(self, settings: tuple[Setting, ...]) -> None:
        """What is set goes to the sensor, if it has something that can be."""
        if isinstance(self._senses, Obedient):
            self._senses.obey(settings)

    def _wrong(self, frame: Frame, now: Moment) -> Frame:
        """The frame with wrong readings; where the format cannot carry them, the frame as it was."""
        self._frames += 1
        readings = frame.readings
        for fault in self._faults:
            if not self._script.weight(fault, now.ms):
                self._keep(readings)
                continue
            readings = tuple(self._changed(reading, fault, now) for reading in readings)
        try:
            data = self._codec.encode(frame.f_port, readings, self._figures)
        except EncodeError:
            return frame
        return Frame(frame.f_port, readings, data)

    def _keep(self, readings: tuple[Reading, ...]) -> None:
        for reading in readings:
            self._stuck[reading.quantity, reading.channel] = reading

    def _changed(self, reading: Reading, fault: Sensor, now: Moment) -> Reading:
        concerned = reading.quantity.field == fault.quantity if fault.quantity else not reading.quantity.diagnostic
        if not concerned:
            return reading
        if fault.fault is SensorFault.STUCK:
            return self._stuck.setdefault((reading.quantity, reading.channel), reading)
        if fault.fault is SensorFault.JUMPING:
            return _moved(reading, fault.by if self._frames % 2 else 0)
        return _moved(reading, fault.by * (self._script.seconds(now.ms) - fault.from_s) / S_PER_HOUR)


def _moved(reading: Reading, by: float) -> Reading:
    """The reading so much off, within what is plausible, with as many decimals as it had."""
    whole, _, decimals = repr(reading.value).partition(".")
    del whole
    places = 0 if decimals == "0" else min(LONGEST_DECIMALS, len(decimals))
    quantity = reading.quantity
    return reading._replace(value=min(quantity.high, max(quantity.low, round(reading.value + by, places))))


class BadDay:
    """The faults of a script among these devices."""

    def __init__(self, script: Script, devices: list[Device], rng: Random, encoding: Encoding) -> None:
        self._script = script
        self._rng = rng
        self._encoding: Encoding = encoding
        self._resets: dict[str, int] = {}
        self._of: Mapping[str, list[Sensor]] = _by_device(script, devices)
        for device in devices:
            wrong = [fault for fault in self._of.get(device.identity.dev_eui, ()) if fault.fault in OF_READINGS]
            if wrong:
                figures = figures_of(device.codec, device.identity.tags)
                device.sensor = BadSenses(device.sensor, wrong, script, device.codec, figures)

    def silent(self, dev_eui: str, time_ns: int) -> bool:
        """Whether a device sends nothing now."""
        return dev_eui in self._of and any(fault.fault is SensorFault.SILENT for fault in self._now(dev_eui, time_ns))

    def messages(self, up: Up, codec: Codec) -> list[Message] | None:
        """What is published for an uplink; None where nothing is wrong with it on its way."""
        if up.device.dev_eui not in self._of:
            return None
        found = None
        up, changed = self._counted(up)
        for fault in self._now(up.device.dev_eui, up.time_ns):
            if fault.fault is SensorFault.DELAYED:
                up, changed = _delayed(up, fault.delay_s), True
            elif fault.fault not in (*OF_READINGS, SensorFault.SILENT, SensorFault.COUNTER_RESET):
                found = self._message(up, codec, fault)
        if found is None and changed:
            found = message_of(up, Outcome.UNIQUE, self._encoding)
        return None if found is None else [found]

    def _message(self, up: Up, codec: Codec, fault: Sensor) -> Message:
        match fault.fault:
            case SensorFault.GARBAGE:
                return message_of(up._replace(data=unreadable(codec, up)), Outcome.DECODE, self._encoding)
            case SensorFault.SPOOFED:
                return spoofed(message_of(up, Outcome.UNIQUE, self._encoding), up.device.dev_eui, self._rng)
            case _:
                wrong, outcome = _misfiled(up, fault.codec)
                return message_of(wrong, outcome, self._encoding)

    def _counted(self, up: Up) -> tuple[Up, bool]:
        """The uplink with the counter of a device that has restarted, from the first one after it on."""
        dev_eui = up.device.dev_eui
        if dev_eui not in self._resets:
            now = self._now(dev_eui, up.time_ns)
            if not any(fault.fault is SensorFault.COUNTER_RESET for fault in now):
                return up, False
            self._resets[dev_eui] = up.f_cnt
        return up._replace(f_cnt=up.f_cnt - self._resets[dev_eui]), True

    def _now(self, dev_eui: str, time_ns: int) -> list[Sensor]:
        ms = time_ns // NS_PER_MS
        return [fault for fault in self._of.get(dev_eui, ()) if self._script.weight(fault, ms)]


def _by_device(script: Script, devices: list[Device]) -> Mapping[str, list[Sensor]]:
    found: dict[str, list[Sensor]] = defaultdict(list)
    for device in devices:
        for fault in script.scenario.sensor:
            if _concerns(fault, device):
                found[device.identity.dev_eui].append(fault)
    return found


def _concerns(fault: Sensor, device: Device) -> bool:
    tags = device.identity.tags
    return any(_matches(fault, device.identity.dev_eui, tags))


def _matches(fault: Sensor, dev_eui: str, tags: Mapping[str, str]) -> Iterator[bool]:
    yield dev_eui in fault.devices
    yield tags.get("asset") in fault.assets
    yield tags.get("codec") in fault.models and "asset" in tags


def _delayed(up: Up, seconds: float) -> Up:
    """An uplink that its gateways kept so long."""
    delay = int(seconds * NS_PER_S)
    return up._replace(copies=tuple(copy._replace(ns_time=copy.ns_time + delay) for copy in up.copies))


def _misfiled(up: Up, codec_id: str | None) -> tuple[Up, Outcome]:
    """The uplink as of a device of another kind, and what becomes of it."""
    tags = {key: value for key, value in up.device.tags.items() if key != "codec"}
    if codec_id is None:
        return up._replace(device=up.device._replace(profile=UNKNOWN_PROFILE, tags=tags)), Outcome.UNKNOWN_PROFILE
    device = up.device._replace(profile=codec_id, tags=tags | {"codec": codec_id})
    try:
        codec = catalog.codec(codec_id)
        codec.decode(up.f_port, up.data, 0, figures_of(codec, tags))
    except DecodeError:
        return up._replace(device=device), Outcome.DECODE
    return up._replace(device=device), Outcome.UNIQUE
