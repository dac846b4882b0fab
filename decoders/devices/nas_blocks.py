"""What NAS luminaire controllers repeat for each DALI address: blocks of one length, and reports of chosen values."""

from collections.abc import Mapping
from typing import TypeVar

from decoders.codec import CodecField
from decoders.error import EncodeError, MalformedPayload, WrongLength
from decoders.field import Given
from decoders.layout import Layout
from decoders.measurement import NO_ATTRIBUTES, Measurement, Reading

Known = TypeVar("Known")
DRIVERS = range(64)
GROUPS = range(16)
SINGLES = {number << 1: f"single{number}" for number in DRIVERS}
OUTPUTS = {
    **SINGLES,
    **{0x80 | number << 1: f"group{number}" for number in GROUPS},
    0x01: "analog",
    0xFE: "broadcast",
    0xFF: "internal",
}
METERS = {**SINGLES, 0x01: "analog", 0xFF: "internal"}


class Blocks:
    """A head, then blocks of one length whose byte `at` is a DALI address; of two for one address the later holds."""

    __slots__ = ("_at", "_blocks", "_head", "_size")

    def __init__(self, head: Layout, blocks: Mapping[int, Layout], at: int) -> None:
        self._head = head
        self._blocks = blocks
        self._at = at
        self._size = next(iter(blocks.values())).size

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """One measurement with the values of all addresses."""
        if len(payload) < self._head.size or (len(payload) - self._head.size) % self._size:
            raise WrongLength(
                f"{len(payload)} bytes; the frame has {self._head.size} and {self._size} for each address"
            )
        readings: list[Reading] = []
        attributes: dict[str, str] = {}
        self._head.read(payload, 0, readings, attributes)
        for at in range(self._head.size, len(payload), self._size):
            _known(self._blocks, payload[at + self._at]).read(payload, at, readings, attributes)
        return (Measurement.of(time_ms, _latest(readings), attributes or NO_ATTRIBUTES),)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a Frame's signature
        """The head, and a block for each address of which something is given."""
        given = Given(measurement)
        payload = self._head.write(given)
        payload += b"".join(block.write(given) for block in self._blocks.values() if block.carries(given))
        given.refuse_rest()
        return payload

    def fields(self) -> tuple[CodecField, ...]:
        """What the head and the blocks carry."""
        return (*self._head.fields(), *(field for block in self._blocks.values() for field in block.fields()))


class Usage:
    """Reports one after the other: address, a byte that says which values follow, the values."""

    __slots__ = ("_reports",)

    def __init__(self, reports: Mapping[int, tuple[Layout, ...]]) -> None:
        self._reports = reports

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """One measurement with the values of all addresses."""
        if not payload:
            raise WrongLength("the payload is empty")
        readings: list[Reading] = []
        at = 0
        while at < len(payload):
            at = self._read(payload, at, readings)
        return (Measurement.of(time_ms, _latest(readings)),)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a Frame's signature
        """A report for each address of which a value is given."""
        given = Given(measurement)
        payload = b""
        for address, report in self._reports.items():
            present = [(bit, value) for bit, value in enumerate(report) if value.carries(given)]
            if present:
                payload += bytes((address, sum(1 << bit for bit, _ in present)))
                payload += b"".join(value.write(given) for _, value in present)
        given.refuse_rest()
        if not payload:
            raise EncodeError("nothing to send")
        return payload

    def fields(self) -> tuple[CodecField, ...]:
        """Eight values of each address."""
        return tuple(field for report in self._reports.values() for value in report for field in value.fields())

    def _read(self, payload: bytes, at: int, readings: list[Reading]) -> int:
        """Read the report at byte `at`; the byte behind it."""
        report = _known(self._reports, payload[at])
        behind = at + 2
        if behind > len(payload):
            raise WrongLength(f"the report at byte {at} does not say what it holds")
        present = payload[at + 1]
        for bit, value in enumerate(report):
            if present >> bit & 1:
                at, behind = behind, behind + value.size
                if behind > len(payload):
                    raise WrongLength(f"value {bit} at byte {at} ends at byte {behind}; the payload at {len(payload)}")
                value.read(payload, at, readings, {})
        return behind


def _known(table: Mapping[int, Known], address: int) -> Known:
    found = table.get(address)
    if found is None:
        raise MalformedPayload(f"DALI address {address:#04x} is none of those that the codec lists")
    return found


def _latest(readings: list[Reading]) -> tuple[Reading, ...]:
    return tuple({(reading.quantity, reading.channel): reading for reading in readings}.values())
