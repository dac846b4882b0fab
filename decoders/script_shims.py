"""What a vendor's JavaScript finds around itself beyond the language: Buffer, TextDecoder, console, a settled clock.

Buffer follows Node's (nodejs.org/api/buffer.html), TextDecoder and TextEncoder the WHATWG Encoding Standard, both for
the encodings that payload codecs use. `Date` knows one moment only, that of the uplink, and one time zone, UTC;
`Math.random` gives the same numbers in every call: the same uplink decodes to the same readings, whenever and wherever.
"""

SHIMS = r"""
(function () {
"use strict";
const MAX_LINES = 20, MAX_LETTERS = 300;
const define = (target, name, value) =>
  Object.defineProperty(target, name, {value, writable: true, enumerable: false, configurable: true});
for (const name of ["Atomics", "FinalizationRegistry", "SharedArrayBuffer", "WeakRef", "performance", "queueMicrotask"])
  delete globalThis[name];
// Behind these two the engine keeps a value, which freezing would not reach.
delete Error.prepareStackTrace;
delete Error.stackTraceLimit;

// -- text and bytes ------------------------------------------------------------------------------

function utf8Bytes(text) {
  const out = [];
  for (const letter of text) {
    let c = letter.codePointAt(0);
    if (c >= 0xd800 && c <= 0xdfff) c = 0xfffd;
    if (c < 0x80) out.push(c);
    else if (c < 0x800) out.push(0xc0 | c >> 6, 0x80 | c & 63);
    else if (c < 0x10000) out.push(0xe0 | c >> 12, 0x80 | c >> 6 & 63, 0x80 | c & 63);
    else out.push(0xf0 | c >> 18, 0x80 | c >> 12 & 63, 0x80 | c >> 6 & 63, 0x80 | c & 63);
  }
  return out;
}

function utf8Text(bytes, fatal) {
  let out = "";
  for (let i = 0; i < bytes.length;) {
    const lead = bytes[i++];
    if (lead < 0x80) { out += String.fromCharCode(lead); continue; }
    const more = lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    let code = lead & (0x3f >> more), taken = 0;
    let low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    let high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    while (taken < more && bytes[i] >= low && bytes[i] <= high) {
      code = code << 6 | bytes[i++] & 63;
      taken++; low = 0x80; high = 0xbf;
    }
    if (more === 0 || taken < more) {
      if (fatal) throw new TypeError("not UTF-8");
      out += "\ufffd";
    } else out += String.fromCodePoint(code);
  }
  return out;
}

function latin1Text(bytes, mask) {
  let out = "";
  for (let i = 0; i < bytes.length; i++) out += String.fromCharCode(bytes[i] & mask);
  return out;
}

function utf16Text(bytes) {
  let out = "";
  for (let i = 0; i + 1 < bytes.length; i += 2) out += String.fromCharCode(bytes[i] | bytes[i + 1] << 8);
  return out;
}

function utf16Bytes(text) {
  const out = [];
  for (let i = 0; i < text.length; i++) out.push(text.charCodeAt(i) & 255, text.charCodeAt(i) >> 8);
  return out;
}

function hexText(bytes) {
  let out = "";
  for (let i = 0; i < bytes.length; i++) out += (bytes[i] < 16 ? "0" : "") + bytes[i].toString(16);
  return out;
}

function hexBytes(text) {
  const out = [];
  for (let i = 0; i + 1 < text.length; i += 2) {
    const pair = text.slice(i, i + 2);
    if (!/^[0-9a-fA-F]{2}$/.test(pair)) break;
    out.push(parseInt(pair, 16));
  }
  return out;
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function base64Text(bytes) {
  let out = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const word = bytes[i] << 16 | (left > 1 ? bytes[i + 1] : 0) << 8 | (left > 2 ? bytes[i + 2] : 0);
    out += LETTERS[word >> 18] + LETTERS[word >> 12 & 63];
    out += (left > 1 ? LETTERS[word >> 6 & 63] : "=") + (left > 2 ? LETTERS[word & 63] : "=");
  }
  return out;
}

function base64Bytes(text, strict) {
  const out = [];
  let word = 0, bits = 0;
  for (const letter of text) {
    if (letter === "=" || strict && /\s/.test(letter)) continue;
    const value = LETTERS.indexOf(letter === "-" && !strict ? "+" : letter === "_" && !strict ? "/" : letter);
    if (value < 0) {
      if (strict) throw new RangeError("not base64");
      continue;
    }
    word = (word << 6 | value) & 0xffffff;
    bits += 6;
    if (bits >= 8) { bits -= 8; out.push(word >> bits & 255); }
  }
  return out;
}

const ENCODINGS = {
  __proto__: null,
  "utf8": [utf8Bytes, (bytes) => utf8Text(bytes, false)],
  "hex": [hexBytes, hexText],
  "base64": [base64Bytes, base64Text],
  "base64url": [base64Bytes, (bytes) => base64Text(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "")],
  "latin1": [(text) => Array.from(text, (letter) => letter.charCodeAt(0) & 255), (bytes) => latin1Text(bytes, 255)],
  "ascii": [(text) => Array.from(text, (letter) => letter.charCodeAt(0) & 255), (bytes) => latin1Text(bytes, 127)],
  "utf16le": [utf16Bytes, utf16Text],
};
ENCODINGS["utf-8"] = ENCODINGS.utf8;
ENCODINGS.binary = ENCODINGS.latin1;
ENCODINGS.ucs2 = ENCODINGS["ucs-2"] = ENCODINGS["utf-16le"] = ENCODINGS.utf16le;

function encoding(name) {
  const found = ENCODINGS[String(name === undefined ? "utf8" : name).toLowerCase()];
  if (found === undefined) throw new TypeError("Unknown encoding: " + name);
  return found;
}

define(globalThis, "btoa", function btoa(text) {
  return base64Text(Array.from(String(text), (letter) => {
    const code = letter.charCodeAt(0);
    if (letter.length > 1 || code > 255) throw new RangeError("btoa: not Latin-1");
    return code;
  }));
});
define(globalThis, "atob", function atob(text) { return latin1Text(base64Bytes(String(text), true), 255); });

// -- Buffer --------------------------------------------------------------------------------------

function parts(value, second, third) {
  if (value instanceof String) value = String(value);
  if (typeof value === "string") return [encoding(second)[0](value)];
  if (value instanceof ArrayBuffer) return third === undefined ? [value, second] : [value, second, third];
  if (typeof value === "object" && value !== null) {
    if (value.type === "Buffer") value = value.data;
    if (typeof value.length === "number") return [value];
  }
  throw new TypeError("Buffer: expected text, a list of bytes, a buffer");
}

class Bytes extends Uint8Array {
  static from(value, second, third) { return new Bytes(...parts(value, second, third)); }
  static of(...items) { return new Bytes(items); }
  static alloc(size, fill, name) {
    const made = new Bytes(size);
    return fill === undefined ? made : made.fill(fill, 0, size, name);
  }
  static allocUnsafe(size) { return new Bytes(size); }
  static isBuffer(value) { return value instanceof Bytes; }
  static isEncoding(name) { return String(name).toLowerCase() in ENCODINGS; }
  static byteLength(value, name) {
    return typeof value === "string" ? encoding(name)[0](value).length : value.byteLength;
  }
  static compare(one, other) { return Bytes.prototype.compare.call(one, other); }
  static concat(list, total) {
    let length = 0;
    for (const item of list) length += item.length;
    const made = new Bytes(total === undefined ? length : total);
    let at = 0;
    for (const item of list) for (let i = 0; i < item.length && at < made.length; i++) made[at++] = item[i];
    return made;
  }
  toString(name, start, end) { return encoding(name)[1](range(this, start, end)); }
  toLocaleString(name, start, end) { return this.toString(name, start, end); }
  toJSON() { return {type: "Buffer", data: Array.from(this)}; }
  slice(start, end) { return this.subarray(start, end); }
  equals(other) { return this.compare(other) === 0; }
  compare(other) {
    const common = Math.min(this.length, other.length);
    for (let i = 0; i < common; i++) if (this[i] !== other[i]) return this[i] < other[i] ? -1 : 1;
    return Math.sign(this.length - other.length);
  }
  copy(target, at, start, end) {
    const begin = at || 0, from = range(this, start, end).subarray(0, Math.max(0, target.length - begin));
    target.set(from, Math.min(begin, target.length));
    return from.length;
  }
  write(text, at, length, name) {
    if (typeof at === "string") { name = at; at = 0; length = undefined; }
    if (typeof length === "string") { name = length; length = undefined; }
    const begin = at || 0, bytes = encoding(name)[0](text);
    const count = Math.min(bytes.length, this.length - begin, length === undefined ? bytes.length : length);
    for (let i = 0; i < count; i++) this[begin + i] = bytes[i];
    return count;
  }
  fill(value, start, end, name) {
    if (typeof value !== "string" && !ArrayBuffer.isView(value)) return super.fill(value, start, end);
    const bytes = typeof value !== "string" ? value : encoding(typeof start === "string" ? start : name)[0](value);
    const stop = end === undefined ? this.length : end;
    const begin = typeof start === "number" ? start : 0;
    for (let i = begin; i < stop && bytes.length; i++) this[i] = bytes[(i - begin) % bytes.length];
    return this;
  }
  indexOf(value, from, name) {
    if (typeof from === "string") { name = from; from = 0; }
    const wanted = sought(value, name), last = this.length - wanted.length;
    for (let i = from < 0 ? Math.max(0, from + this.length) : from || 0; i <= last; i++)
      if (standsAt(this, wanted, i)) return i;
    return -1;
  }
  lastIndexOf(value, from, name) {
    if (typeof from === "string") { name = from; from = undefined; }
    const wanted = sought(value, name), last = this.length - wanted.length;
    for (let i = from === undefined ? last : Math.min(last, from < 0 ? from + this.length : from); i >= 0; i--)
      if (standsAt(this, wanted, i)) return i;
    return -1;
  }
  includes(value, from, name) { return this.indexOf(value, from, name) >= 0; }
  swap16() { return swapped(this, 2); }
  swap32() { return swapped(this, 4); }
  swap64() { return swapped(this, 8); }
  readUIntBE(at, size) {
    inside(this, at, size);
    let n = 0;
    for (let i = 0; i < size; i++) n = n * 256 + this[at + i];
    return n;
  }
  readUIntLE(at, size) {
    inside(this, at, size);
    let n = 0;
    for (let i = size; i > 0;) n = n * 256 + this[at + --i];
    return n;
  }
  readIntBE(at, size) { return signed(this.readUIntBE(at, size), size); }
  readIntLE(at, size) { return signed(this.readUIntLE(at, size), size); }
  writeUIntBE(value, at, size) {
    inside(this, at, size);
    within(value, 0, 2 ** (8 * size) - 1);
    for (let i = size; i > 0; value = Math.floor(value / 256)) this[at + --i] = value % 256;
    return at + size;
  }
  writeUIntLE(value, at, size) {
    inside(this, at, size);
    within(value, 0, 2 ** (8 * size) - 1);
    for (let i = 0; i < size; value = Math.floor(value / 256)) this[at + i++] = value % 256;
    return at + size;
  }
  writeIntBE(value, at, size) { return this.writeUIntBE(unsigned(value, size), at, size); }
  writeIntLE(value, at, size) { return this.writeUIntLE(unsigned(value, size), at, size); }
}
for (const name of ["UIntBE", "UIntLE"]) {
  define(Bytes.prototype, "read" + name.replace("I", "i"), Bytes.prototype["read" + name]);
  define(Bytes.prototype, "write" + name.replace("I", "i"), Bytes.prototype["write" + name]);
}

function range(bytes, start, end) {
  return Uint8Array.prototype.subarray.call(bytes, Math.max(0, start || 0), end < 0 ? 0 : end);
}
function sought(value, name) {
  return typeof value === "number" ? [value & 255] : typeof value === "string" ? encoding(name)[0](value) : value;
}
function standsAt(bytes, wanted, at) {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}
function swapped(bytes, size) {
  if (bytes.length % size) throw new RangeError("Buffer size must be a multiple of " + 8 * size + "-bits");
  for (let i = 0; i < bytes.length; i += size) Uint8Array.prototype.subarray.call(bytes, i, i + size).reverse();
  return bytes;
}

function inside(bytes, at, size) {
  if (!(Number.isInteger(at) && at >= 0 && size >= 1 && size <= 6 && at + size <= bytes.length))
    throw new RangeError("Attempt to access memory outside buffer bounds");
}
function signed(value, size) { return value >= 2 ** (8 * size - 1) ? value - 2 ** (8 * size) : value; }
function within(value, least, most) {
  if (value < least || value > most)
    throw new RangeError("The value of \"value\" is out of range: " + value + ", expected " + least + " to " + most);
}
function unsigned(value, size) {
  within(value, -(2 ** (8 * size - 1)), 2 ** (8 * size - 1) - 1);
  return value < 0 ? value + 2 ** (8 * size) : value;
}
function view(bytes, at, size) {
  if (!(Number.isInteger(at) && at >= 0 && at + size <= bytes.length))
    throw new RangeError("Attempt to access memory outside buffer bounds");
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
function numbers(name, kind, size) {
  const get = DataView.prototype["get" + kind], set = DataView.prototype["set" + kind];
  // Of a BigInt with a bound that is one, too: the engine compares those below zero with numbers wrongly.
  const edge = kind.startsWith("Big") ? BigInt : Number, whole = kind.includes("nt");
  const least = edge(kind.includes("Uint") ? 0 : -(2 ** (8 * size - 1)));
  const most = least + edge(2 ** (8 * size)) - edge(1);
  for (const [end, little] of size === 1 ? [["", true]] : [["LE", true], ["BE", false]]) {
    for (const word of new Set([name, name.replace("UInt", "Uint")])) {
      define(Bytes.prototype, "read" + word + end, function (at = 0) {
        return get.call(view(this, at, size), at, little);
      });
      define(Bytes.prototype, "write" + word + end, function (value, at = 0) {
        if (whole) within(value, least, most);
        set.call(view(this, at, size), at, value, little);
        return at + size;
      });
    }
  }
}
for (const [name, kind, size] of [
  ["Int8", "Int8", 1], ["UInt8", "Uint8", 1], ["Int16", "Int16", 2], ["UInt16", "Uint16", 2], ["Int32", "Int32", 4],
  ["UInt32", "Uint32", 4], ["BigInt64", "BigInt64", 8], ["BigUInt64", "BigUint64", 8], ["Float", "Float32", 4],
  ["Double", "Float64", 8],
]) numbers(name, kind, size);

function Buffer(value, second, third) {
  const given = typeof value === "number" ? [value] : parts(value, second, third);
  return Reflect.construct(Bytes, given, new.target || Bytes);
}
Object.setPrototypeOf(Buffer, Bytes);
Object.defineProperty(Buffer, "prototype", {value: Bytes.prototype});
define(Bytes.prototype, "constructor", Buffer);
define(globalThis, "Buffer", Buffer);

define(globalThis, "TextDecoder", class TextDecoder {
  constructor(label = "utf-8", options = {}) {
    const name = String(label).trim().toLowerCase();
    const known = {__proto__: null, "utf-8": "utf-8", "utf8": "utf-8", "ascii": "latin1", "us-ascii": "latin1",
      "latin1": "latin1", "iso-8859-1": "latin1", "windows-1252": "latin1", "utf-16le": "utf-16le",
      "utf-16": "utf-16le"};
    if (!(name in known)) throw new RangeError("TextDecoder: unknown encoding " + label);
    this.encoding = known[name];
    this.fatal = Boolean(options.fatal);
    this.ignoreBOM = Boolean(options.ignoreBOM);
  }
  decode(input) {
    if (input === undefined) return "";
    const bytes = ArrayBuffer.isView(input) ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
      : input instanceof ArrayBuffer ? new Uint8Array(input) : Uint8Array.from(input);
    const text = this.encoding === "utf-8" ? utf8Text(bytes, this.fatal)
      : this.encoding === "latin1" ? latin1Text(bytes, 255) : utf16Text(bytes);
    return !this.ignoreBOM && this.encoding !== "latin1" && text[0] === "\ufeff" ? text.slice(1) : text;
  }
});
define(globalThis, "TextEncoder", class TextEncoder {
  get encoding() { return "utf-8"; }
  encode(text = "") { return Uint8Array.from(utf8Bytes(String(text))); }
});
define(BigInt.prototype, "toJSON", function toJSON() { return Number(this); });

// -- console, clock, chance ----------------------------------------------------------------------

let lines = null, now = 0, seed = 1;
const toJson = JSON.stringify;

function say(...items) {
  if (lines === null) lines = [];
  if (lines.length >= MAX_LINES) return;
  let text = "";
  for (const item of items) {
    const word = typeof item === "string" ? item : typeof item === "object" ? toJson(item) : String(item);
    text += (text === "" ? "" : " ") + String(word).slice(0, MAX_LETTERS);
  }
  lines[lines.length] = text.slice(0, MAX_LETTERS);
}
const console = {};
for (const name of ["log", "info", "warn", "error", "debug", "trace", "dir", "table"]) define(console, name, say);
for (const name of ["count", "group", "groupCollapsed", "groupEnd", "time", "timeEnd", "timeLog"])
  define(console, name, () => {});
define(console, "assert", (holds, ...items) => { if (!holds) say(...items); });
define(globalThis, "console", console);

const RealDate = Date;
// The expression is made anew each time: a file's own `replace` sees it, and could keep something in it.
const zoned = (text) => text.replace(/^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)$/, "$1T$2Z");
const moment = RealDate.prototype;
const utcText = moment.toUTCString, offset = moment.getTimezoneOffset, milliseconds = moment.getTime;
function words(date) { return utcText.call(date).replace(",", "").split(" "); }
function SettledDate(...given) {
  if (new.target === undefined) return new SettledDate().toString();
  const arguments_ = given.length === 0 ? [now] : given.length > 1 ? [RealDate.UTC(...given)]
    : typeof given[0] === "string" ? [zoned(given[0])] : given;
  return Reflect.construct(RealDate, arguments_, new.target);
}
Object.defineProperty(SettledDate, "prototype", {value: moment});
Object.defineProperty(SettledDate, "name", {value: "Date"});
Object.defineProperty(SettledDate, "length", {value: 7});
define(SettledDate, "UTC", RealDate.UTC);
define(SettledDate, "parse", function parse(text) { return RealDate.parse(zoned(String(text))); });
define(SettledDate, "now", function clock() { return now; });
define(moment, "constructor", SettledDate);
for (const part of ["FullYear", "Month", "Date", "Day", "Hours", "Minutes", "Seconds", "Milliseconds"]) {
  define(moment, "get" + part, moment["getUTC" + part]);
  if (part !== "Day") define(moment, "set" + part, moment["setUTC" + part]);
}
define(moment, "getYear", function getYear() { return this.getUTCFullYear() - 1900; });
define(moment, "getTimezoneOffset", function getTimezoneOffset() { return isNaN(milliseconds.call(this)) ? NaN : 0; });
define(moment, "toDateString", function toDateString() {
  const [weekday, day, month, year] = words(this);
  return isNaN(milliseconds.call(this)) ? "Invalid Date" : [weekday, month, day, year].join(" ");
});
define(moment, "toTimeString", function toTimeString() {
  return isNaN(milliseconds.call(this)) ? "Invalid Date" : words(this)[4] + " GMT+0000";
});
define(moment, "toString", function toString() {
  return isNaN(milliseconds.call(this)) ? "Invalid Date" : this.toDateString() + " " + this.toTimeString();
});
for (const name of ["toLocaleString", "toLocaleDateString", "toLocaleTimeString"]) {
  const local = moment[name];
  define(moment, name, function (...given) {
    const time = milliseconds.call(this);
    return local.apply(new RealDate(isNaN(time) ? NaN : time + offset.call(this) * 60000), given);
  });
}
define(globalThis, "Date", SettledDate);
define(Math, "random", function random() {
  seed = seed + 0x6d2b79f5 | 0;
  let mixed = Math.imul(seed ^ seed >>> 15, 1 | seed);
  mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
  return ((mixed ^ mixed >>> 14) >>> 0) / 4294967296;
});

const {TextDecoder, TextEncoder} = globalThis;
const modules = {__proto__: null, buffer: {Buffer}, util: {TextDecoder, TextEncoder}};
function require(name) {
  const found = modules[String(name).replace(/^node:/, "")];
  if (found === undefined) throw new Error("require: there is no module " + name);
  return found;
}
return {
  require,
  hidden: [RealDate, require, modules.buffer, modules.util, Bytes],
  begin(time) { lines = null; now = time; seed = 1; },
  said() { return lines; },
  moment(time) { return new RealDate(time); },
};
})()
"""
