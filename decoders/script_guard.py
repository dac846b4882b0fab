"""The one function through which a vendor's JavaScript is called, and what keeps a context clean between two calls.

A file is wrapped into a function that is run anew for every call, so what it keeps at its top level begins afresh. What
is left is what all calls share: the language's own objects. They are frozen, but for those properties that the file
itself replaces as it is loaded (polyfills); these, and the global object, are put back after every call.

`enter(kind, factory, text, f_port, time_ms, variables)` answers with one line, and a second one (a list of texts) if
something was said on the console:

* `learn`: what the file changes as it is loaded; JSON {problem, forms, touched};
* `seal`: freeze everything but what `text`, a list of [object, property], names; object is the place in the walk;
* `harden`: freeze only what the way back to us goes through, for a context that is used once;
* `decode`, `encode`: "=", the form (u: one object in and out, d: bare values) and the result as JSON, or "!" and the
  error as a JSON text, or "?" for a context that cannot be put back and must be dropped.

An error that escapes from `enter` is the engine's: the time is over, or nothing is left to describe an error with.
"""

GUARD = r"""
(function (control) {
"use strict";
const MAX_OUTPUT = 256000, MAX_TOUCHED = 64, MAX_ERROR = 500;
const {ownKeys, getOwnPropertyDescriptor, defineProperty, deleteProperty, getPrototypeOf} = Reflect;
const {preventExtensions, isExtensible, apply} = Reflect;
const freeze = Object.freeze, same = Object.is, parse = JSON.parse, stringify = JSON.stringify, text_ = String;
const slice = String.prototype.slice, join = Array.prototype.join;
const NAMES = ["decodeUplink", "Decode", "Decoder", "encodeDownlink", "Encode", "Encoder"];
const ERRORS = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, InternalError,
  AggregateError];
const TO_PRIMITIVE = Symbol.toPrimitive;

// -- everything that calls share -----------------------------------------------------------------

const objects = [globalThis], seen = new Map([[globalThis, 0]]);

function meet(value) {
  if ((typeof value !== "object" || value === null) && typeof value !== "function" || seen.has(value)) return;
  seen.set(value, objects.length);
  objects.push(value);
}
function walk() {
  for (const hidden of [
    function* () {}, async function () {}, async function* () {}, [][Symbol.iterator](), new Map()[Symbol.iterator](),
    new Set()[Symbol.iterator](), ""[Symbol.iterator](), /./[Symbol.matchAll](""), [].values().map((x) => x),
    Iterator.from({next() {}}), (function () { return arguments; })(),
  ]) meet(getPrototypeOf(hidden));
  meet(getOwnPropertyDescriptor((function () { "use strict"; return arguments; })(), "callee").get);
  for (const hidden of control.hidden) meet(hidden);
  for (let i = 0; i < objects.length; i++) {
    meet(getPrototypeOf(objects[i]));
    for (const key of ownKeys(objects[i])) {
      const found = getOwnPropertyDescriptor(objects[i], key);
      meet(found.value); meet(found.get); meet(found.set);
    }
  }
}
const label = (key) => typeof key === "symbol" ? "@@" + key.description : key;

// Objects inherit from the frozen ones; what they call toString or name themselves must stay possible.
function allowOverrides(target) {
  for (const key of ownKeys(target)) {
    const found = getOwnPropertyDescriptor(target, key);
    if (!found.configurable || !("value" in found)) continue;
    const value = found.value;
    // Written as methods, which have no `prototype` that could be changed.
    const {get, set} = {
      get() { return value; },
      set(given) {
        if (this === target) throw new TypeError("the language's own objects are frozen");
        defineProperty(this, key, {value: given, writable: true, enumerable: true, configurable: true});
      },
    };
    defineProperty(target, key, {get: freeze(get), set: freeze(set), enumerable: false, configurable: true});
  }
}
// The engine describes the error that ends a call outside of our time limit: nothing of that may be the vendor's.
function harden() {
  for (const kind of ERRORS) allowOverrides(kind.prototype);
  defineProperty(Error.prototype, TO_PRIMITIVE, {value: undefined});
  for (const kind of ERRORS) { freeze(kind); freeze(kind.prototype); }
  freeze(Error.prototype.toString);
}

// -- seal and put back ---------------------------------------------------------------------------

let spoiled = false;
const resets = [], open = [];

function seal(touched) {
  walk();
  for (const kind of ERRORS) allowOverrides(kind.prototype);
  allowOverrides(Object.prototype);
  defineProperty(Error.prototype, TO_PRIMITIVE, {value: undefined});
  defineProperty(Function.prototype, "constructor", {value: refuse});
  for (const kind of [function* () {}, async function () {}, async function* () {}])
    defineProperty(getPrototypeOf(kind), "constructor", {value: refuse});
  Object.defineProperty(refuse, "prototype", {value: Function.prototype});
  defineProperty(globalThis, "Function", {value: refuse});
  delete globalThis.eval;
  freeze(refuse);
  const loose = new Map();
  for (const [index, name] of touched) {
    const target = objects[index];
    if (!loose.has(target)) loose.set(target, new Set());
    loose.get(target).add(name);
  }
  for (const target of objects) {
    const names = loose.get(target);
    if (names === undefined && target !== globalThis) freeze(target);
    else part(target, names || new Set());
  }
}
function part(target, names) {
  const known = {__proto__: null}, keys = ownKeys(target);
  for (const key of keys) {
    known[key] = true;
    const found = getOwnPropertyDescriptor(target, key);
    if (names.delete(label(key))) resets.push({target, key, found: Object.assign({__proto__: null}, found)});
    else if ("value" in found) defineProperty(target, key, {writable: false, configurable: false});
    else defineProperty(target, key, {configurable: false});
  }
  if (target !== globalThis && names.size === 0) preventExtensions(target);
  else open.push({target, known, count: keys.length, above: getPrototypeOf(target)});
}
function refuse() { throw new TypeError("code made from text is not run"); }

function putBack() {
  for (let i = 0; i < resets.length; i++)
    if (!defineProperty(resets[i].target, resets[i].key, resets[i].found)) spoiled = true;
  for (let i = 0; i < open.length; i++) {
    const entry = open[i], keys = ownKeys(entry.target);
    if (getPrototypeOf(entry.target) !== entry.above || !isExtensible(entry.target)) spoiled = true;
    if (keys.length === entry.count) continue;
    for (let k = 0; k < keys.length; k++)
      if (!(keys[k] in entry.known) && !deleteProperty(entry.target, keys[k])) spoiled = true;
  }
}

// -- what a file changes as it is loaded ---------------------------------------------------------

function learn(factory) {
  walk();
  harden();
  const before = [];
  for (const target of objects) {
    const kept = {__proto__: null};
    for (const key of ownKeys(target)) kept[key] = getOwnPropertyDescriptor(target, key);
    before.push({target, kept, above: getPrototypeOf(target)});
  }
  const touched = [];
  let problem = null, forms = [], beyond = false;
  try {
    const module = {exports: {}};
    const found = factory(module, module.exports, control.require);
    forms = NAMES.map((name, index) => pick(found, module, index) === undefined ? "" : name);
  } catch (error) { problem = describe(error); }
  before.forEach((entry, index) => {
    const {target, kept, above} = entry;
    if (getPrototypeOf(target) !== above) beyond = true;
    for (const key of ownKeys(target)) {
      const found = getOwnPropertyDescriptor(target, key), old = kept[key];
      if (old === undefined ? index !== 0 : !alike(found, old)) touched.push([index, label(key)]);
    }
    for (const key of ownKeys(kept))
      if (getOwnPropertyDescriptor(target, key) === undefined) touched.push([index, label(key)]);
  });
  return stringify({problem, forms, touched: beyond || touched.length > MAX_TOUCHED ? null : touched});
}
function alike(one, other) {
  return same(one.value, other.value) && one.get === other.get && one.set === other.set
    && one.writable === other.writable && one.configurable === other.configurable;
}

// -- one call ------------------------------------------------------------------------------------

function pick(found, module, index) {
  let known = found === undefined ? undefined : found[index];
  if (typeof known !== "function") known = module.exports == null ? undefined : module.exports[NAMES[index]];
  return typeof known === "function" ? known : undefined;
}
function act(kind, factory, text, port, time, variables) {
  const module = {exports: {}};
  const found = factory(module, module.exports, control.require);
  const given = parse(text), told = variables === "" ? {} : parse(variables);
  const first = kind === "decode" ? 0 : 3;
  let f = pick(found, module, first), form = "u", result;
  if (f !== undefined) {
    result = f(first === 0 ? {bytes: given, fPort: port, recvTime: control.moment(time), variables: told}
      : {data: given, fPort: port, variables: told});
  } else {
    form = "d";
    if ((f = pick(found, module, first + 1)) !== undefined) result = f(port, given, told);
    else if ((f = pick(found, module, first + 2)) !== undefined) result = f(given, port);
    else throw new TypeError("the file has no " + NAMES[first] + ", " + NAMES[first + 1] + " or " + NAMES[first + 2]);
  }
  if (result !== null && typeof result === "object" && typeof result.then === "function")
    throw new TypeError("the answer is a promise, expected the object itself");
  const json = stringify(result);
  if (json === undefined) return form + "null";
  if (json.length > MAX_OUTPUT)
    throw new RangeError("the result has " + json.length + " letters, at most " + MAX_OUTPUT + " are taken");
  return form + json;
}
function describe(error) {
  try {
    let text;
    if (typeof error === "object" && error !== null) {
      const name = error.name, message = error.message;
      text = typeof message === "string" && message !== "" ? (typeof name === "string" ? name + ": " : "") + message
        : typeof name === "string" ? name : text_(stringify(error));
    } else text = typeof error === "symbol" ? "a symbol" : text_(error);
    return apply(slice, text, [0, MAX_ERROR]);
  } catch (_) { return "an error that cannot be described"; }
}
return function enter(kind, factory, text, port, time, variables) {
  if (kind === "learn") return learn(factory);
  if (kind === "seal") return seal(parse(text)) || "";
  if (kind === "harden") return harden() || "";
  if (spoiled) return "?";
  control.begin(time);
  let answer;
  try { answer = "=" + act(kind, factory, text, port, time, variables); }
  catch (error) { answer = "!" + stringify(describe(error)); }
  putBack();
  const said = control.said();
  // Joined, for the binding cannot take texts that the engine keeps in pieces, as it does with sums of long ones.
  return apply(join, said === null ? [answer] : [answer, stringify(said)], ["\n"]);
};
})
"""
