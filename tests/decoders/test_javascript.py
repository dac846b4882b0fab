"""Vendors' JavaScript: every form is understood, nothing is left from call to call, nothing hostile gets through."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders import mapping, script_engine
from decoders.error import (
    DecodeError,
    EncodeError,
    MappingError,
    ScriptError,
    ScriptHung,
    ScriptRefused,
    ScriptTimeout,
)
from decoders.javascript import NO_VARIABLES, Downlink, JsonObject, ScriptCodec
from decoders.measurement import Measurement, Reading
from decoders.quantity import Family, Privacy, Quantity
from decoders.script_engine import Call, Engine, Sandbox, literal

TIME_MS = 1_800_000_000_000
PAYLOAD = bytes.fromhex("00d732")
BODY = "{temperature: ((b[0] << 8 | b[1]) << 16 >> 16) / 10, humidity: b[2]}"
FORMS = {
    "decodeUplink": "function decodeUplink(input) { var b = input.bytes; return {data: %s}; }",
    "arrow": (
        "const decodeUplink = (input) => { const b = input.bytes; return {data: %s, warnings: ['w'], errors: []}; };"
    ),
    "Decode": "function Decode(fPort, b, variables) { return %s; }",
    "Decoder": "function Decoder(b, port) { return %s; }",
    "exports": "exports.decodeUplink = function (input) { var b = input.bytes; return {data: %s}; };",
    "module.exports": "module.exports = {Decode(fPort, b) { return %s; }};",
    "implicit global": "decodeUplink = function (input) { b = input.bytes; return {data: %s}; };",
    "list": "function Decoder(b) { return [%s]; }",
    "wrapped": "function Decoder(b) { return {data: %s}; }",
    "strict": "'use strict'; function Decoder(b) { return %s; }",
    "byte order mark": "\ufefffunction Decoder(b) { return %s; } // the end",
}


def codec(script: str, **more: Any) -> ScriptCodec:  # noqa: ANN401 - as ScriptCodec takes it
    """A codec that only the test knows."""
    return ScriptCodec("js/acme/x", script, **more)


def body(text: str) -> ScriptCodec:
    """A codec whose decodeUplink has this body."""
    return codec(f"function decodeUplink(input) {{ {text} }}")


def seen(made: ScriptCodec, f_port: int = 2, variables: Mapping[str, float | str] = NO_VARIABLES) -> JsonObject:
    """The object in the payload."""
    return made.decode_object(f_port, PAYLOAD, variables, TIME_MS)


def sandbox(made: ScriptCodec) -> Sandbox:
    """What runs a codec's file here."""
    box = made._box
    assert isinstance(box, Sandbox)
    return box


def engine(made: ScriptCodec) -> Engine | None:
    """The context that calls share, None when there is none."""
    return sandbox(made)._engine


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_readings(form: str) -> None:
    """However a vendor names the function and wraps the object."""
    made = codec(FORMS[form].replace("%s", BODY))
    expected = (Reading(Quantity.AIR_TEMPERATURE, 21.5), Reading(Quantity.AIR_HUMIDITY, 50.0))
    for _ in range(2):
        assert made.decode(2, PAYLOAD, TIME_MS) == (Measurement.of(TIME_MS, expected),)


def test_decode_uplink_wins_over_the_older_forms() -> None:
    """A file written for all servers is used as the newest one would."""
    older = "function Decode() { return {a: 1}; } function Decoder() { return {a: 2}; }"
    assert seen(codec(f"{older} function decodeUplink() {{ return {{data: {{a: 3}}}}; }}")) == {"a": 3}
    assert seen(codec(older)) == {"a": 1}


def test_the_function_gets_bytes_port_time_and_variables() -> None:
    """As numbers, a Date and texts."""
    made = body(
        "return {data: {...input, isArray: Array.isArray(input.bytes), isDate: input.recvTime instanceof Date}};"
    )
    assert seen(made, variables={"height": 1.5, "name": "x"}) == {
        "bytes": [0, 215, 50],
        "fPort": 2,
        "recvTime": "2027-01-15T08:00:00.000Z",
        "variables": {"height": "1.5", "name": "x"},
        "isArray": True,
        "isDate": True,
    }


@pytest.mark.parametrize(("value", "text"), [(1234567.0, "1234567"), (0.1, "0.1"), (123456.7, "123456.7"), (-5, "-5")])
def test_a_figure_among_the_variables_keeps_all_its_digits(value: float, text: str) -> None:
    """A vendor's parseInt of it must not find an exponent."""
    assert seen(body("return {data: {x: input.variables.x}};"), variables={"x": value}) == {"x": text}


def test_what_stands_beside_the_data_is_not_read() -> None:
    """Of what decodeUplink returns only `data` counts, whatever else a vendor adds."""
    assert seen(body("return {data: {a: 1}, type: 'x'};")) == {"a": 1}


def test_several_objects_are_several_measurements() -> None:
    """One that no table knows is left out beside one that is known; alone it is an error."""
    made = body("return {data: [{temperature: 1}, {temperature: 2}, {foo: 1}]};")
    assert [item.readings[0].value for item in made.decode(1, b"", TIME_MS)] == [1.0, 2.0]
    with pytest.raises(MappingError, match="foo"):
        body("return {data: [{foo: 1}]};").decode(1, b"", TIME_MS)


def test_the_table_decides_what_the_readings_are() -> None:
    """A table of its own; family and privacy are the table's unless said otherwise."""
    table = mapping.parse(
        'family = "waste"\nprivacy = "internal"\n[[field]]\npath = "t"\nquantity = "fill_level"\n', "x"
    )
    made = codec("function Decoder() { return {t: 12.5}; }", table=table)
    assert made.decode(1, b"", TIME_MS) == (Measurement.of(TIME_MS, (Reading(Quantity.FILL_LEVEL, 12.5),)),)
    assert (made.family, made.privacy) == (Family.WASTE, Privacy.INTERNAL)
    other = codec("function Decoder() {}", table=table, family=Family.METER, privacy=Privacy.OPEN)
    assert (other.family, other.privacy) == (Family.METER, Privacy.OPEN)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("return {errors: ['bad frame', 'short']};", "bad frame; short"),
        ("return {data: {a: 1}, errors: 'x'};", "x"),
        ("return {warnings: []};", "no data"),
        ("", "got null"),
        ("return 5;", "got 5"),
        ("return {data: [1]};", r"got \[1\]"),
        ("return {data: []};", r"got \[\]"),
        ("throw new Error('no such frame');", "Error: no such frame"),
        ("throw 'text';", "text"),
        ("throw Symbol('s');", "symbol"),
        ("throw null;", "null thrown: out of memory, or the file's own"),
        ("return null.x;", "TypeError"),
        ("return {data: Promise.resolve(1), then: 1} && Promise.resolve({});", "promise"),
    ],
)
def test_what_is_no_object_is_an_error(text: str, message: str) -> None:
    """The vendor's own words, or what came instead; and the next call works the same way."""
    made = body(text)
    for _ in range(2):
        with pytest.raises(ScriptError, match=message):
            seen(made)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("function decodeUplink(", "SyntaxError"),
        ("var x = 1;", "none of"),
        ("throw new Error('at load');", "at load"),
        ("function f() {} }); globalThis.leak = 1; (function () {", "SyntaxError"),
        ("import x from 'y'; function Decoder() {}", "SyntaxError"),
        ("function Decoder() {}\0", "null"),
        ("x" * 1_000_001, "at most"),
    ],
)
def test_a_file_that_is_no_codec_is_refused(script: str, message: str) -> None:
    """Before anything is decoded, with the reason; nothing closes the function that we put around a file."""
    with pytest.raises(ScriptError, match=message):
        codec(script).learn()


# -- nothing is left ---------------------------------------------------------------------------------------------------

STATEFUL = {
    "var": ("var n = 0;", "n += 1; return {n};"),
    "let": ("let n = 0;", "return {n: ++n};"),
    "closure": ("var f = (function () { var n = 0; return function () { return ++n; }; })();", "return {n: f()};"),
    "implicit global": ("", "n = typeof n === 'undefined' ? 1 : n + 1; return {n};"),
    "global object": ("", "globalThis.n = (globalThis.n || 0) + 1; return {n: globalThis.n};"),
    "fixed global": (
        "",
        "var was = globalThis.q; Object.defineProperty(globalThis, 'q', {value: 2}); return {n: was || 1};",
    ),
    "symbol": ("var s = Symbol.for('n');", "globalThis[s] = (globalThis[s] || 0) + 1; return {n: globalThis[s]};"),
    "prototype": ("", "Object.prototype.n = (Object.prototype.n || 0) + 1; return {n: [].n || 1};"),
    "prototype of the global": (
        "var was = globalThis.n;",
        "try { Object.setPrototypeOf(globalThis, {n: 2}); } catch (e) {} return {n: was || 1};",
    ),
    "function of the language": ("", "Math.floor.n = (Math.floor.n || 0) + 1; return {n: Math.floor.n || 1};"),
    "polyfill": (
        "String.prototype.f = function () { return 1; };",
        "var was = String.prototype.f.n; String.prototype.f.n = 2; return {n: was || 'x'.f()};",
    ),
    "beside a polyfill": (
        "String.prototype.f = 1;",
        "String.prototype.n = (String.prototype.n || 0) + 1; return {n: 'x'.n};",
    ),
    "replaced": (
        "Object.assign = function () { return 1; };",
        "var f = Object.assign, was = f.n; f.n = 2; Object.assign = null; return {n: was || f()};",
    ),
    "regular expression": ("var r = /a/g;", "r.test('aa'); return {n: r.lastIndex};"),
    "iterator": (
        "var p = Object.getPrototypeOf([][Symbol.iterator]());",
        "p.n = (p.n || 0) + 1; return {n: p.n || 1};",
    ),
    "generator": ("var p = Object.getPrototypeOf(function* () {});", "p.n = (p.n || 0) + 1; return {n: p.n || 1};"),
    "shim": ("var p = Buffer;", "p.n = console.n = (p.n || console.n || 0) + 1; return {n: p.n || console.n || 1};"),
    "module": ("var p = require('buffer');", "p.n = (p.n || 0) + 1; return {n: p.n || 1};"),
    "polyfill over a polyfill": (
        "var was = Object.assign.n || 1; Object.assign = function () {}; Object.assign.n = 2;",
        "return {n: was};",
    ),
    "words of errors": (
        "var p = Error;",
        "var was = p.prepareStackTrace ? 2 : 1; p.prepareStackTrace = () => ''; return {n: was};",
    ),
    "not to be extended": (
        "String.prototype.f = 1;",
        "var was = 'x'.f || 2; Object.preventExtensions(String.prototype); return {n: was};",
    ),
    "global not to be extended": (
        "",
        "globalThis.q = 1; var was = globalThis.q || 2; Object.preventExtensions(globalThis); return {n: was};",
    ),
    "inside of what is inherited": (
        "var p = Object.getOwnPropertyDescriptor(Object.prototype, 'toString').set;",
        "p = p && p.prototype || {}; p.n = (p.n || 0) + 1; return {n: p.n};",
    ),
    "what a polyfill is given": (
        (
            "var seen, old = String.prototype.replace; String.prototype.replace = function (given) "
            "{ seen = given; seen.n = (seen.n || 0) + 1; return old.apply(this, arguments); };"
        ),
        "new Date('2020-01-01'); return {n: seen.n};",
    ),
    "error hook": ("var p = Error;", "var was = p.stackTraceLimit || 1; p.stackTraceLimit = 2; return {n: was};"),
}


@pytest.mark.parametrize("what", STATEFUL)
def test_nothing_is_left_from_one_call_to_the_next(what: str) -> None:
    """Whatever a file keeps, at its top level or in the language's own objects: every call begins afresh."""
    before, inside = STATEFUL[what]
    made = codec(f"{before} function Decoder() {{ {inside} }}")
    assert [seen(made) for _ in range(3)] == [{"n": 1}] * 3


def test_calls_share_one_context() -> None:
    """It is used again (that is what makes it fast), also by a file that brings its own polyfills."""
    made = codec(
        "Object.defineProperty(Object, 'assign', {value: (to, more) => ({...to, ...more, own: true}), "
        "configurable: true});"
        "Array.prototype.sum = function () { return this.reduce((a, b) => a + b, 0); };"
        "function Decoder(bytes) { return Object.assign({n: bytes.sum()}, {}); }"
    )
    assert seen(made) == {"n": 265, "own": True}
    first = engine(made)
    assert first is not None
    assert seen(made) == {"n": 265, "own": True}
    assert engine(made) is first


@pytest.mark.parametrize(
    "text",
    [
        "return {data: {n: eval('1 + 1')}};",
        "return {data: {n: new Function('return 2')()}};",
        "Array.prototype.two = function () { return 2; }; return {data: {n: [].two()}};",
        "'use strict'; Math.two = 2; return {data: {n: Math.two}};",
    ],
)
def test_what_needs_an_open_context_gets_one(text: str) -> None:
    """A file that changes the language as it decodes, or makes code from text: each call in a context of its own."""
    made = body(text)
    assert [seen(made) for _ in range(2)] == [{"n": 2}] * 2
    assert engine(made) is None


def test_a_file_may_override_what_objects_inherit() -> None:
    """toString, name and constructor of its own objects and errors, though the language's are frozen."""
    made = body(
        "function P() {} P.prototype.toString = function () { return 'p'; };"
        "function E(m) { this.message = m; this.name = 'Mine'; } E.prototype = Object.create(Error.prototype);"
        "E.prototype.constructor = E; var o = {}; o.toString = function () { return 'o'; };"
        "return {data: {p: '' + new P(), o: '' + o, e: '' + new E('m'), c: new E('').constructor === E}};"
    )
    assert seen(made) == {"p": "p", "o": "o", "e": "Mine: m", "c": True}
    assert engine(made) is not None


# -- hostile files -----------------------------------------------------------------------------------------------------

ENDLESS = {
    "loop": "while (true);",
    "loop that catches": "while (true) { try { while (true); } catch (e) {} finally { continue; } }",
    "regular expression": "return {data: {x: /(a+)+$/.test('a'.repeat(40) + 'b')}};",
    "getter": "return {data: {get x() { while (true); }}};",
    "toJSON": "return {data: {toJSON() { while (true); }}};",
    "error": "throw {get message() { while (true); }};",
    "error that describes itself": "throw {toString() { while (true); }, toJSON() { while (true); }};",
    "error in other words": (
        "try { Object.defineProperty(InternalError.prototype, 'toString', {value: () => 'mine'}); } catch (e) {} "
        "try { Object.prototype[Symbol.toPrimitive] = () => 'mine'; } catch (e) {} while (true);"
    ),
    "before the first await": "(async () => { while (true); })();",
}
HOSTILE = {
    "memory": "var a = []; while (true) a.push('x'.repeat(1000) + a.length);",
    "one large array": "return {data: {x: new Array(1e8).fill(0)}};",
    "huge output": "return {data: {x: 'y'.repeat(1e6)}};",
    "recursion": "return decodeUplink(input);",
    "deep output": "var o = {}; for (var i = 0; i < 1e5; i++) o = {o: o}; return {data: o};",
    "circular output": "var o = {}; o.o = o; return {data: o};",
    "promise": "return (async () => ({data: {}}))();",
    "half a letter": "return {data: {x: JSON.rawJSON('\"\\ud800\"')}};",
    "thenable": "return {then() {}};",
    "prototype of errors": (
        "Error.prototype.toString = Error.prototype[Symbol.toPrimitive] = function () { while (true); }; null.x;"
    ),
    "error hook": "Error.prepareStackTrace = function () { while (true); }; null.x;",
}
FINE = "function decodeUplink(input) { if (input.fPort === 1) return {data: {a: 1}}; %s }"


@pytest.mark.parametrize("what", ENDLESS)
def test_an_endless_program_is_interrupted(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within its time, wherever it hangs; the next call works."""
    monkeypatch.setattr(script_engine, "TIME_LIMIT_S", 0.02)
    made = codec(FINE.replace("%s", ENDLESS[what]))
    with pytest.raises(ScriptTimeout, match="no answer within 20 ms"):
        seen(made)
    assert seen(made, f_port=1) == {"a": 1}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_program_ends_in_an_error(what: str) -> None:
    """An error of the script, not of ours; the next call works."""
    made = codec(FINE.replace("%s", HOSTILE[what]))
    with pytest.raises(ScriptError):
        seen(made)
    assert seen(made, f_port=1) == {"a": 1}


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that takes more and more is ended by that, long before its time is over."""
    monkeypatch.setattr(script_engine, "TIME_LIMIT_S", 20)
    monkeypatch.setattr(script_engine, "MEMORY_BYTES", 4_000_000)
    with pytest.raises(ScriptError, match="out of memory"):
        seen(codec(FINE.replace("%s", HOSTILE["memory"])))


def test_promises_that_nobody_waits_for_pile_up_to_no_end() -> None:
    """What they hold is given back with the context when its memory is used up."""
    made = body(
        "for (var i = 0; i < 300; i++) Promise.resolve('x'.repeat(500) + i).then(() => {}); return {data: {a: 1}};"
    )
    assert all(seen(made) == {"a": 1} for _ in range(200))
    assert sandbox(made).plan().touched is not None


def test_no_io_is_within_reach() -> None:
    """Nothing but the language and our shims stands in the global object."""
    made = body("return {data: {names: Object.getOwnPropertyNames(globalThis)}};")
    names = seen(made)["names"]
    assert isinstance(names, list)
    reach = {"std", "os", "fetch", "setTimeout", "performance", "Atomics", "SharedArrayBuffer", "WeakRef", "process"}
    assert not reach & set(names)
    assert {"Buffer", "TextDecoder", "console", "atob", "btoa", "Date"} <= set(names)


@settings(max_examples=60, deadline=None)
@given(payload=st.binary(max_size=20), f_port=st.integers(1, 255))
def test_any_bytes_give_readings_or_an_error(payload: bytes, f_port: int) -> None:
    """Nothing but DecodeError comes out, and the same bytes give the same."""
    results = []
    for _ in range(2):
        try:
            results.append(repr(CARELESS.decode(f_port, payload, TIME_MS)))
        except DecodeError as error:
            results.append(str(error))
    assert results[0] == results[1]


CARELESS = codec(
    "last = 0; function decodeUplink(input) { for (i = 0; i < input.bytes[0] % 9; i++) last += input.bytes[i + 1];"
    "if (input.bytes[1] > 200) throw new Error('odd'); return {data: {temperature: last, co2: input.bytes[2]}}; }"
)


# -- the breaker -------------------------------------------------------------------------------------------------------


def test_a_codec_that_times_out_three_times_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a minute, then for two; once it answers in time all is forgotten."""
    monkeypatch.setattr(script_engine, "TIME_LIMIT_S", 0.02)
    now_s = [1000.0]
    made = codec(FINE.replace("%s", "while (true);"), clock=lambda: now_s[0])
    for _ in range(3):
        assert made.problem == ""
        with pytest.raises(ScriptTimeout):
            seen(made)
    with pytest.raises(ScriptRefused, match="not asked again for 60 s"):
        seen(made, f_port=1)
    now_s[0] += 61
    with pytest.raises(ScriptTimeout):
        seen(made)
    now_s[0] += 61
    with pytest.raises(ScriptRefused, match="for 59 s"):
        seen(made)
    now_s[0] += 60
    assert seen(made, f_port=1) == {"a": 1}
    with pytest.raises(ScriptTimeout):
        seen(made)
    assert made.problem == ""


def test_an_error_is_no_timeout() -> None:
    """A codec that refuses payloads is asked again and again."""
    made = codec("function Decoder() { throw new Error('no'); }", clock=lambda: 0.0)
    for _ in range(5):
        with pytest.raises(ScriptError, match="no"):
            seen(made)


def test_one_that_times_out_between_good_answers_is_left_alone_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times within a minute are too many; ten within an hour are not."""
    monkeypatch.setattr(script_engine, "TIME_LIMIT_S", 0.005)
    now_s = [1000.0]
    made = codec(FINE.replace("%s", "while (true);"), clock=lambda: now_s[0])

    def ten(apart_s: float) -> None:
        for _ in range(10):
            assert seen(made, f_port=1) == {"a": 1}
            now_s[0] += apart_s
            with pytest.raises(ScriptTimeout):
                seen(made)

    ten(360)
    assert made.problem == ""
    now_s[0] += 60
    ten(5)
    with pytest.raises(ScriptRefused, match="10 times within 60 s; not asked again for 60 s"):
        seen(made, f_port=1)


class Hanging:
    """What must be ended from outside in its first calls."""

    def __init__(self, times: int) -> None:
        self._left = times

    def check(self) -> None:
        """As any."""

    def learn(self) -> None:
        """As any."""

    def ask(self, _: Call) -> str:
        """No answer, or one."""
        self._left -= 1
        if self._left >= 0:
            raise ScriptHung("no answer within 1 s, and it had to be ended")
        return '=u{"data":{"a":1}}'


def test_a_codec_that_hung_is_off_for_a_while_at_once() -> None:
    """A minute after the first time, two after the next; an answer in time makes all good."""
    now_s, hanging = [0.0], Hanging(2)
    made = codec("", clock=lambda: now_s[0], box=lambda _: hanging)
    for pause_s in (60, 120):
        with pytest.raises(ScriptHung):
            seen(made)
        with pytest.raises(ScriptRefused, match=f"had to be ended; not asked again for {pause_s} s"):
            seen(made)
        now_s[0] += pause_s
    assert seen(made) == {"a": 1}
    assert made.problem == ""


# -- downlinks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (
            "function encodeDownlink(input) { return {bytes: [1, input.data.m, input.fPort], fPort: 9}; }",
            (9, b"\1\5\3"),
        ),
        ("function encodeDownlink(input) { return {bytes: [-1]}; }", (3, b"\xff")),
        ("function Encode(fPort, obj, variables) { return [fPort, obj.m]; }", (3, b"\3\5")),
        ("function Encoder(obj, port) { return [obj.m, port]; }", (3, b"\5\3")),
        ("exports.encodeDownlink = (input) => ({bytes: Array.from(Buffer.from('ff', 'hex'))});", (3, b"\xff")),
    ],
)
def test_every_form_of_encoding_is_understood(script: str, expected: tuple[int, bytes]) -> None:
    """The file may choose the port; a byte may be written as a negative number."""
    assert codec(script).encode_downlink({"m": 5}, 3) == Downlink(*expected)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("function Decoder() {}", "no encodeDownlink, Encode or Encoder"),
        ("function Encoder() { return {bytes: [300]}; }", "list of bytes"),
        ("function Encoder() { return 'ff'; }", "list of bytes"),
        ("function Encoder() { return new Array(300).fill(1); }", "300 bytes"),
        ("function encodeDownlink() { return {bytes: [1], fPort: 0}; }", "an fPort of 1 to 255, got 0"),
        ("function encodeDownlink() { return {bytes: [1], fPort: '5'}; }", "an fPort of 1 to 255, got 5"),
        (
            "function encodeDownlink() { var b = Buffer.alloc(2); b.writeUInt16BE(65536); return {bytes: [...b]}; }",
            "65536, expected 0 to 65535",
        ),
        ("function encodeDownlink() { return {errors: ['m is missing']}; }", "m is missing"),
    ],
)
def test_what_is_no_downlink_is_an_error(script: str, message: str) -> None:
    """EncodeError, with the vendor's words."""
    with pytest.raises(EncodeError, match=message):
        codec(script).encode_downlink({}, 3)
    with pytest.raises(EncodeError, match="JSON"):
        codec(script).encode_downlink({"x": float("nan")}, 3)


# -- shims -------------------------------------------------------------------------------------------------------------

EXPRESSIONS: dict[str, object] = {
    "Buffer.from([0, 171]).toString('hex')": "00ab",
    "Buffer.from('00ab', 'hex')[1]": 171,
    "Buffer.from('äö€😀').toString('base64')": "w6TDtuKCrPCfmIA=",
    "Buffer.from('w6TDtuKCrPCfmIA=', 'base64').toString()": "äö€😀",
    "Buffer.from('a-_', 'base64').toString('base64url')": "a-8",
    "Buffer.from([255, 65]).toString('latin1')": "ÿA",
    "Buffer.from([193, 65]).toString('ascii')": "AA",
    "Buffer.from([0xff, 0x41, 0xe2, 0x82]).toString('utf8')": "\ufffdA\ufffd",
    "Buffer.from('hi', 'utf16le').toString('hex')": "68006900",
    "Buffer.from([1, 2, 3]).readUInt16BE(1)": 515,
    "Buffer.from([254, 255]).readInt16LE()": -2,
    "Buffer.from([255, 255, 254]).readIntBE(0, 3)": -2,
    "Buffer.from([1, 2, 3]).readUIntLE(0, 3)": 197121,
    "Buffer.from([0, 0, 128, 63]).readFloatLE(0)": 1,
    "Buffer.from('3ff0000000000000', 'hex').readDoubleBE()": 1,
    "Buffer.from('0000000000000102', 'hex').readBigUInt64BE()": 258,
    "Buffer.from([1, 2, 3]).readUint8(2)": 3,
    "Buffer.from([1, 2, 3]).slice(1).toString('hex')": "0203",
    "Buffer.isBuffer(Buffer.from([1, 2]).subarray(1))": True,
    "Buffer.concat([Buffer.from([1]), Buffer.from([2])]).equals(Buffer.from([1, 2]))": True,
    "Buffer.alloc(4).fill('ab').toString()": "abab",
    "Buffer.byteLength('€')": 3,
    (
        "(() => { const b = Buffer.alloc(7); b.writeInt16BE(-2, 0); b.writeUInt32LE(1, 2); "
        "b.writeIntLE(-1, 6, 1); return b.toString('hex'); })()"
    ): "fffe01000000ff",
    "new Buffer([1, 2]).length": 2,
    "new Buffer(2).toString('hex')": "0000",
    "Buffer.from([1, 2, 3]).toString('hex', -2, 2)": "0102",
    "Buffer.from([1, 2]).readUintBE(0, 2)": 258,
    "Buffer.alloc(4).fill(Buffer.from([1, 2])).toString('hex')": "01020102",
    "Buffer.from([1, 2, 3, 4]).swap32().readUInt32LE()": 0x01020304,
    "Buffer.from('abcabc').lastIndexOf('bc')": 4,
    "Buffer.from('abcabc').indexOf('6263', -3, 'hex')": 4,
    "Buffer.alloc(8).writeBigInt64BE(-2n, 0)": 8,
    "(() => { const t = Buffer.alloc(3); return [Buffer.from([1, 2, 3]).copy(t, 1, 1), ...t]; })()": [2, 0, 2, 3],
    "Buffer.from(new String('ab')).toString()": "ab",
    "Buffer('00ff', 'hex')[1]": 255,
    "Buffer.from('abc').indexOf('c')": 2,
    "Buffer.from(new Uint8Array([1, 2]).buffer, 1).length": 1,
    "require('buffer').Buffer === Buffer": True,
    "JSON.stringify(Buffer.from([1]))": '{"type":"Buffer","data":[1]}',
    "atob(btoa('hi'))": "hi",
    "btoa('\\xff')": "/w==",
    "new TextDecoder().decode(new Uint8Array([0xe2, 0x82, 0xac]))": "€",
    "new TextDecoder('latin1').decode(Uint8Array.of(228))": "ä",
    "new TextEncoder().encode('€').length": 3,
    "Date.now()": TIME_MS,
    "new Date().toISOString()": "2027-01-15T08:00:00.000Z",
    "new Date(2020, 0, 1).toISOString()": "2020-01-01T00:00:00.000Z",
    "new Date('2020-06-01T12:00:00').getHours()": 12,
    "new Date().getTimezoneOffset()": 0,
    "String(new Date(0))": "Thu Jan 01 1970 00:00:00 GMT+0000",
    "new Date(0).toLocaleTimeString()": "12:00:00 AM",
    "new (class extends Date {})(0).getTime()": 0,
    "12345678901234567890n": 12345678901234567000,
    "NaN": None,
}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_shims_do_as_the_originals(expression: str) -> None:
    """Buffer as in Node, TextDecoder as in browsers; the clock stands at the uplink's time, in UTC."""
    made = body(f"return {{data: {{x: {expression}}}}};")
    assert seen(made) == {"x": EXPRESSIONS[expression]}
    assert engine(made) is not None


@pytest.mark.parametrize(
    "expression",
    [
        "Buffer.from([1]).readUInt16LE(0)",
        "Buffer.from([1]).readUIntBE(0, 7)",
        "atob('!')",
        "require('fs')",
        "new TextDecoder('x')",
        "Buffer.from([1]).toString('x')",
        "Buffer.from(undefined)",
        "Buffer.from({})",
        "Buffer.from(5)",
        "Buffer.from([1]).swap16()",
        "Buffer.alloc(2).writeInt16LE(32768)",
        "Buffer.alloc(2).writeUInt8(-1)",
        "Buffer.alloc(3).writeIntBE(-8388609, 0, 3)",
        "Buffer.alloc(3).writeUIntLE(16777216, 0, 3)",
        "Buffer.alloc(8).writeBigInt64LE(2n ** 63n)",
    ],
)
def test_shims_refuse_what_the_originals_refuse(expression: str) -> None:
    """Beyond the end, and what is not known."""
    with pytest.raises(ScriptError):
        seen(body(f"return {{data: {{x: {expression}}}}};"))


def test_what_is_said_on_the_console_is_kept_in_bounds() -> None:
    """Twenty lines of three hundred letters; of the last call only."""
    made = body(
        "if (input.fPort === 1) for (var i = 0; i < 99; i++) console.log('n', i, {a: 'x'.repeat(999)}); "
        "return {data: {}};"
    )
    seen(made, f_port=1)
    assert len(made.console) == 20
    assert made.console[3].startswith('n 3 {"a":"xx')
    assert len(made.console[3]) == 300
    seen(made, f_port=2)
    assert made.console == ()


def test_literals_are_read_as_javascript_reads_them() -> None:
    """Comments, hexadecimal numbers, commas at the end; anything else is an error."""
    assert literal("\ufeff[ // one\n {'a': 0x1F, b: [1,], /* two */ c: undefined},];\n") == [{"a": 31, "b": [1]}]
    for text in ("[{", "", "undefined", "while (1);", "(() => { while (1); })()", "null.x", "\0"):
        with pytest.raises(ScriptError):
            literal(text)


def test_plain_json_stays_what_it_is() -> None:
    """Whatever JSON can say comes out of a literal the same."""
    value = {"a": [1, -2.5, True, None, "ü\u2028😀"], "": {}}
    assert literal(json.dumps(value)) == value


@pytest.mark.parametrize("thrown", ["'a\\nb'", "'\\ud800'", "String", "{name: '\\u0007', message: '\\u2028'}"])
def test_what_a_file_throws_becomes_one_printable_line(thrown: str) -> None:
    """Whatever a vendor's text holds: it must fit into a log, a journal and a terminal."""
    for made in (body(f"throw {thrown};"), codec(f"throw {thrown}; function Decoder() {{}}")):
        with pytest.raises(ScriptError) as error:
            made.decode(1, b"", TIME_MS)
        assert str(error.value).isprintable()
