"""Fuzzed: vendors' JavaScript. Known files with any payload, and drawn files; an input is f_port, …, the payload."""

from collections.abc import Sequence
from functools import cache
from random import Random

from decoders.error import DecodeError, EncodeError, ScriptTimeout
from decoders.javascript import ScriptCodec
from decoders.measurement import Measurement
from decoders.script_engine import NO_MEMORY, Plan, Sandbox, learn
from tests.fuzz import javascript
from tests.fuzz.mutation import mutate_bytes
from tests.fuzz.readings import check_mapped
from tests.fuzz.target import Target

NOW_MS = 1_800_000_000_000
NAMES = tuple(javascript.SCRIPTS)
SEPARATOR = b"\xff"
PROBE = bytes(range(1, 12))
PAYLOADS = (b"", b"\0", bytes.fromhex("00d732"), bytes.fromhex("0100d7023203010901"), PROBE, b"\xff" * 51)
Outcome = tuple[Measurement, ...] | str


@cache
def kept(name: str) -> ScriptCodec:
    """The codec that every input of this file is given to, as a service would."""
    return ScriptCodec(f"js/fuzz/{name}", javascript.SCRIPTS[name])


@cache
def plan(name: str) -> Plan:
    """What is known of the file before its first call."""
    return learn(javascript.SCRIPTS[name])


def fresh(name: str) -> ScriptCodec:
    """A codec of the file that nothing was asked yet."""
    return ScriptCodec(f"js/fuzz/{name}", javascript.SCRIPTS[name], box=lambda source: Sandbox(source, plan(name)))


def run_bytes(data: bytes) -> None:
    """A file's answer to a payload is the same whatever it was asked before."""
    name = NAMES[data[0] % len(NAMES) if data else 0]
    f_port, payload = data[1] if len(data) > 1 else 0, data[2:]
    found = outcome(kept(name), f_port, payload)
    expected = outcome(fresh(name), f_port, payload)
    assert same(found, expected), (found, expected)
    kept(name).decode(f_port, payload, NOW_MS)


def run_source(data: bytes) -> None:
    """Any text ends in readings or a refusal, leaves nothing to its next call, and takes a downlink or refuses it."""
    f_port, payload, source = read_source(data)
    codec = ScriptCodec("js/fuzz/drawn", source)
    first = codec.decode(f_port, payload, NOW_MS)
    outcome(codec, 1, PROBE)
    again = outcome(codec, f_port, payload)
    assert same(first, again), (first, again)
    try:
        downlink = codec.encode_downlink({"temperature": 21.5}, 1)
    except EncodeError:
        return
    assert 1 <= downlink.f_port <= 255
    assert isinstance(downlink.payload, bytes)


def read_source(data: bytes) -> tuple[int, bytes, str]:
    """The f_port, the payload and the file of an input."""
    payload, _, source = data[1:].partition(SEPARATOR)
    return data[0] if data else 0, payload, source.decode("utf-8", "replace")


def outcome(codec: ScriptCodec, f_port: int, payload: bytes) -> Outcome:
    """The measurements, or why there are none; nothing where the machine decides that."""
    try:
        found = codec.decode(f_port, payload, NOW_MS)
    except ScriptTimeout:
        return ""
    except DecodeError as error:
        return "" if NO_MEMORY in str(error) else str(error)
    assert found
    for measurement in found:
        check_mapped(measurement)
    return found


def same(one: Outcome, other: Outcome) -> bool:
    """Whether two outcomes are one, where neither was a matter of time or memory."""
    return not one or not other or one == other


def mutate_source(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Mostly another file, a statement in this one, or damage to it; now and then the payload."""
    f_port, payload, source = read_source(data)
    match random.randint(0, 9):
        case 0:
            return mutate_bytes(random, data, others)
        case 1:
            payload = random.randbytes(random.randint(0, 30)).replace(SEPARATOR, b"")
        case 2 | 3 | 4:
            source = javascript.script(random)
        case 5:
            source = mutate_bytes(random, source.encode(), others).decode("utf-8", "replace")
        case _:
            at = random.choice([at for at, letter in enumerate(source) if letter in "{;"] or [0]) + 1
            source = f"{source[:at]} {javascript.statement(random)} {source[at:]}"
    return bytes((f_port,)) + payload + SEPARATOR + source.encode("utf-8", "replace")


TARGETS = (
    Target(
        name="script/bytes",
        run=run_bytes,
        refuses=(DecodeError,),
        seeds=tuple(bytes((number, 2)) + payload for number in range(len(NAMES)) for payload in PAYLOADS),
        longest=2 + 242,
    ),
    Target(
        name="script/source",
        run=run_source,
        refuses=(DecodeError,),
        seeds=tuple(b"\2\x01\x02\x03" + SEPARATOR + source.encode() for source in javascript.SCRIPTS.values()),
        mutate=mutate_source,
        longest=4096,
    ),
)
