"""Rules without code in the service: from the settings file to the wire, checked, reloaded, stopped, run again."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from typer.testing import CliRunner

from ingest.app import Service, read_city
from ingest.broker import Mosquitto
from ingest.cli import app
from ingest.clock import wall_clock
from ingest.commands.service import reading
from ingest.decisions import explain
from ingest.decisions.custom import rules_of
from ingest.decisions.reload import Source
from ingest.decisions.replay import Selection, run
from ingest.replay.decode_again import Decoder
from ingest.settings import SettingsError, load
from rules.asset import CityError
from tests.ingest.bench import Bench, until
from tests.ingest.uplinks import BIN_DEVICE, CITY, NOW, PROFILES, event, message, topic

WAIT_S = 30.0
TOPIC = "stadtfunk/v1/custom/full/container-1/state"
VALVE = 'downlink = { device = "70b3d57ed0000080", f_port = 2, payload = "0101" }'
RULE = """
name = "full"
kind = "container"
units = { distance = "mm" }
when = "distance < 500.0"
severity = "warning"
text_de = "{name}: noch {distance} mm"
text_en = "{name}: {distance} mm left"
"""


class Town:
    """A settings file, a city file and a rules file, which the test writes."""

    def __init__(self, folder: Path) -> None:
        self.file, self.rules = folder / "stadtfunk.toml", folder / "rules.toml"
        self.city = folder / "city.geojson"
        self.city.write_text(json.dumps(CITY))

    def write(self, custom: str = RULE, rest: str = "", port: int = 1883) -> None:
        """The settings with one rule, on line 13 and after, and something after it."""
        profiles = "\n".join(f'"{name}" = "{codec}"' for name, codec in PROFILES.items())
        table = f"[[rules.custom]]{custom}" if custom else ""
        journal = self.city.with_name("journal.db")
        self.file.write_text(
            f'[city]\nfile = "{self.city}"\n[mqtt]\nport = {port}\n[journal]\npath = "{journal}"\n'
            f"[http]\nport = 0\n[codecs.profiles]\n{profiles}\n{table}\n{rest}\n"
        )

    def bench(self) -> Bench:
        """A bench whose service reads these files again."""
        bench = Bench(load(self.file), NOW)
        bench.service.source = Source(self.file, lambda: load(self.file))
        return bench


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """The files of a small town."""
    made = Town(tmp_path)
    made.write()
    return made


def level(distance: int, number: int, time_ms: int) -> dict[str, Any]:
    """Fields of an uplink of the container's sensor: mm down to what is in it."""
    payload = bytes.fromhex("0175640367f8000482") + distance.to_bytes(2, "little") + bytes.fromhex("050000")
    return {
        "payload": payload,
        "f_port": 85,
        "f_cnt": number,
        "time_ms": time_ms,
        "profile": "Milesight EM400-MUD",
    }


async def measure(bench: Bench, distance: int, minute: int) -> None:
    """The sensor says so in that minute."""
    bench.now_ms = NOW + minute * 60_000
    await bench.send(message(dev_eui=BIN_DEVICE, **level(distance, minute, bench.now_ms)))


async def said(bench: Bench) -> list[tuple[str, str]]:
    """Status of each event of the rule, and what it is kept as."""
    query = "SELECT payload, status FROM event WHERE topic = ? ORDER BY seq"
    rows = await bench.service.journal.query(lambda connection: connection.execute(query, (TOPIC,)).fetchall())
    return [(json.loads(payload)["data"]["status"], status) for payload, status in rows]


@pytest.mark.mosquitto
async def test_uplinks_lead_to_an_event_on_the_wire(town: Town, mosquitto: Mosquitto) -> None:
    """A table in the settings file is all it takes: the broker keeps the state and its figures for who comes later."""
    town.write(port=mosquitto.port)
    service = Service(load(town.file))
    async with asyncio.TaskGroup() as group, asyncio.timeout(WAIT_S):
        group.create_task(service.run())
        await until(lambda: service.subscriber.connected and service.publisher.connected)
        async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client:
            now_ms = wall_clock()
            uplink = event(BIN_DEVICE, **level(300, 1, now_ms))
            await client.publish(topic(BIN_DEVICE), json.dumps(uplink), qos=1)
            await client.subscribe("stadtfunk/v1/custom/#", qos=1)
            received = await anext(aiter(client.messages))
        service.stop()
    found = json.loads(received.payload)
    assert str(received.topic) == TOPIC
    assert (found["type"], found["subject"]) == ("city.stadtfunk.custom.condition.v1", "container-1")
    data = found["data"]
    assert (data["rule"], data["status"], data["severity"]) == ("custom.full", "raised", "warning")
    assert (data["text_de"], data["text_en"]) == ("Container 1: noch 300 mm", "Container 1: 300 mm left")
    assert [(each["quantity"], each["value"], each["unit"], each["threshold"]) for each in data["evidence"]] == [
        ("distance", 300.0, "mm", 500.0)
    ]


def start(town: Town) -> None:
    """Start a service that is expected to refuse its files."""
    Service(load(town.file), clock=lambda: NOW, source=Source(town.file, lambda: load(town.file)))


def check(town: Town) -> str:
    """What `stadtfunk check` prints."""
    return CliRunner().invoke(app, ["check", "-c", str(town.file)]).output


def test_check_lists_the_rules(town: Town) -> None:
    """One line each with severity, condition and number of assets; a rule about nothing is a warning."""
    text = check(town)
    assert "ok       custom.full: warning: distance < 500.0 (1 assets)" in text
    town.write(RULE.replace("container", "gauge"))
    assert "warning  custom.full: warning: distance < 500.0 (0 assets)" in check(town)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("< 500.0", "< 500", "line 16: rules.custom.0.when: column 10: found no matching overload"),
        ("distance <", "distanec <", "line 16: rules.custom.0.when: column 1: unknown quantity: 'distanec'"),
        ('"mm"', '"m"', "line 15: rules.custom.0.units: distance is in mm, not in 'm' (rule custom.full)"),
        ('when = "', 'when = """\n    ', "line 16: rules.custom.0.when"),
        ("{name}: noch", "{nmae}: noch", "line 18: rules.custom.0.text_de: unknown {nmae}"),
        ('"warning"', '"bad"', "line 17: rules.custom.0.severity: Input should be"),
        ("severity", "severty", "line 12: rules.custom.0: unknown key 'severty'"),
        ("name =", "schedule.days = ['Mi']\nname =", "line 13: rules.custom.0.schedule.days: 'Mi' is no day"),
        ("distance < 500.0", 'max(\\"distance\\", \\"9d\\") < 5.0', 'window \'9d\' is none from "1m" to "48h"'),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(town: Town, old: str, new: str, message: str) -> None:
    """By the start, by `check` and by a reload: file, line, key, column and reason, in one line."""
    wrong = RULE.replace(old, new)
    if '"""' in new:
        wrong = wrong.replace('500.0"', '500"""')
    town.write(wrong)
    with pytest.raises(SettingsError) as caught:
        start(town)
    assert message in str(caught.value)
    assert str(town.file) in str(caught.value)
    answer = CliRunner().invoke(app, ["check", "-c", str(town.file)])
    assert answer.exit_code != 0
    assert message in answer.output or message in str(answer.exception)


def test_tables_within_a_table_have_their_lines(town: Town) -> None:
    """A key of the second rule's schedule is found under that rule."""
    second = RULE.replace("full", "late") + "[rules.custom.schedule]\nfrom = '25:00'"
    town.write(rest=f"[[rules.custom]]{second}")
    with pytest.raises(SettingsError, match=r"line 30: rules\.custom\.1\.schedule\.from: '25:00' is no time of day"):
        start(town)


def test_a_file_of_rules_is_read_beside_the_settings(town: Town) -> None:
    """Both are taken; mistakes in it are named with its own lines; one name twice is one too many."""
    rest = f'[rules]\nfile = "{town.rules}"'
    town.write("", f"{rest}\n[[rules.custom]]{RULE}")
    hot = RULE.replace("full", "hot")
    town.rules.write_text(f"# ours\n[[custom]]{hot}")
    assert [rule.id for rule in rules_of(load(town.file))][-2:] == ["custom.full", "custom.hot"]
    for text, expected in (
        (f"[[custom]]{RULE}", r"rules.toml, line 2: custom\.0\.name: 'full' occurs twice"),
        (f"[[custom]]{hot.replace('500.0', '500')}", r"rules.toml, line 5: custom\.0\.when: column 10"),
        ("[[custom]]" + hot.replace('"mm"', '"cm"'), r"rules.toml, line 4: custom\.0\.units"),
        ("[[custom]]\nname = 1", r"rules.toml, line 2: custom\.0\.name: .*string"),
        ("[[rules]]\n", r"rules.toml: rules: expected tables \[\[custom\]\] alone"),
        ("custom = 1", r"rules.toml: custom: expected tables"),
        ("[[custom\n", r"rules.file: .*rules.toml: .*line 1"),
    ):
        town.rules.write_text(text)
        with pytest.raises(SettingsError, match=expected):
            start(town)
    stopped = CliRunner().invoke(app, ["rules", "list", "-c", str(town.file)])
    assert isinstance(stopped.exception, SettingsError)
    town.rules.unlink()
    with pytest.raises(SettingsError, match=r"rules\.file: .*rules.toml: No such file"):
        start(town)


def test_subjects_devices_and_modes_must_be_there(town: Town) -> None:
    """What the city does not have is refused at the start, and named by `check`."""
    for rule, rest, expected in (
        (f'{RULE}subjects = ["container-2"]\n', "", "subjects: 'container-2' is no container"),
        (RULE, "[rules.modes]\n'custom.ful' = 'off'", "unknown rule 'custom.ful'"),
        (f"{RULE}{VALVE.replace('device', 'model')}\n", "", "no device with codec"),
    ):
        town.write(rule, rest)
        settings = load(town.file)
        with pytest.raises((SettingsError, CityError), match=expected):
            Service(settings, clock=lambda: NOW)
        assert expected in check(town)


async def test_a_changed_threshold_is_taken_without_a_restart(town: Town) -> None:
    """The state is kept: the next tick judges what was measured before; a wrong change leaves the old rule in force."""
    bench = town.bench()
    async with bench.service.without_broker():
        await measure(bench, 600, 0)
        assert await said(bench) == []
        town.write(RULE.replace("500.0", "700.0"))
        done = await bench.service.reload("anna", "fuller")
        assert done["changed"] == ["custom.full/container-1"]
        await bench.tick(NOW + 60_000)
        assert await said(bench) == [("raised", "pending")]
        engine = bench.service.engine
        town.write(RULE.replace("500.0", "700"))
        with pytest.raises(SettingsError, match=r"stadtfunk.toml, line 16: rules\.custom\.0\.when: column 10"):
            await bench.service.reload("anna", "")
        town.write(f'{RULE}subjects = ["nowhere"]\n')
        with pytest.raises(SettingsError, match=r"stadtfunk.toml, line 20: rules\.custom\.0\.subjects: 'nowhere'"):
            await bench.service.reload("anna", "")
        assert bench.service.engine is engine


async def test_rules_come_and_go_with_a_reload(town: Town) -> None:
    """A new rule hears from then on; one that is gone says nothing any more."""
    town.write("")
    bench = town.bench()
    async with bench.service.without_broker():
        await measure(bench, 300, 0)
        town.write()
        await bench.service.reload("anna", "")
        await measure(bench, 300, 1)
        assert await said(bench) == [("raised", "pending")]
        town.write("")
        await bench.service.reload("anna", "")
        await measure(bench, 900, 30)
        assert await said(bench) == [("raised", "pending")]


async def test_modes_and_stops_hold_for_them(town: Town) -> None:
    """In shadow it is kept and not published; the domain `custom` can be stopped, also without a rule in it."""
    town.write(rest="[rules.modes]\n'custom.full' = 'shadow'\n'custom.full/container-1' = 'off'")
    bench = town.bench()
    async with bench.service.without_broker():
        await measure(bench, 300, 0)
        assert await said(bench) == [("raised", "off")]
        town.write(rest="[rules.modes]\n'custom.full' = 'shadow'")
        await bench.service.reload("anna", "")
        await measure(bench, 900, 30)
        assert (await said(bench))[1:] == [("cleared", "shadow")]
        town.write()
        await bench.service.reload("anna", "")
        await measure(bench, 300, 60)
        assert (await said(bench))[2:] == [("raised", "pending")]
        await bench.service.rules.stop("custom", "anna", "wrong")
        assert [status for _, status in await said(bench)][2:] == ["off"]
    town.write("")
    other = town.bench()
    async with other.service.without_broker():
        assert "custom" in other.service.rules.domains


async def test_a_downlink_is_a_request_like_others(town: Town) -> None:
    """It goes out with the event, is valid for five minutes, and is not decided over a backlog."""
    town.write(f"{RULE}{VALVE}\n")
    bench = town.bench()
    async with bench.service.without_broker():
        await measure(bench, 300, 0)
        await measure(bench, 900, 30)
        bench.now_ms += 7_200_000
        late = message(dev_eui=BIN_DEVICE, **level(300, 60, NOW + 3_600_000))
        await bench.send(late)
        query = "SELECT payload, status FROM event WHERE topic LIKE '%/downlink' ORDER BY seq"
        rows = await bench.service.journal.query(lambda connection: connection.execute(query).fetchall())
    first = json.loads(rows[0][0])
    assert first["data"]["dev_eui"] == BIN_DEVICE
    assert (first["time"], first["data"]["valid_until"]) == ("2027-01-15T08:00:00Z", "2027-01-15T08:05:00Z")
    assert [status for _, status in rows][1:] == ["backlog"]


async def test_history_run_again_says_the_same_to_the_byte(town: Town) -> None:
    """`rules replay` and `rules explain` know the rules of the settings: the same events, exact states."""
    town.write(
        RULE.replace("distance < 500.0", 'avg(\\"distance\\", \\"10m\\") < 500.0').replace(
            "distance}", "avg_distance_10m}"
        )
    )
    bench = town.bench()
    async with bench.service.without_broker():
        for minute in range(0, 150, 5):
            await measure(bench, 300 if minute < 60 else 900, minute)
        await bench.tick(NOW + 14_400_000)
        settings = bench.service.settings
        city, rules = read_city(settings), rules_of(settings)
        with reading(settings) as connection:
            shadow = run(connection, Decoder(settings, city), city, rules, Selection(0, NOW * 2, "custom.full"))
            assert len(shadow.findings) >= 2
            assert json.loads(shadow.findings[-1].said.payload)["data"]["status"] == "cleared"
            assert {finding.verdict for finding in shadow.findings} == {"same"}
            found = explain.kept(connection, shadow.findings[0].said.id)
            told = explain.explain(connection, Decoder(settings, city), city, rules, found, 1)
    assert told.exact
    assert told.problems == []
    assert "distance" in json.dumps(told.after)


def test_commands_know_them(town: Town) -> None:
    """`rules list` has them with their mode; `rules replay --param` says that their place is the settings file."""
    listed = CliRunner().invoke(app, ["rules", "list", "-c", str(town.file), "--json"])
    assert [each for each in json.loads(listed.output)["rules"] if each["rule"] == "custom.full"] == [
        {
            "rule": "custom.full",
            "version": 1,
            "kind": "container",
            "mode": "active",
            "requests": "active",
            "subjects": {},
        }
    ]
    span = ["--from", "2027-01-15", "--to", "2027-01-16", "-c", str(town.file)]
    refused = CliRunner().invoke(app, ["rules", "replay", *span, "--param", "custom.full.when=pm10"])
    assert refused.exit_code == 2
    assert "changed in the settings" in refused.output


async def test_a_broken_file_of_rules_keeps_nobody_from_stopping(town: Town) -> None:
    """Whoever stops traffic in a hurry need not mend somebody's half-written rule first."""
    town.write(rest="")
    bench = town.bench()
    async with bench.service.without_broker():
        pass
    town.write("", f'[rules]\nfile = "{town.rules}"')
    town.rules.write_text("[[custom]]\nname =")
    answer = await asyncio.to_thread(
        CliRunner().invoke, app, ["rules", "stop", "traffic", "-c", str(town.file), "--reason", "roadworks"]
    )
    assert answer.exit_code == 0, answer.output
    assert "traffic: stopped" in answer.output
