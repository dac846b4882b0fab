"""Conditions in CEL: what is refused and where, what is read, what a verdict is while something is unknown."""

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rules.custom.expression import MAX_DEPTH, MAX_LENGTH, MAX_TERMS, Expression, ExpressionError
from rules.custom.term import Term

WINDOW = 'avg("pm10", "1h")'


def names(text: str) -> list[tuple[str, str, str]]:
    """Function, key and window of what an expression reads, in its order."""
    terms: dict[Term, int] = {}
    Expression(text, terms)
    return [(term.function, term.key.name, term.window) for term in terms]


def holds(text: str, moved: dict[str, float] | None = None, **values: float | bool) -> bool | None:
    """The verdict with values by quantity; a quantity that is not given is not known."""
    terms: dict[Term, int] = {}
    expression = Expression(text, terms, moved)
    return expression.holds(
        {
            f"v{number}": values[term.key.quantity.field]
            for term, number in terms.items()
            if term.key.quantity.field in values
        }
    )


@pytest.mark.parametrize(
    ("text", "line", "column", "reason"),
    [
        ("pm10 > 50", 1, 6, "write numbers with a point"),
        ("pm11 > 50.0", 1, 1, "unknown quantity: 'pm11'; did you mean 'pm1'?"),
        ("mean(\"pm10\", '1h') > 50.0", 1, 5, "unknown function"),
        ('avg("pm10") > 50.0', 1, 4, "other arguments: 'avg'"),
        ('avg("dust", "1h") > 50.0', 1, 5, "unknown quantity 'dust'; did you mean"),
        ('avg("pm10", "1y") > 50.0', 1, 13, "window '1y' is none"),
        ('avg("pm10", "59s") > 50.0', 1, 13, "window '59s' is none"),
        ('avg("pm10", "49h") > 50.0', 1, 13, "window '49h' is none"),
        ('avg("pm10", "1" + "h") > 50.0', 1, 4, "expected quotation marks"),
        ("pm10 > 50.0 &&\n  wind_speed", 1, 13, "no matching overload"),
        ("pm10 > 50.0 &&\n  wind_sped < 2.0", 2, 3, "did you mean 'wind_speed'?"),
        ("pm10", 0, 0, "is a double, expected a condition"),
        ("true", 0, 0, "reads no quantity"),
        ("pm10 >> 1.0", 1, 7, "Syntax error"),
        ("", 1, 1, "Syntax error"),
        ("pm10 > 1e999", 1, 8, "neither a number"),
        ("[pm10].exists(x, x > 1.0)", 1, 14, "only comparisons"),
        ("pm10 > 1.0 && size('abc') == 3", 1, 19, "only comparisons"),
        ("'a' == 'a' && pm10 > 1.0", 1, 1, "neither a number"),
        ("1 == 1 && pm10 > 1.0", 1, 1, "neither a number"),
        ("pm10 in [1.0]", 1, 6, "only comparisons"),
        ("pm10 > 1.0 || " * 100 + "pm10 > 1.0", 0, 0, f"expected {MAX_LENGTH} at most"),
        ("+".join(["pm10"] * (MAX_DEPTH + 5)) + " > 1.0", 1, 20, "nests deeper"),
        ("(" * 60 + "pm10 > 1.0" + ")" * 60, 0, 0, "recursion limit"),
        (" || ".join(f'max("pm10", "{n}m") > 1.0' for n in range(1, MAX_TERMS + 2)), 0, 0, "expected 20 at most"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(text: str, line: int, column: int, reason: str) -> None:
    """Types, names, windows, and what conditions may not hold: each names line and column of the expression."""
    with pytest.raises(ExpressionError) as caught:
        Expression(text, {})
    assert reason in str(caught.value)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_everything_that_is_read_is_found_once() -> None:
    """Quantities, windows, ages and channels, in the order of the text, the same one a single time."""
    text = f'{WINDOW} > 50.0 && pm10 > 1.0 && {WINDOW} < 90.0 || age("pm10") > 60.0 && value("fill_level/line2") > pm10'
    assert names(text) == [
        ("avg", "pm10", "1h"),
        ("value", "pm10", ""),
        ("age", "pm10", ""),
        ("value", "fill_level/line2", ""),
    ]


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("pm10 > 50.0 && wind_speed < 2.0", {"pm10": 60.0, "wind_speed": 1.0}, True),
        ("pm10 > 50.0 && wind_speed < 2.0", {"pm10": 60.0}, None),
        ("pm10 > 50.0 && wind_speed < 2.0", {"pm10": 40.0}, False),
        ("pm10 > 50.0 && wind_speed < 2.0", {"wind_speed": 3.0}, False),
        ("pm10 > 50.0 || wind_speed < 2.0", {"pm10": 60.0}, True),
        ("pm10 > 50.0 || wind_speed < 2.0", {"pm10": 40.0}, None),
        ("!(pm10 > 50.0)", {}, None),
        ("pm10 / wind_speed > 5.0", {"pm10": 60.0, "wind_speed": 0.0}, True),
        ("pm10 > 50.0 ? wind_speed < 2.0 : pm10 > 1.0", {"pm10": 40.0}, True),
        ("pm10 - wind_speed * 2.0 == -4.0", {"pm10": 0.0, "wind_speed": 2.0}, True),
        ('known("wind_speed") && pm10 > 1.0', {"wind_speed": False}, False),
    ],
)
def test_what_is_not_known_leaves_a_verdict_open_only_where_it_would_decide(
    text: str, values: dict[str, float], expected: bool | None
) -> None:
    """Logic with three values, as CEL has it: a false part decides an `&&`, a true one an `||`."""
    assert holds(text, None, **values) is expected


@pytest.mark.parametrize(
    ("text", "eased"),
    [
        ("pm10 > 50.0", 46.0),
        ("50.0 < pm10", 46.0),
        ("pm10 < 50.0", 54.0),
        ("!(pm10 < 50.0)", 46.0),
        ("!(!(pm10 >= 50.0))", 46.0),
        ("wind_speed > 100.0 || (pm10 > 50.0 && pm10 < 500.0)", 46.0),
        ("pm10 > 1.0 ? pm10 > 50.0 : false", 46.0),
    ],
)
def test_hysteresis_moves_a_limit_away_from_its_values(text: str, eased: float) -> None:
    """Whatever the direction and the negations around a comparison: it goes on holding a little beyond its limit."""
    assert holds(text, pm10=eased, wind_speed=1.0) is False
    assert holds(text, {"pm10": 5.0}, pm10=eased, wind_speed=1.0) is True
    beyond = 50.0 + (eased - 50.0) * 1.5
    assert holds(text, {"pm10": 5.0}, pm10=beyond, wind_speed=1.0) is False


def test_hysteresis_leaves_other_units_alone() -> None:
    """A count of readings, their age and a condition of `?:` are not in the quantity's unit: their limits stay."""
    for text in ('count("pm10", "1h") > 50.0', 'age("pm10") > 50.0', 'rate("pm10", "1h") > 50.0'):
        assert holds(text, {"pm10": 5.0}, pm10=46.0) is False
    assert holds("pm10 > 50.0 ? true : false", {"pm10": 5.0}, pm10=46.0) is False
    assert holds("wind_speed > 50.0", {"pm10": 5.0}, wind_speed=46.0) is False


def test_comparisons_with_numbers_are_known() -> None:
    """They are the thresholds of the evidence, on whichever side the number stands; two terms have none."""
    expression = Expression("pm10 > 50.0 && 2.0 >= wind_speed && pm10 < wind_gust && pm2_5 > -1.5 && pm1 == 3.0", {})
    found = [(each.term.key.name, each.threshold) for each in expression.comparisons]
    assert found == [("pm10", 50.0), ("wind_speed", 2.0), ("pm2_5", -1.5)]


WORDS = """pm10 wind_speed 1.0 1 1e999 true null in - ! && || < >= == + / ? : . , ( ) [ ] { } // ' " avg( age( exists(
    "pm10" "1h"
"""
PARTS = st.sampled_from(WORDS.split())


@given(st.one_of(st.text(max_size=60), st.lists(PARTS, max_size=14).map(" ".join)))
@example("\ud800 > 1.0")
@example("pm10 > 1.0 \0")
@example("has(pm10.x) ? true : dyn(pm10) > 1")
@example("pm10 > 1.0 && optional.none().hasValue()")
def test_any_text_is_a_condition_or_refused(text: str) -> None:
    """Nothing else comes of it; a condition has a verdict on known and unknown values."""
    with contextlib.suppress(ExpressionError):
        terms: dict[Term, int] = {}
        expression = Expression(text, terms)
        known: dict[str, float | bool] = {
            f"v{number}": term.function == "known" or 1.5 for term, number in terms.items()
        }
        assert expression.holds(known) in {True, False}
        assert expression.holds({}) in {True, False, None}
