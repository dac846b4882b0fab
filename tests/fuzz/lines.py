"""Fuzzed: line protocol, written from any point and read from any bytes."""

import math

from ingest.line_protocol import LAST_TIME_MS, LineError, encode, line, parse, series
from rules.point import Point
from tests.fuzz.target import Target

SEPARATOR = b"\xff"


def read_point(data: bytes) -> Point:
    """A point from pieces between ff bytes: time, then key and value in turn; keys with @ in front are tags."""
    pieces = [_text(piece) for piece in data.split(SEPARATOR)]
    pairs = list(zip(pieces[1::2], pieces[2::2], strict=False))
    tags = tuple((key[1:], value) for key, value in pairs if key.startswith("@"))
    fields = tuple((key, _value(value)) for key, value in pairs if not key.startswith("@"))
    return Point("event", tags, fields, _time(pieces[0]))


def _text(piece: bytes) -> str:
    try:
        return piece.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return piece.decode("utf-8", "surrogateescape")


def _value(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _time(text: str) -> int:
    value = _value(text)
    return int(value) % LAST_TIME_MS if isinstance(value, float) and math.isfinite(value) else 0


def run_encode(data: bytes) -> None:
    """What a point becomes is one line that is read back with the same time, numbers and count of tags and fields."""
    point = read_point(data)
    written = encode(point)
    usable = [value for _, value in point.fields if isinstance(value, str) or math.isfinite(value)]
    if written is None:
        assert not [key for key, value in point.fields if key and (isinstance(value, str) or math.isfinite(value))]
        return
    read = parse(written.encode())
    assert len(written.splitlines()) == 1
    assert (read.measurement, read.time_ms) == ("event", point.time_ms)
    numbers = {value for value in usable if isinstance(value, float)}
    assert {value for value in read.fields.values() if isinstance(value, float)} <= numbers
    assert len(read.fields) <= len(usable)
    assert len(read.tags) <= len(point.tags)


def run_parse(data: bytes) -> None:
    """What was read holds finite numbers, and is read back the same after it was written plainly."""
    read = parse(data)
    assert abs(read.time_ms) <= LAST_TIME_MS
    assert all(isinstance(value, str) or math.isfinite(value) for value in read.fields.values())
    names = (read.measurement, *read.tags, *read.tags.values(), *read.fields)
    texts = (value for value in read.fields.values() if isinstance(value, str))
    if all(name.isprintable() and "\\" not in name for name in names) and all(text.isprintable() for text in texts):
        written = line(series(read.measurement, read.tags.items()), read.fields.items(), read.time_ms)
        assert written is not None
        assert parse(written.encode()) == read


POINTS = (
    b'1700000000000\xff@asset\xfflot-1\xffair_temperature\xff21.5\xfftext\xffjoined, with "x" = \\y\n',
    b"0\xff@k\\\xffv \xff@\xff\xffa b\xff1e400\xff\\\xffnan",
    b"-5\xff@\xed\xa0\x80\xff\xed\xa0\x80\xffp\xff-0.0\xffq\xff5e-324",
)
LINES = (
    b'event,asset=lot\\ 1,channel=join text="joined, \\"x\\" = \\\\y",n=1.0 1700000000000',
    rb'my\ m\,x=1,a\=b=c\,d,back=C:\temp i=-5i,u=7u,t=t,f=False,e=-1.5E-3,s="a\"\\b, c=d",n\ k=.5 -12',
    b"link,dev_eui=70b3d57ed0000001,model=bosch/tps110 rssi=-97,snr=7.5,gateways=1 1800000000000",
)
TARGETS = (
    Target(name="line/encode", run=run_encode, refuses=(), seeds=POINTS, weight=3.0, longest=1000),
    Target(name="line/parse", run=run_parse, refuses=(LineError,), seeds=LINES, weight=3.0, longest=1000),
)
