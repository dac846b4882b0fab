"""Downlinks to devices of class A: each waits for an uplink of its device, and is acknowledged by the next one."""

import time
from collections import deque
from collections.abc import Callable, Mapping

from decoders.simulated import is_simulated
from simulator.chirpstack import Up
from simulator.device import NS_PER_S, Device
from simulator.devices.answers import Ack, Answer, Log, TxAck
from simulator.devices.command import Command, CommandError, read
from simulator.lorawan.region import LONGEST_PAYLOADS, RX1_DELAY_S, data_rate

MOST_WAITING = 10_000
NO_TAGS: Mapping[str, str] = {}


class Downlinks:
    """The network server's queues, for simulated devices alone.

    `offer` may be called by another thread; `clock` tells what has expired, in ns.
    """

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self.refused = 0
        self._clock = clock
        self._arrived: deque[tuple[str, bytes]] = deque(maxlen=MOST_WAITING)
        self._waiting: dict[str, deque[Command]] = {}
        self._unconfirmed: dict[str, tuple[Command, int]] = {}
        self._f_cnt_down: dict[str, int] = {}
        self._sent = 0

    @property
    def devices(self) -> set[str]:
        """Whose queues there are, empty ones, too."""
        return set(self._waiting)

    def offer(self, topic: str, payload: bytes) -> None:
        """A message of the broker's has come."""
        self._arrived.append((topic, payload))

    def heard(self, device: Device, up: Up) -> list[Answer]:
        """An uplink of the device has come: what the network server tells now, and what the device does."""
        self._sort()
        dev_eui = device.identity.dev_eui
        answers: list[Answer] = []
        done = self._unconfirmed.pop(dev_eui, None)
        if done is not None:
            command, f_cnt = done
            answers.append(Ack(device.identity, up.time_ns, up.deduplication_id, command.item_id, f_cnt))
        waiting = self._waiting.get(dev_eui)
        while waiting:
            command = waiting.popleft()
            dropped = self._dropped(device, command, up)
            if dropped is None:
                answers.append(self._send(device, command, up))
                break
            answers.append(dropped)
        return answers

    def _sort(self) -> None:
        while self._arrived:
            try:
                command = read(*self._arrived.popleft())
            except CommandError:
                self.refused += 1
                continue
            if not is_simulated(command.dev_eui, NO_TAGS):
                continue
            waiting = self._waiting.setdefault(command.dev_eui, deque(maxlen=MOST_WAITING))
            if all(command.item_id != other.item_id for other in waiting):
                waiting.append(command)

    def _dropped(self, device: Device, command: Command, up: Up) -> Log | None:
        """What is told when it cannot be sent."""
        most = LONGEST_PAYLOADS[data_rate(up.spreading_factor)]
        item = {"queue_item_id": command.item_id}
        if command.expires_ns is not None and command.expires_ns <= self._clock():
            return Log(device.identity, up.time_ns, "EXPIRED", "Device queue-item expired", item)
        if len(command.data) > most:
            text = f"Device queue-item discarded: {len(command.data)} bytes exceed the maximum of {most}"
            return Log(device.identity, up.time_ns, "DOWNLINK_PAYLOAD_SIZE", text, item)
        return None

    def _send(self, device: Device, command: Command, up: Up) -> TxAck:
        """In the first window, by the gateway that heard best; the device does what it is told."""
        dev_eui = device.identity.dev_eui
        f_cnt = self._f_cnt_down.get(dev_eui, 0)
        self._f_cnt_down[dev_eui] = f_cnt + 1
        self._sent += 1
        if command.confirmed:
            self._unconfirmed[dev_eui] = command, f_cnt
        device.obey(command.f_port, command.data, up.time_ns)
        best = max(up.copies, key=lambda copy: copy.snr)
        return TxAck(
            device.identity,
            up.time_ns + RX1_DELAY_S * NS_PER_S,
            self._sent,
            command.item_id,
            f_cnt,
            best.gateway.gateway_id,
            up.frequency_hz,
            up.spreading_factor,
        )
