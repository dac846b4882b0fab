"""A condition in the Common Expression Language (CEL): type-checked, reduced to what it reads, ready to be evaluated.

CEL itself checks the text as it was written: operators, types, names, with line and column. Its tree is then looked
through: comparisons, arithmetic and logic over doubles and booleans, nothing else, so that an evaluation is bounded by
the length of the text. What is evaluated is that tree with each call in the place of a variable: windows are counted
outside, and a variable that is not known makes the result unknown unless the rest decides it.
"""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from math import isfinite
from typing import NamedTuple

from cel_expr_python import cel

from rules.calibration import BY_FIELD
from rules.custom.checked import Node, tree
from rules.custom.term import AGE, AGGREGATES, KNOWN, LATEST, Term, key_of, window_ms

MAX_LENGTH = 1000
MAX_DEPTH = 20
MAX_TERMS = 20
PLACE = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
BINARY = ("&&", "||", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/")
OPERATORS = {f"_{sign}_": sign for sign in BINARY}
UNARY = {"!_": "!", "-_": "-"}
TERNARY = "_?_:_"
RISING, FALLING = frozenset({">", ">="}), frozenset({"<", "<="})
MIRRORED = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
DOUBLE, STRING = cel.Type.DOUBLE, cel.Type.STRING


class ExpressionError(ValueError):
    """An expression that cannot be used; `line` and `column` count from 1, 0 where there is no place to name."""

    def __init__(self, reason: str, line: int = 0, column: int = 0) -> None:
        super().__init__(reason)
        self.line = line
        self.column = column


class Comparison(NamedTuple):
    """A term compared with a number; `falls` where a lower number would make the condition hold longer."""

    term: Term
    threshold: float
    falls: bool


class Expression:
    """A checked expression: what it reads, its comparisons with numbers, and its verdict.

    `terms` numbers what is read, as `variable` names it; expressions that are evaluated on the same values share it.
    `moved` are distances by quantity by which its limits lie farther away, so that it holds on longer.
    Raises ExpressionError.
    """

    __slots__ = ("_program", "comparisons")

    def __init__(self, text: str, terms: dict[Term, int], moved: Mapping[str, float] | None = None) -> None:
        reader = _Reader(text, terms, moved or {})
        written = reader.write(_checked(text))
        if not reader.read:
            raise ExpressionError("reads no quantity")
        if len(terms) > MAX_TERMS:
            raise ExpressionError(f"reads {len(terms)} quantities and windows, expected {MAX_TERMS} at most")
        self.comparisons = tuple(reader.comparisons)
        kinds = {variable(terms[term]): cel.Type.BOOL if term.function == KNOWN else DOUBLE for term in reader.read}
        try:
            self._program = cel.NewEnv(variables=kinds).compile(written)
        except RuntimeError as error:
            raise ExpressionError(f"cannot be evaluated: {error}") from error

    def holds(self, values: Mapping[str, float | bool]) -> bool | None:
        """Whether it is true with these values by variable; None where the missing ones would decide it."""
        found = self._program.eval(data=values).value()
        return found if found is True or found is False else None


def variable(index: int) -> str:
    """The name of a term by its number."""
    return f"v{index}"


def _checked(text: str) -> Node:
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"has {len(text)} characters, expected {MAX_LENGTH} at most")
    try:
        text.encode()
        compiled = ENVIRONMENT.compile(text)
    except UnicodeError as error:
        raise ExpressionError("is no text in UTF-8") from error
    except RuntimeError as error:
        raise _refused(text, str(error)) from error
    if compiled.return_type() != cel.Type.BOOL:
        raise ExpressionError(f"is a {compiled.return_type().name().lower()}, expected a condition (true or false)")
    return tree(compiled.serialize())


def _refused(text: str, message: str) -> ExpressionError:
    """What CEL says, with its place; its first complaint."""
    found = PLACE.search(message)
    if found is None:
        return ExpressionError(message.partition(" [")[0])
    reason = found[3].removesuffix(" (in container '')").removesuffix(" [INVALID_ARGUMENT]")
    unknown = re.fullmatch(r"undeclared reference to '(\w+)'", reason)
    if unknown is not None:
        near = get_close_matches(unknown[1], [*BY_FIELD, *AGGREGATES, AGE, KNOWN, LATEST], n=1, cutoff=0)
        function = re.match(r"\w+\s*\(", text[text.find(unknown[1]) :])
        wrong = "function, or one with other arguments" if function else "quantity"
        hint = f"; did you mean {near[0]!r}?" if near and near[0] != unknown[1] else ""
        reason = f"unknown {wrong}: {unknown[1]!r}{hint}"
    elif "double, int" in reason or "int, double" in reason:
        reason = f"{reason}: write numbers with a point, as 50.0"
    return ExpressionError(reason, int(found[1]), int(found[2]))


class _Reader:
    """Walks a tree: collects terms and comparisons, and writes it again with variables in the place of terms."""

    def __init__(self, text: str, terms: dict[Term, int], moved: Mapping[str, float]) -> None:
        self.read: set[Term] = set()
        self.comparisons: list[Comparison] = []
        self._text = text
        self._terms = terms
        self._moved = moved

    def write(self, node: Node, depth: int = 0, positive: bool | None = True) -> str:
        """The node; `positive` says whether it makes the whole true when it is true, None: cannot be told."""
        if depth > MAX_DEPTH:
            raise self._error(node, f"nests deeper than {MAX_DEPTH} levels")
        if node.kind == "constant":
            return self._constant(node)
        term = self._term(node)
        if term is not None:
            self.read.add(term)
            return variable(self._terms.setdefault(term, len(self._terms)))
        if node.name in OPERATORS:
            return self._binary(node, OPERATORS[node.name], depth, positive)
        if node.name in UNARY:
            sign = UNARY[node.name]
            negated = None if positive is None or sign == "-" else not positive
            return f"{sign}({self.write(node.arguments[0], depth + 1, negated)})"
        if node.name == TERNARY:
            condition, yes, no = node.arguments
            asked = self.write(condition, depth + 1, None)
            return f"(({asked}) ? {self.write(yes, depth + 1, positive)} : {self.write(no, depth + 1, positive)})"
        raise self._error(node, "only comparisons, arithmetic, && || ! ?: and the functions of rules are allowed here")

    def _binary(self, node: Node, sign: str, depth: int, positive: bool | None) -> str:
        left, right = node.arguments
        passed = positive if sign in {"&&", "||"} else None
        ways = [self.write(side, depth + 1, passed) for side in (left, right)]
        shifted = self._compare(left, right, sign, positive)
        if shifted is not None:
            index, limit = shifted
            ways[index] = f"({limit!r})"
        return f"({ways[0]} {sign} {ways[1]})"

    def _compare(self, left: Node, right: Node, sign: str, positive: bool | None) -> tuple[int, float] | None:
        """Note a comparison of a term with a number; the number's place and moved value, where it is to be moved."""
        term, number, index = self._term(left), _number(right), 1
        if term is None or number is None:
            term, number, index = self._term(right), _number(left), 0
            sign = MIRRORED.get(sign, sign)
        if term is None or number is None or sign not in RISING | FALLING:
            return None
        falls = (sign in RISING) is (positive is not False)
        self.comparisons.append(Comparison(term, number, falls))
        distance = self._moved.get(term.key.quantity.field)
        if not distance or positive is None or not term.in_quantity:
            return None
        return index, number - distance if falls else number + distance

    def _constant(self, node: Node) -> str:
        if isinstance(node.value, bool):
            return "true" if node.value else "false"
        if isinstance(node.value, float) and isfinite(node.value):
            return f"({node.value!r})"
        raise self._error(node, f"{node.value!r} is neither a number with a point nor true or false")

    def _term(self, node: Node) -> Term | None:
        if node.kind == "identifier":
            return Term(LATEST, key_of(node.name, BY_FIELD))
        if node.kind != "call" or node.name not in FUNCTIONS:
            return None
        words = [each.value for each in node.arguments]
        if not all(isinstance(word, str) for word in words):
            raise self._error(node, f"{node.name}() takes texts as they stand, expected quotation marks")
        quantity, *window = (str(word) for word in words)
        try:
            key = key_of(quantity, BY_FIELD)
            if window:
                window_ms(window[0])
        except ValueError as error:
            near = get_close_matches(quantity, BY_FIELD, n=1, cutoff=0)
            known = "" if quantity.partition("/")[0] in BY_FIELD else f"; did you mean {near[0]!r}?"
            raise self._error(node.arguments[-1 if window and not known else 0], f"{error}{known}") from error
        return Term(node.name, key, *window)

    def _error(self, node: Node, reason: str) -> ExpressionError:
        before = self._text[: node.position]
        return ExpressionError(reason, before.count("\n") + 1, node.position - before.rfind("\n"))


def _number(node: Node) -> float | None:
    if node.kind == "call" and node.name == "-_":
        inner = _number(node.arguments[0])
        return None if inner is None else -inner
    return node.value if isinstance(node.value, float) else None


def _declared() -> Iterator[cel.FunctionDecl]:
    for name in AGGREGATES:
        yield _function(name, DOUBLE, 2)
    yield _function(AGE, DOUBLE, 1)
    yield _function(LATEST, DOUBLE, 1)
    yield _function(KNOWN, cel.Type.BOOL, 1)


def _function(name: str, kind: cel.Type, texts: int) -> cel.FunctionDecl:
    return cel.FunctionDecl(name, [cel.Overload(f"{name}_texts", return_type=kind, parameters=[STRING] * texts)])


FUNCTIONS = frozenset({*AGGREGATES, AGE, LATEST, KNOWN})
ENVIRONMENT = cel.NewEnv(variables=dict.fromkeys(BY_FIELD, DOUBLE), functions=list(_declared()))
