"""JavaScript as vendors write it, and as nobody should: files to begin with, and the grammar others are drawn from."""

from collections.abc import Mapping
from random import Random

BODY = "{temperature: ((b[0] << 8 | b[1]) << 16 >> 16) / 10, humidity: b[2], batV: port / 50}"
WRAPPED = f"{{data: {BODY}}}"
SCRIPTS: Mapping[str, str] = {
    "chirpstack": "function decodeUplink(input) { var b = input.bytes, port = input.fPort; return " + WRAPPED + "; }",
    "decode": "function Decode(port, b, variables) { return " + BODY + "; }",
    "decoder": "function Decoder(b, port) { return " + BODY + "; }",
    "exports": "exports.decodeUplink = (input) => { const b = input.bytes, port = 1; return " + WRAPPED + "; };",
    "tlv": """
function decodeUplink(input) {
  var d = {}, b = input.bytes, i = 0;
  while (i < b.length) {
    switch (b[i++]) {
      case 1: d.temperature = ((b[i] & 0x80 ? 0xFFFF << 16 : 0) | b[i] << 8 | b[i + 1]) / 10; i += 2; break;
      case 2: d.humidity = b[i++]; break;
      case 3: d["ch" + b[i]] = d["ch" + b[i++]] || []; break;
      default: throw new Error("type " + b[i - 1] + " at " + i);
    }
  }
  return {data: d, warnings: i > b.length ? ["short"] : []};
}
""",
    "buffer": """
function Decoder(bytes, port) {
  var b = Buffer.from(bytes);
  return {temperature: b.readInt16BE(0) / 100, tvoc: b.readUInt8(2), text: b.toString("hex", 1),
    word: new TextDecoder().decode(Uint8Array.from(bytes)), code: btoa(String.fromCharCode.apply(null, bytes))};
}
""",
    "keeps": """
var seen = [], total = 0;
function decodeUplink(input) {
  seen.push(input.bytes.length); total += seen.length;
  if (typeof leak === "undefined") leak = 0; else leak++;
  if (!Array.prototype.last) Array.prototype.last = function () { return this[this.length - 1]; };
  console.log(total, leak, input.recvTime.toISOString(), Math.random());
  return {data: {co2: total, humidity: leak, temperature: seen.last(), at: Date.now(), r: Math.random()}};
}
""",
    "hostile": """
function decodeUplink(input) {
  var b = input.bytes;
  switch (b[0] % 12) {
    case 0: Object.prototype.temperature = 4; return {data: {a: 1}};
    case 1: return {data: {get temperature() { throw null; }}};
    case 2: return new Proxy({}, {get() { return b.length; }, ownKeys() { return ["data"]; }});
    case 3: return {data: {temperature: {toJSON() { return NaN; }}, humidity: {value: b[1], unit: "%"}}};
    case 4: throw {name: Symbol("x"), message: {toString() { return b; }}};
    case 5: JSON.stringify = function () { return "x"; }; return {data: {humidity: b[1]}};
    case 6: return {data: JSON.parse("[".repeat(b[1] * 4) + "]".repeat(b[1] * 4))};
    case 7: return {data: {temperature: "9".repeat(b[1] * 20), humidity: 1e308 * b[2]}};
    case 8: (function f(n) { return n ? f(n - 1) : 0; })(b[1] * 200); return {data: {co2: b[1]}};
    case 9: Array.prototype[1] = b[1]; return {data: {__proto__: {co2: b[1]}, "\\ud800": "\\udfff"}};
    case 10: Reflect.setPrototypeOf(globalThis, {x: 1}); return {data: {humidity: b[1]}};
    default: return {data: {t: "x".repeat(b[1] * 4000), humidity: b[2]}};
  }
}
""",
}
NAMES = (
    "b",
    "d",
    "i",
    "x",
    "input",
    "input.fPort",
    "Math",
    "Object",
    "Array.prototype",
    "globalThis",
    "String",
    "JSON",
)
LITERALS = (
    *("0", "1", "255", "-1", "1e308", "0x7f", "NaN", "Infinity", "null", "undefined", "true", "10n", '"temperature"'),
    *(
        '"\\ud800"',
        '"x\\u0000"',
        '""',
        "`a${1}`",
        "/^(a+)+$/",
        "[]",
        "{}",
        "[1,2,3]",
        "[,]",
        "Symbol('s')",
        "new Date()",
    ),
    *("{temperature: 1}", "{data: {humidity: 2}}", "{get a() { return 1; }}", "(() => 1)", "new Map([[1, 2]])"),
)
UNARY = ("-%s", "!%s", "~%s", "typeof %s", "void %s", "(%s)", "%s.length", "%s[0]", "%s?.x", "String(%s)", "Number(%s)")
BINARY = (
    *(
        "%s + %s",
        "%s - %s",
        "%s * %s",
        "%s / %s",
        "%s %% %s",
        "%s << %s",
        "%s >>> %s",
        "%s & %s",
        "%s | %s",
        "%s ?? %s",
    ),
    *("%s < %s", "%s === %s", "%s == %s", "%s && %s", "%s in Object(%s)", "[%s, ...[%s]]", "(%s, %s)", "%s[%s]"),
    *("Object.assign(Object(%s), %s)", "Reflect.get(Object(%s), %s)", "parseInt(%s, %s)", "%s.concat(%s)"),
    *("Buffer.from([%s]).toString(%s)", "atob(%s) + btoa(%s)", "new Proxy(Object(%s), Object(%s))", "{a: %s, b: %s}"),
)
STATEMENTS = (
    *("d.temperature = %s;", "d.humidity = %s;", "d[%s] = 1;", "x = %s;", "var x = %s;", "console.log(%s);"),
    *(
        "if (%s) i++;",
        "for (i = 0; i < b.length; i++) d['c' + i] = %s;",
        "throw %s;",
        "return %s;",
        "return {data: %s};",
    ),
    *("try { d.co2 = %s; } catch (e) { d.e = e; }", "for (var k in %s) d[k] = k;", "while (%s) { i++; break; }"),
    *("Object.prototype.x = %s;", "Array.prototype.map = %s;", "globalThis.y = %s;", "JSON.parse = %s;", "d = %s;"),
    *(
        "Object.defineProperty(d, 'co2', {get() { return %s; }});",
        "delete Object(%s).x;",
        "function f() { return %s; }",
    ),
    *("switch (%s) { case 0: break; default: i--; }", "label: for (;;) { x = %s; break label; }", "eval(%s);"),
    *("d.f = new Function(%s);", "d.toJSON = () => %s;", "Date.now = () => %s;", "Math.random = () => %s;"),
    *(
        "while (1) x = %s;",
        "x = 'a'.repeat(1e7) + %s;",
        "Object.freeze(%s);",
        "d.d = d; x = %s;",
        "module.exports = %s;",
    ),
)
FRAMES: tuple[str, ...] = (
    "function decodeUplink(input) { var b = input.bytes, d = {}, i = 0, x; %s return {data: d}; }",
    "function Decode(fPort, b, input) { var d = {}, i = fPort, x; %s return d; }",
    "function Decoder(b, input) { let d = {}, i = 0, x = 1; %s return d; }",
    "var d = {}, i = 0, b = [], x; exports.decodeUplink = (input) => { b = input.bytes; %s return {data: d}; };",
    "'use strict'; const decodeUplink = ({bytes: b}) => { let d = {}, i = 0, x, input = b; %s return {data: d}; };",
    "var b = [1], d = {}, i = 0, x, input = {}; (function () { %s })(); function Decoder() { return {humidity: 1}; }",
)
DEEPEST = 3
MOST_STATEMENTS = 6


def script(random: Random) -> str:
    """A whole file: one of the forms, with statements in its function."""
    count = random.randint(1, MOST_STATEMENTS)
    return random.choice(FRAMES).replace("%s", " ".join(statement(random) for _ in range(count)))


def statement(random: Random) -> str:
    """One statement, mostly of what vendors write."""
    return random.choice(STATEMENTS) % expression(random)


def expression(random: Random, depth: int = DEEPEST) -> str:
    """An expression that nests as deep at most."""
    match random.randint(0, 5) if depth else 0:
        case 0:
            return random.choice(LITERALS)
        case 1:
            return random.choice(NAMES)
        case 2 | 3:
            return random.choice(UNARY) % expression(random, depth - 1)
        case _:
            return random.choice(BINARY) % (expression(random, depth - 1), expression(random, depth - 1))
