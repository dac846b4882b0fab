"""A scenario's file: what is wrong in it is told with file, line and key."""

from pathlib import Path

import pytest

from simulator.error import SimulatorError
from simulator.scenario.file import Loaded, UnknownScenario, check, load, parse
from simulator.scenario.lines import line_of, places
from tests.simulator.scenario.played import CITY

GOOD = """title = "rain"

[[rain]]
from = "1h"
until = "2h"
mm_per_hour = 3

[[rain]]
from = 7200
mm_per_hour = 0
"""


def _parsed(text: str) -> Loaded:
    return parse(text, "my.toml")


def test_durations_are_seconds_or_say_their_unit() -> None:
    """`1h` is 3600, a number is seconds, no end is for ever."""
    first, second = _parsed(GOOD).scenario.rain
    assert (first.from_s, first.until_s) == (3600, 7200)
    assert (second.from_s, second.until_s) == (7200, None)


def test_a_ramp_goes_in_and_out() -> None:
    """Half of it holds in the middle of the ramp, on both sides, and nothing outside."""
    (section,) = _parsed('title = "x"\n[[rain]]\nfrom = 100\nuntil = 300\nramp = 40\nmm_per_hour = 1').scenario.rain
    assert [section.weight(at) for at in (99, 100, 120, 140, 200, 280, 300)] == [0, 0, 0.5, 1, 1, 0.5, 0]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (GOOD.replace("mm_per_hour = 3", "mm_per_hours = 3"), 6, "'mm_per_hours', did you mean mm_per_hour?"),
        (GOOD.replace("mm_per_hour = 3", "mm = 3"), 6, "'mm', did you mean mm_per_hour?"),
        (GOOD.replace("[[rain]]\nfrom = 7200", "[[rains]]\nfrom = 7200"), 8, "did you mean rain?"),
        (GOOD.replace('until = "2h"', 'until = "30m"'), 5, "rain.until: it ends 1800 s after the start, before"),
        (GOOD.replace('"1h"', '"soon"'), 4, "rain.from: 'soon' is no duration"),
        (GOOD.replace("mm_per_hour = 0", "mm_per_hour = -1"), 10, "rain.mm_per_hour:"),
        (GOOD.replace("mm_per_hour = 3\n", ""), 3, "rain.mm_per_hour: Field required"),
        (GOOD.replace('"rain"\n', '""\n', 1), 1, "title:"),
        (GOOD.replace('"rain"\n', '"rain"\nfrom = 2026-06-01T00:00:00\n', 1), 2, "from: the time has no offset"),
        ('title = "x"\n[[broker_outage]]\nfrom = "1h"', 2, "broker_outage.until: Field required"),
        ('title = "x"\n[[broker_outage]]\nfrom = 9\nuntil = 3', 4, "broker_outage.until: it ends"),
        ('title = "x"\n[[incident]]\nassets = ["a"]', 2, "incident.vehicles_per_hour: Field required"),
        (
            'title = "x"\n[[incident]]\nassets = ["a"]\nvehicles_per_hour = 9\nto = ["b"]',
            2,
            "incident: to needs diverted",
        ),
        ('title = "x"\n[[sensor]]\nfault = "silent"', 2, "sensor: it names none of devices"),
        ('title = "x"\n[[sensor]]\nfault = "drifting"\nassets = ["a"]', 2, "drifting needs quantity and by"),
        ('title = "x"\n[[sensor]]\nfault = "delayed"\nassets = ["a"]', 2, "delayed needs delay"),
        ('title = "x"\n[[sensor]]\nfault = "ill"\nassets = ["a"]', 3, "sensor.fault:"),
        ('title = "x"\n[[sensor]]\nfault = "stuck"\nassets = ["a"]\nquantity = "warmth"', 5, "'warmth'"),
        ('title = "x"\n[[sensor]]\nfault = "wrong_profile"\nassets = ["a"]\ncodec = "acme/x"', 5, "'acme/x'"),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_key(text: str, line: int, said: str) -> None:
    """Unknown keys with the nearest known one, ends before starts, values out of range, what is missing."""
    with pytest.raises(SimulatorError) as caught:
        _parsed(text)
    assert str(caught.value).startswith(f"scenario my.toml, line {line}: ")
    assert said in str(caught.value)


def test_no_toml_tells_the_line() -> None:
    """A file that is no TOML is an error with its line."""
    with pytest.raises(SimulatorError, match=r"my\.toml: no TOML: .*line 2"):
        _parsed('title = "x"\nfrom =\n')


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('[[traffic]]\ndemand = 2\nassets = ["detector-marker-alle"]', 4, "did you mean detector-marker-allee?"),
        ('[[traffic]]\ndemand = 2\nassets = ["lot-bahnhof"]', 4, "traffic.assets: the city has no 'lot-bahnhof'"),
        ('[[parking]]\nshare = 1\nassets = ["gauge-ahse"]', 4, "'gauge-ahse'"),
        ('[[incident]]\nvehicles_per_hour = 9\nassets = ["lot-bahnhof"]', 4, "incident.assets: the city has no"),
        (
            '[[incident]]\nvehicles_per_hour = 9\nassets = ["detector-ostring"]\ndiverted = 0.1\nto = ["gauge-ahse"]',
            6,
            "incident.to: the city has no 'gauge-ahse'",
        ),
        ('[[strike]]\nfractions = ["residue"]', 3, "did you mean residual?"),
        ('[[gateway_outage]]\ngateways = ["gateway-mit"]', 3, "did you mean gateway-mitte?"),
        ('[[sensor]]\nfault = "silent"\nmodels = ["bosch/tps111"]', 4, "did you mean bosch/tps110?"),
        ('[[sensor]]\nfault = "silent"\ndevices = ["025354464bfffff0"]', 4, "'025354464bfffff0'"),
    ],
)
def test_what_the_city_does_not_have_is_told(text: str, line: int, said: str) -> None:
    """Assets (of the right kind), fractions, gateways, models, devices, each with the nearest known one."""
    loaded = _parsed(f'title = "x"\n{text}')
    with pytest.raises(SimulatorError) as caught:
        check(loaded, CITY)
    assert str(caught.value).startswith(f"scenario my.toml, line {line}: ")
    assert said in str(caught.value)


def test_by_name_or_file(tmp_path: Path) -> None:
    """A shipped one by name, anybody's by path; an unknown name is told with the nearest."""
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    assert load(str(path)).scenario.title == "rain"
    assert load("heavy-rain").scenario.rain
    with pytest.raises(UnknownScenario, match="did you mean heavy-rain"):
        load("heavy-rains")
    path.write_bytes(b"\xff")
    with pytest.raises(SimulatorError, match="cannot read scenario"):
        load(str(path))


def test_lines_of_tables() -> None:
    """Plain tables, arrays of tables and their keys have lines; what is not there has that of what is around it."""
    found = places('a = 1\n[b]\n c=2\n[[d]]\ne = [\n "x = y",\n]\n[[d]]\ne = 1\n')
    assert line_of(("a",), found) == 1
    assert line_of(("b", "c"), found) == 3
    assert line_of(("d", 0, "e", 0), found) == 5
    assert line_of(("d", 1, "e"), found) == 9
    assert line_of(("d", 1, "f"), found) == 8
    assert line_of(("z",), found) == 1
