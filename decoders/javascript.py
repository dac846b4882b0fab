"""Vendor codecs: JavaScript written for ChirpStack or The Things Stack, in a sandbox; its objects become readings.

Forms, in the order in which they are looked for (chirpstack.io, "Payload codecs"; thethingsindustries.com, "JavaScript
payload formatters"), as functions of the file or of `exports`:

* decodeUplink({bytes, fPort, recvTime, variables}) → {data, warnings, errors}; Decode(fPort, bytes, variables) and
  Decoder(bytes, port) → the object;
* encodeDownlink({data, fPort, variables}) → {bytes, fPort, warnings, errors}; Encode(fPort, object, variables) and
  Encoder(object, port) → bytes.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from decoders import mapping
from decoders.codec import CodecField, Frame, Parameter
from decoders.error import EncodeError, MappingError, ScriptError, ScriptHung, ScriptRefused, ScriptTimeout
from decoders.mapping import Table
from decoders.measurement import Measurement
from decoders.quantity import Family, Privacy, Quantity
from decoders.script_breaker import Breaker, Clock
from decoders.script_engine import NO_MEMORY, Box, Call, Sandbox, loads

JsonObject = dict[str, object]
MakeBox = Callable[[str], Box]
"""Makes what runs a file from the file's text."""
NO_VARIABLES: Mapping[str, float | str] = {}
MAX_PAYLOAD = 256
MAX_F_PORT = 255
T = TypeVar("T")
ENVELOPE = frozenset({"data", "errors", "warnings", "object", "fPort"})


class Downlink(NamedTuple):
    """What is to be sent: the bytes, and the LoRaWAN port."""

    f_port: int
    payload: bytes


class Result(NamedTuple):
    """What a function of the file returned, and what it said on the console."""

    form: str
    value: object
    console: tuple[str, ...]


class ScriptCodec:
    """One device model whose codec is a vendor's JavaScript; stands where a Codec stands.

    `script` is the text of the file, `table` makes readings of what it returns, `source` says where it comes from.
    Every call begins with fresh state and the uplink's time as the only clock. The same thread or one at a time.
    `box` says where the file runs, if not here.
    """

    parameters: tuple[Parameter, ...] = ()
    ports: Mapping[int, Frame] = MappingProxyType({})
    any_port: Frame | None = None
    untested = True

    def __init__(
        self,
        codec_id: str,
        script: str,
        *,
        table: Table = mapping.DEFAULT,
        vendor: str = "",
        model: str = "",
        family: Family | None = None,
        privacy: Privacy | None = None,
        source: str = "",
        clock: Clock | None = None,
        box: MakeBox = Sandbox,
    ) -> None:
        self.id = codec_id
        self.script = script
        self.table = table
        self.vendor = vendor
        self.model = model or codec_id.rpartition("/")[2]
        self.family = family or table.family
        self.privacy = table.privacy if privacy is None else privacy
        self.source = source or "vendor's JavaScript"
        self.console: tuple[str, ...] = ()
        self._breaker = Breaker(clock)
        self._box = box(script)

    def learn(self) -> None:
        """Load the file once, before it is needed; raises ScriptError when it cannot be used."""
        self._guarded(self._box.learn)

    @property
    def problem(self) -> str:
        """Why it is not asked at the moment, else nothing."""
        return self._breaker.problem

    def decode(
        self, f_port: int, payload: bytes, time_ms: int, parameters: Mapping[str, float | str] | None = None
    ) -> tuple[Measurement, ...]:
        """The measurements in a payload; raises DecodeError and nothing else."""
        found: list[Measurement] = []
        unknown: MappingError | None = None
        for item in self._objects(self.call(f_port, payload, parameters or NO_VARIABLES, time_ms)):
            try:
                found.append(self.table.measurement(item, time_ms))
            except MappingError as error:
                unknown = unknown or error
        if not found and unknown is not None:
            raise unknown
        return tuple(found)

    def decode_object(
        self, f_port: int, payload: bytes, variables: Mapping[str, float | str] = NO_VARIABLES, time_ms: int = 0
    ) -> JsonObject:
        """The object in a payload as the file gives it, the first if it gives several; raises ScriptError."""
        objects = self._objects(self.call(f_port, payload, variables, time_ms))
        return objects[0] if objects else {}

    def encode_downlink(
        self, data: Mapping[str, object], f_port: int, variables: Mapping[str, float | str] = NO_VARIABLES
    ) -> Downlink:
        """The downlink that carries an object; the file may choose another port. Raises EncodeError."""
        try:
            result = self.encode_call(data, f_port, variables)
            value = result.value
            if not isinstance(value, dict):
                return Downlink(f_port, _bytes(value))
            _refuse_errors(value)
            return Downlink(_port(value.get("fPort"), f_port), _bytes(value.get("bytes")))
        except ScriptError as error:
            raise EncodeError(str(error)) from error

    # -- what the functions return, for who wants to see it -----------------------------------------------------------

    def call(self, f_port: int, payload: bytes, variables: Mapping[str, float | str], time_ms: int) -> Result:
        """What the decoding function returns; raises ScriptError."""
        if len(payload) > MAX_PAYLOAD:
            raise ScriptError(f"{self.id}: {len(payload)} bytes; a LoRaWAN payload has {MAX_PAYLOAD} at most")
        return self._ask(Call("decode", str(list(payload)), f_port, time_ms, _text(variables)))

    def encode_call(
        self, data: Mapping[str, object], f_port: int, variables: Mapping[str, float | str] = NO_VARIABLES
    ) -> Result:
        """What the encoding function returns; raises ScriptError."""
        try:
            given = json.dumps(data, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ScriptError(f"{self.id}: no JSON: {error}") from error
        return self._ask(Call("encode", given, f_port, 0, _text(variables)))

    def fields(self) -> tuple[CodecField, ...]:
        """Nothing: what a file can give is not known before it gave it."""
        return ()

    def channels(self) -> dict[Quantity, tuple[str, ...]]:
        """Nothing, as for fields."""
        return {}

    def _ask(self, call: Call) -> Result:
        answer, _, said = self._guarded(lambda: self._box.ask(call)).partition("\n")
        if said or self.console:
            self.console = tuple(json.loads(said)) if said else ()
        if answer.startswith("!"):
            raise ScriptError(f"{self.id}: {_error(answer[1:])}")
        return Result(answer[1], loads(answer[2:]), self.console)

    def _guarded(self, work: Callable[[], T]) -> T:
        breaker = self._breaker
        if breaker.problem:
            raise ScriptRefused(f"{self.id}: {breaker.problem}")
        try:
            answer = work()
        except ScriptHung as error:
            breaker.hung(str(error))
            raise ScriptHung(f"{self.id}: {error}") from error
        except ScriptTimeout as error:
            breaker.late()
            raise ScriptTimeout(f"{self.id}: {error}") from error
        except ScriptError as error:
            breaker.in_time()
            raise ScriptError(f"{self.id}: {error}") from error
        breaker.in_time()
        return answer

    def _objects(self, result: Result) -> list[JsonObject]:
        value = result.value
        if isinstance(value, dict):
            if result.form == "u":
                _refuse_errors(value, f"{self.id}: ")
            if "data" in value and (result.form == "u" or value.keys() <= ENVELOPE):
                value = value["data"]
            elif result.form == "u" and value.keys() <= ENVELOPE:
                raise ScriptError(f"{self.id}: decodeUplink returned no data")
        items = value if isinstance(value, list) else [value]
        found = [item for item in items if isinstance(item, dict)]
        if len(found) < len(items) or not items:
            raise ScriptError(f"{self.id}: expected an object, or a list of objects, got {_short(value)}")
        return found


def _error(text: str) -> str:
    found = loads(text) if text.startswith('"') else text
    return f"null thrown: {NO_MEMORY}, or the file's own" if found == "null" else str(found)


def _refuse_errors(value: JsonObject, before: str = "") -> None:
    errors = value.get("errors")
    if errors:
        raise ScriptError(before + ("; ".join(map(_short, errors)) if isinstance(errors, list) else _short(errors)))


def _port(found: object, asked: int) -> int:
    if found is None:
        return asked
    if not isinstance(found, int) or isinstance(found, bool) or not 1 <= found <= MAX_F_PORT:
        raise ScriptError(f"expected an fPort of 1 to {MAX_F_PORT}, got {_short(found)}")
    return found


def _bytes(value: object) -> bytes:
    numbers: Sequence[object] = value if isinstance(value, list) else ()
    if len(numbers) > MAX_PAYLOAD:
        raise ScriptError(f"{len(numbers)} bytes; a LoRaWAN payload has {MAX_PAYLOAD} at most")
    if not isinstance(value, list) or not all(isinstance(n, int) and -128 <= n <= 255 for n in numbers):  # noqa: PLR2004 - of a byte
        raise ScriptError(f"expected a list of bytes, got {_short(value)}")
    return bytes(n & 255 for n in numbers if isinstance(n, int))


def _text(variables: Mapping[str, float | str]) -> str:
    """Variables as ChirpStack gives them: texts."""
    if not variables:
        return ""
    told = {
        key: value if isinstance(value, str) else repr(value).removesuffix(".0") for key, value in variables.items()
    }
    return json.dumps(told)


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 200 else f"{text[:200]}…"  # noqa: PLR2004 - enough to see what it is
