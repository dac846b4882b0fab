"""One file of JavaScript in QuickJS: a context that is used again and again, and one for a single call in doubt.

`_quickjs` is the compiled half of the package quickjs-ng; its other half would start a thread when it is imported.
"""

import json
from typing import NamedTuple, Protocol

from _quickjs import Context, JSException

from decoders.error import ScriptError, ScriptTimeout
from decoders.script_guard import GUARD
from decoders.script_shims import SHIMS

TIME_LIMIT_S = 0.1
"""CPU seconds of a call, as ChirpStack gives."""
LOAD_LIMIT_S = 0.5
MEMORY_BYTES = 16_000_000
STACK_BYTES = 192_000
MAX_SOURCE = 1_000_000
NAMES = ("decodeUplink", "Decode", "Decoder", "encodeDownlink", "Encode", "Encoder")
ENTER = f"({GUARD.strip()})({SHIMS.strip()})"
FOUND = ",".join(f'typeof {name}==="function"?{name}:undefined' for name in NAMES)
NO_MEMORY = "out of memory"
NOTHING = '!"null"'
"""What is thrown when no memory is left even for an error; or a vendor's own null."""
DROPPED = "?"


class Box(Protocol):
    """A file and what runs it; each raises ScriptError, and ScriptTimeout for what goes on and on."""

    def check(self) -> None:
        """See that the file is JavaScript."""
        ...

    def learn(self) -> None:
        """Load the file once, and see that it has one of the functions."""
        ...

    def ask(self, call: "Call") -> str:
        """The answer to a call, "=" and the result or "!" and the error; a second line has what the console got."""
        ...


class Enter(Protocol):
    """The function that script_guard describes."""

    def __call__(self, kind: str, factory: object, text: str, f_port: int, time_ms: float, variables: str, /) -> object:
        """Its answer."""
        ...


class Call(NamedTuple):
    """One call: `kind` is decode or encode; `given` and `variables` are JSON, no variables the empty text."""

    kind: str
    given: str
    f_port: int
    time_ms: int
    variables: str = ""


class Plan(NamedTuple):
    """What was learnt of a file: which functions it has, and what must stay changeable for it (JSON).

    `touched` is None for a file that changes more of the language than can be put back: a new context for every call.
    """

    forms: frozenset[str]
    touched: str | None


def learn(source: str) -> Plan:
    """Load a file once; raises ScriptError for one that is no JavaScript, fails, or has none of the functions."""
    check_syntax(source)
    engine = Engine(source)
    found = json.loads(engine.enter("learn"))
    if found["problem"] is not None:
        raise ScriptError(f"fails as it is loaded: {found['problem']}")
    forms = frozenset(found["forms"]) - {""}
    if not forms:
        raise ScriptError(f"the file has none of {', '.join(NAMES)}")
    return Plan(forms, None if found["touched"] is None else json.dumps(found["touched"]))


def check_syntax(source: str) -> None:
    """See that a text is a whole program by itself, not one that closes what we put around it; raises ScriptError."""
    if len(source) > MAX_SOURCE:
        raise ScriptError(f"the file has {len(source)} letters, at most {MAX_SOURCE} are taken")
    try:
        context().eval(f"throw 0;{plain(source)}")
    except JSException as error:
        text = str(error)
        if not text.startswith("0"):
            raise ScriptError(f"no JavaScript: {_line(text)}") from error
    except ValueError as error:
        raise ScriptError(f"no JavaScript: {error}") from error


def literal(text: str) -> object:
    """The value of a JavaScript literal, as test files are: JSON with comments, hexadecimal numbers, commas at the end.

    Raises ScriptError. What has no place in JSON (undefined, NaN) is left out or None.
    """
    return loads(literal_json(text))


def literal_json(text: str) -> str:
    """The same, as JSON."""
    engine = Engine("")
    engine.enter("harden")
    try:
        answer = engine.context.eval(f"JSON.stringify(({plain(text).strip().rstrip(';')}\n))")
    except (JSException, ValueError) as error:
        raise ScriptError(f"no JavaScript literal: {_line(str(error))}") from error
    if not isinstance(answer, str):
        raise ScriptError("no JavaScript literal: it has no value")
    return answer


def loads(text: str) -> object:
    """JSON that JavaScript wrote; raises ScriptError for what nests too deeply."""
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ScriptError(f"the result cannot be read: {error}") from error
    return found


def plain(source: str) -> str:
    """The text without a byte order mark."""
    return source.removeprefix("\ufeff")


def context() -> Context:
    """A context with its limits, and the time for loading."""
    made = Context()
    made.set_memory_limit(MEMORY_BYTES)
    made.set_max_stack_size(STACK_BYTES)
    made.set_time_limit(LOAD_LIMIT_S)
    return made


class Engine:
    """A context with the file in it, compiled and not yet run."""

    __slots__ = ("_enter", "_factory", "_limit_s", "context")

    def __init__(self, source: str) -> None:
        self.context = context()
        try:
            self._enter: Enter = self.context.eval(ENTER)
            self._factory: object = self.context.eval(
                f"(function(module,exports,require){{return(function(){{{plain(source)}\n;return[{FOUND}]}})"
                ".call(globalThis)})"
            )
        except (JSException, ValueError) as error:
            raise ScriptError(f"no JavaScript: {_line(str(error))}") from error
        self._limit_s = LOAD_LIMIT_S

    def enter(self, kind: str, text: str = "") -> str:
        """`learn`, `seal` or `harden`; what comes after has the time of a call."""
        answer = self.call(Call(kind, text, 0, 0))
        self._limit_s = TIME_LIMIT_S
        self.context.set_time_limit(TIME_LIMIT_S)
        return answer

    def call(self, call: Call) -> str:
        """The answer; raises ScriptTimeout or ScriptError, after which the context is not to be used again."""
        try:
            time_ms = float(call.time_ms)  # the binding cuts integers down to 32 bits
            answer = self._enter(call.kind, self._factory, call.given, call.f_port, time_ms, call.variables)
        except JSException as error:
            text = str(error)
            if "interrupted" in text:
                raise ScriptTimeout(f"no answer within {self._limit_s * 1000:g} ms of CPU time") from error
            raise ScriptError(_line(text)) from error
        except UnicodeDecodeError as error:
            raise ScriptError("the answer is no text: half of a surrogate pair") from error
        if not isinstance(answer, str):
            raise ScriptError(NO_MEMORY)
        return answer


class Sandbox:
    """A file and the context it runs in, made when it is first needed.

    A call that fails is tried once more in a context of its own, unfrozen, as ChirpStack would run it: what works only
    there is from then on always run there. No call leaves anything to the next.
    """

    __slots__ = ("_engine", "_plan", "_source")

    def __init__(self, source: str, plan: Plan | None = None) -> None:
        self._source = source
        self._plan = plan
        self._engine: Engine | None = None

    def plan(self) -> Plan:
        """What was learnt of the file; raises ScriptError."""
        if self._plan is None:
            self._plan = learn(self._source)
        return self._plan

    def check(self) -> None:
        """See that the file is JavaScript."""
        check_syntax(self._source)

    def learn(self) -> None:
        """Load the file once, if that was not done."""
        self.plan()

    def ask(self, call: Call) -> str:
        """The answer to a call; raises ScriptError for the engine's own errors."""
        plan = self.plan()
        if plan.touched is None:
            return self._alone(call)
        try:
            answer = self._shared(plan.touched).call(call)
            if answer == DROPPED:
                self._engine = None
                answer = self._shared(plan.touched).call(call)
        except ScriptError as error:
            self._engine = None
            answer = f"!{error}"
        if answer.startswith("="):
            return answer
        alone = self._alone(call)
        if NO_MEMORY in answer or answer == NOTHING:
            self._engine = None
        elif alone.startswith("=") and self._engine is not None:
            self._plan, self._engine = plan._replace(touched=None), None
        return alone

    def _shared(self, touched: str) -> Engine:
        if self._engine is None:
            engine = Engine(self._source)
            engine.enter("seal", touched)
            self._engine = engine
        return self._engine

    def _alone(self, call: Call) -> str:
        engine = Engine(self._source)
        engine.enter("harden")
        return engine.call(call)


def _line(text: str) -> str:
    """The first line of an engine's error, with the place in the file."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return "the engine failed"
    if lines[0] == "null":
        return NO_MEMORY
    place = next((line for line in lines[1:] if "<input>:" in line), "")
    return f"{lines[0]} ({place[place.index('<input>:') + 8 :].rstrip(')')})" if place else lines[0]
