"""The job list of a plan as CSV and JSON."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest.routes.output.jobs import COLUMNS, jobs_csv, jobs_json
from rules.waste.route.day_plan import DayPlan
from rules.waste.words import Words
from tests.ingest.routes.output.plans import small, solved


def rows(plan: DayPlan) -> list[dict[str, str]]:
    """The lines of the CSV by column."""
    return list(csv.DictReader(io.StringIO(jobs_csv(plan), newline=""), strict=True))


def told(plan: DayPlan) -> dict[str, Any]:
    """The JSON."""
    found: dict[str, Any] = json.loads(jobs_json(plan), parse_constant=pytest.fail)
    return found


def test_the_csv_keeps_the_rules_of_rfc_4180() -> None:
    """CRLF after each line, a header, as many fields in each line, quotes doubled, no byte order mark."""
    text = jobs_csv(small())
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    assert text.split("\r\n")[0] == ",".join(COLUMNS)
    assert '"\'=Käfig & <b>""Söhne""</b>' in text
    parsed = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert {len(line) for line in parsed} == {len(COLUMNS)}
    assert len(parsed) == 1 + 5 + 3


def test_columns_are_a_contract() -> None:
    """Telematics read them by name: one that is added goes to the end, none goes."""
    assert ",".join(COLUMNS) == (
        "plan,day,fraction,status,drivable,vehicle,order,kind,place,name,district,longitude,latitude,mandatory,"
        "level_percent,pick_up_kg,pick_up_l,window_from,window_until,arrival,distance_m,load_kg,load_l,why_de,why_en"
    )


def test_a_line_tells_all_of_a_halt() -> None:
    """Where, what, when, how much and why."""
    assert rows(small(drivable=True))[0] == {
        "plan": "2026-11-24-paper-1",
        "day": "2026-11-24",
        "fraction": "paper",
        "status": "proposed",
        "drivable": "true",
        "vehicle": "truck-1",
        "order": "1",
        "kind": "stop",
        "place": "bin-1",
        "name": "bin-1",
        "district": "Mitte",
        "longitude": "7.81",
        "latitude": "51.68",
        "mandatory": "true",
        "level_percent": "60",
        "pick_up_kg": "60",
        "pick_up_l": "1000",
        "window_from": "2026-11-24T07:00:00+01:00",
        "window_until": "2026-11-24T10:00:00+01:00",
        "arrival": "2026-11-24T07:00:00+01:00",
        "distance_m": "1701",
        "load_kg": "60",
        "load_l": "1000",
        "why_de": "Am Di 24.11. leeren: Füllstand 60 %, Grenze 80 %.",
        "why_en": "Empty on Tue 24 Nov: fill level 60 %, limit 80 %.",
    }


@pytest.mark.parametrize(
    "name", ["=1+1", "+49 2381", "-2", "@SUM(A1)", "\t=1+1", " =1+1", "\N{FULLWIDTH EQUALS SIGN}1", "\r@x"]
)
def test_no_text_is_a_formula(name: str) -> None:
    """What a spreadsheet would compute has an apostrophe before it, in names, ids and reasons."""
    plan = small(names={"bin-1": name}, districts={"bin-1": name}, fraction=name, id=name)
    why = {place: one._replace(text_de=name) for place, one in plan.why.items()}
    row = rows(replace(plan, why=why))[0]
    for column in ("name", "district", "fraction", "plan", "why_de"):
        assert row[column].startswith("'")
        assert row[column][1:].strip() == name.strip()


def test_what_is_no_formula_stays_as_it_is() -> None:
    """Figures below zero and ordinary names have no apostrophe."""
    plan = small(names={"bin-1": "Markt = Mitte"})
    stops = tuple(replace(one, longitude=-7.5) for one in plan.problem.stops)
    row = rows(replace(plan, problem=replace(plan.problem, stops=stops)))[0]
    assert (row["name"], row["longitude"]) == ("Markt = Mitte", "-7.5")


@pytest.mark.parametrize("name", ["=1+1", "a,b", 'say "x"', "a;b"])
def test_the_json_has_names_as_they_are(name: str) -> None:
    """It is read by programs: nothing is added."""
    assert told(small(names={"bin-1": name}))["tours"][0]["halts"][0]["name"] == name


def test_the_json_tells_all_of_a_plan() -> None:
    """Tours with their halts, vehicles that stay, what is left out and why, texts in both languages."""
    plan = small(drivable=True, status="fallback", status_reason=("kaputt", "broken"), warnings=(Words("W", "w"),))
    found = told(replace(plan, confirmed_ms=plan.created_ms + 1000))
    assert found["version"] == 1
    assert (found["plan"], found["day"], found["fraction"]) == ("2026-11-24-paper-1", "2026-11-24", "paper")
    assert (found["title_de"], found["title_en"], found["drivable"]) == ("Touren", "Tours", True)
    assert (found["status"], found["status_de"], found["status_en"]) == ("fallback", "kaputt", "broken")
    assert found["created_at"] == "2026-11-23T18:00:00+01:00"
    assert found["confirmed_at"] == "2026-11-23T18:00:01+01:00"
    assert (found["warnings"], found["warnings_de"]) == (["w"], ["W"])
    assert found["staying"] == ["truck-3"]
    assert [tour["vehicle"] for tour in found["tours"]] == ["truck-1", "truck-2"]
    tour, solution = found["tours"][0], plan.solution.tours[0]
    assert (tour["distance_m"], tour["duration_s"]) == (solution.metres, solution.seconds)
    assert (tour["start"]["place"], tour["break_s"]) == ("depot", 1800)
    departs = datetime.fromtimestamp(plan.time_ms(solution.departs_s) / 1000, UTC)
    assert datetime.fromisoformat(tour["departs"]) == departs
    assert sum(halt["distance_m"] for halt in tour["halts"]) == solution.metres
    assert [halt["kind"] for halt in tour["halts"]] == ["stop", "unload", "stop", "unload", "home"]
    assert [halt["mandatory"] for halt in tour["halts"]] == [True, None, False, None, None]
    assert found["left_out"][0] == {
        "place": "bin-x",
        "name": "Alt",
        "reason": "invalid",
        "detail": "volume is None l, expected more than 0",
        "detail_de": "Volumen unbekannt",
        "level_percent": None,
        "why_de": "nicht planbar (Volumen unbekannt)",
        "why_en": "cannot be planned (volume is None l, expected more than 0)",
    }
    assert found["left_out"][1]["reason"] == "not_worth_it"


def test_without_an_engine_no_time_is_told() -> None:
    """Neither arrival nor departure nor duration, in both forms; windows are facts and stay."""
    plan = small(drivable=False)
    assert {row["arrival"] for row in rows(plan)} == {""}
    found = told(plan)
    assert {tour["departs"] for tour in found["tours"]} == {None}
    assert {tour["duration_s"] for tour in found["tours"]} == {None}
    assert {halt["arrival"] for tour in found["tours"] for halt in tour["halts"]} == {None}
    assert found["title_de"] == "Reihenfolge der Halte, nicht zum Fahren"
    assert rows(plan)[0]["window_until"] == "2026-11-24T10:00:00+01:00"


def test_both_forms_have_the_same_jobs() -> None:
    """On a day of the solver: same halts, same order."""
    plan = solved(4)
    halts = [
        (tour["vehicle"], str(halt["order"]), halt["place"]) for tour in told(plan)["tours"] for halt in tour["halts"]
    ]
    assert [(row["vehicle"], row["order"], row["place"]) for row in rows(plan)] == halts
    assert len(halts) > 10


def test_times_carry_the_offset_of_their_day() -> None:
    """On the day when the clocks go back an arrival is told with the right one."""
    plan = small(drivable=True, midnight_ms=1_792_879_200_000)
    assert rows(plan)[0]["window_until"] == "2026-10-25T09:00:00+01:00"
