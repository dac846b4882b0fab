"""Line protocol: what is written is read back, and nothing is written that a line cannot carry."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.line_protocol import LAST_TIME_MS, LineError, encode, line, parse, series
from rules.point import Point

AWKWARD = [
    "\\",
    ",",
    "=",
    " ",
    '"',
    "\n",
    "\r",
    "\t",
    "\0",
    "'",
    "#",
    "ä",
    "°",
    "😀",
    "a",
    "1",
    "\u2028",
    "\x85",
    "\ud800",
]
awkward = st.lists(st.sampled_from(AWKWARD), max_size=12).map("".join)
any_text = st.one_of(awkward, st.text(max_size=20))
any_float = st.floats(allow_nan=True, allow_infinity=True)
times = st.integers(-LAST_TIME_MS, LAST_TIME_MS)


def carried(text: str) -> str:
    """What the documentation of the module says becomes of a text: control characters, surrogates."""
    controls = {*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), "\u2028", "\u2029"}
    spaced = "".join(" " if character in controls else character for character in text)
    return "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in spaced)


def name(text: str) -> str:
    """What becomes of a name: as of a text, and without backslashes at its end."""
    return carried(text).rstrip("\\")


@settings(deadline=None)
@given(
    tags=st.lists(st.tuples(any_text, any_text), max_size=5),
    fields=st.lists(st.tuples(any_text.filter(bool), st.one_of(any_float, any_text)), max_size=5),
    time_ms=times,
)
def test_what_is_encoded_is_read_back(
    tags: list[tuple[str, str]], fields: list[tuple[str, float | str]], time_ms: int
) -> None:
    """parse(encode(point)) is the point, but for what the module says a line cannot carry."""
    encoded = encode(Point("event", tuple(tags), tuple(fields), time_ms))
    kept_tags = {name(key): name(value) for key, value in tags}
    kept_fields = {
        carried(key).replace("\\", "/"): carried(value) if isinstance(value, str) else value
        for key, value in fields
        if isinstance(value, str) or math.isfinite(value)
    }
    if encoded is None:
        assert not kept_fields
        return
    read = parse(encoded.encode())
    assert read.measurement == "event"
    assert read.tags == {key: value for key, value in kept_tags.items() if key and value}
    assert read.fields == kept_fields
    assert read.time_ms == time_ms


@settings(deadline=None)
@given(measurement=any_text.filter(lambda text: name(text) and not name(text).startswith("#")))
def test_a_measurement_is_read_back(measurement: str) -> None:
    """Commas and spaces in a measurement are escaped, equals signs need not be."""
    text = line(series(measurement, [("k", "v")]), [("value", 1.0)], 0)
    assert text is not None
    assert parse(text.encode()).measurement == name(measurement)


@settings(deadline=None)
@given(st.lists(st.tuples(any_text, any_text), max_size=4), awkward)
def test_an_encoded_line_is_one_line_of_utf8(tags: list[tuple[str, str]], value: str) -> None:
    """Whatever the texts hold, no newline and no lone surrogate gets into a line."""
    encoded = encode(Point("event", tuple(tags), (("text", value),), 1))
    assert encoded is not None
    assert len(encoded.encode().splitlines()) == 1


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_line_or_a_line_error(garbage: bytes) -> None:
    """The parser raises LineError and nothing else."""
    try:
        parse(garbage)
    except LineError as error:
        assert str(error)  # noqa: PT017 - the claim is about both outcomes


def test_series_is_sorted_and_escaped() -> None:
    """Tags stand in the order of their keys; special characters are behind a backslash."""
    written = series("environment", [("model", "a,b=c d"), ("asset", 'St."Georg"\\x')])
    assert written == 'environment,asset=St."Georg"\\x,model=a\\,b\\=c\\ d'


@pytest.mark.parametrize(("key", "value"), [("", "v"), ("k", ""), ("\\", "v"), ("k", "\\\\")])
def test_a_tag_without_key_or_value_is_left_out(key: str, value: str) -> None:
    """Nothing and nothing but backslashes are no tag."""
    assert series("m", [(key, value), ("z", "1")]) == "m,z=1"


def test_a_field_without_key_is_left_out() -> None:
    """It has no place in a line; a line with no other field is no line."""
    assert line("m", [("", 1.0), ("f", 2.0)], 7) == "m f=2.0 7"
    assert line("m", [("", 1.0)], 7) is None


@pytest.mark.parametrize("end", ["\\", "\\\\"])
def test_a_backslash_at_the_end_would_escape_what_follows(end: str) -> None:
    """It is left out at the end of a measurement, a tag key and a tag value, and a slash in a field key."""
    assert line(series("m" + end, [("k" + end, "v" + end)]), [("f\\", 1.0)], 7) == "m,k=v f/=1.0 7"


def test_of_equal_tags_the_last_wins() -> None:
    """A server refuses a tag given twice, so none is written twice."""
    assert series("m", [("k", "old"), ("k", "new")]) == "m,k=new"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_nan_and_infinities_are_never_written(value: float) -> None:
    """Such a field is left out; a line without fields is no line."""
    assert line("m", [("a", value), ("b", 2.5)], 7) == "m b=2.5 7"
    assert line("m", [("a", value)], 7) is None
    assert line("m", [], 7) is None


@pytest.mark.parametrize(
    ("value", "written"), [(0.1, "0.1"), (1e300, "1e+300"), (-0.0, "-0.0"), (True, "1.0"), (3, "3.0")]
)
def test_numbers_are_always_floats(value: float, written: str) -> None:
    """Shortest decimal that is the same float; a flag or an integer that slips in does not change the field's type."""
    assert line("m", [("a", value)], 7) == f"m a={written} 7"


def test_text_is_quoted_and_escaped() -> None:
    """In a string only quotation marks and backslashes are escaped; a newline becomes a space."""
    assert line("event", [("text", 'a "b" \\ c,d=e\nf')], 7) == 'event text="a \\"b\\" \\\\ c,d=e f" 7'


def test_the_parser_knows_what_others_write() -> None:
    """Integers, flags and exponents come out as floats, special characters bare."""
    read = parse(rb'my\ m\,x=1,a\=b=c\,d,back=C:\temp i=-5i,u=7u,t=t,f=False,e=-1.5E-3,s="a\"\\b, c=d",n\ k=.5 -12')
    assert read.measurement == "my m,x=1"
    assert read.tags == {"a=b": "c,d", "back": "C:\\temp"}
    assert read.fields == {"i": -5.0, "u": 7.0, "t": 1.0, "f": 0.0, "e": -0.0015, "s": 'a"\\b, c=d', "n k": 0.5}
    assert read.time_ms == -12


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (b"", "a measurement"),
        (b"# a comment", "a measurement"),
        (b",k=v a=1 1", "a measurement"),
        (b"m a=1", "a field"),
        (b"m,k a=1 1", "a tag"),
        (b"m,k= a=1 1", "a tag"),
        (b"m,k=v,k=w a=1 1", "no second tag 'k'"),
        (b"m,k=a=b a=1 1", "a tag"),
        (b"m", "a field"),
        (b"m  a=1 1", "a field"),
        (b"m a= 1", "a field"),
        (b"m a=1, 1", "a field"),
        (b'm a="open 1', "a field"),
        (b"m a=nan 1", "a finite number"),
        (b"m a=1e999 1", "a finite number"),
        (b"m a=1_0 1", "a finite number"),
        (b"m a=1.5i 1", "a finite number"),
        (b"m a=word 1", "a finite number"),
        (b"m a=1 soon", "a time"),
        (b"m a=1 1.5", "a time"),
        (b"m a=1 1 2", "a time"),
        (b"m a=1 9223372036855", "a time"),
        (b"m a=1 1\nm a=1 1", "one line"),
        (b"m,k=\xff a=1 1", "UTF-8 at byte 4"),
    ],
)
def test_a_broken_line_says_what_was_expected(broken: bytes, expected: str) -> None:
    """Each way to break a line has its message."""
    with pytest.raises(LineError, match=expected):
        parse(broken)
