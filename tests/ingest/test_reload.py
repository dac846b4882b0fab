"""City file and rules' settings read again: whole or not at all, at a batch boundary, with states kept."""

import asyncio
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest.decisions.reload import Source
from ingest.decisions.where import feature_line, settings_line
from ingest.journal_schema import JournalError
from ingest.settings import SettingsError, load
from ingest.token_file import token_path
from rules.parking.lot_state import RULE as LOT_RULE
from rules.parking.space_days import RULE as DAYS_RULE
from tests.ingest.bench import Bench
from tests.ingest.requesting import ID, requesting
from tests.ingest.test_modes import PLAN, STATE, newest, say, statuses
from tests.ingest.uplinks import CITY, LOT_DEVICES, NOW, PROFILES, message, occupied

__all__ = ["requesting"]


class Town:
    """A settings file and a city file that the test changes."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "stadtfunk.toml"
        self.city = folder / "city.geojson"
        self.write()

    def write(self, rules: str = "", change: Callable[[dict[str, Any]], object] = lambda _: None) -> None:
        """Write both anew, the city with a change."""
        city = json.loads(json.dumps(CITY))
        change(city)
        self.city.write_text(json.dumps(city, indent=1))
        profiles = "\n".join(f'"{name}" = "{codec}"' for name, codec in PROFILES.items())
        journal = self.file.with_name("journal.db")
        self.file.write_text(
            f'[city]\nfile = "{self.city}"\n[journal]\npath = "{journal}"\n[http]\nport = 0\n'
            f"[telemetry]\nheartbeat_s = 0\n[codecs.profiles]\n{profiles}\n{rules}\n"
        )

    def bench(self) -> Bench:
        """A bench whose service reads these files again."""
        settings = load(self.file)
        bench = Bench(settings, NOW)
        bench.service.source = Source(self.file, lambda: load(self.file))
        return bench


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """The files of a small town."""
    return Town(tmp_path)


def larger(city: dict[str, Any]) -> None:
    """The lot gains ten spaces."""
    city["features"][0]["properties"]["capacity"] = 30


def lot_state(bench: Bench) -> Any:  # noqa: ANN401 - the rule's own state
    """What the engine remembers of the lot."""
    engine = bench.service.engine
    (subject,) = [one for one in engine.subjects_of("lot-markt") if one.rule is LOT_RULE]
    return engine.state(subject.order)


def calendar(bench: Bench) -> str:
    """The parameters of a rule about the lot that goes by local days."""
    (subject,) = [one for one in bench.service.engine.subjects_of("lot-markt") if one.rule is DAYS_RULE]
    return repr(subject.config)


async def data(bench: Bench, topic: str) -> dict[str, Any]:
    """The data of the newest event of a topic."""
    name = await newest(bench.service.journal, topic)
    row = await bench.service.journal.query(
        lambda connection: connection.execute("SELECT payload FROM event WHERE id = ?", (name,)).fetchone()
    )
    found: dict[str, Any] = json.loads(row[0])["data"]
    return found


@pytest.mark.usefixtures("requesting")
async def test_new_parameters_are_in_force_and_no_state_is_lost(town: Town) -> None:
    """A changed lot is judged anew with the next tick by what its spaces said before; numbers go on; audited."""
    bench = town.bench()
    async with bench.service.without_broker():
        await say(bench, 0, NOW)
        before = (await data(bench, PLAN))["sequence"]
        assert (await data(bench, STATE))["capacity"] == 20
        town.write(change=larger)
        done = await bench.service.reload("anna", "spaces added")
        assert done["changed"] == ["parking.lot_state/lot-markt"]
        assert (done["assets"], done["added"], done["removed"], done["restart"]) == (2, [], [], [])
        assert len(lot_state(bench).spaces) == len(LOT_DEVICES)
        await bench.tick(NOW + 20_000)
        assert (await data(bench, STATE))["capacity"] == 30
        await say(bench, 1, NOW + 10_000)
        assert (await data(bench, PLAN))["sequence"] > before
        query = "SELECT actor, action, subject, reason, detail FROM audit"
        ((*who, detail),) = await bench.service.journal.query(
            lambda connection: [tuple(row) for row in connection.execute(query)]
        )
    assert who == ["anna", "reload", "rules", "spaces added"]
    assert detail.startswith("2 assets: 0 added, 0 removed, 1 changed; parameters ")


async def test_assets_come_and_go_with_their_devices(town: Town) -> None:
    """A device of a new asset is its own from then on; an asset that is back remembers what it knew."""

    def moved(city: dict[str, Any]) -> None:
        lot = city["features"][0]
        (lot["id"], lot["properties"]["name"]) = ("lot-neu", "Neu")

    bench = town.bench()
    async with bench.service.without_broker():
        await say(bench, 0, NOW)
        town.write(change=moved)
        done = await bench.service.reload("anna", "")
        assert (done["added"], done["removed"]) == (["lot-neu"], ["lot-markt"])
        await bench.send(message(dev_eui=LOT_DEVICES[0], payload=occupied(yes=True), f_cnt=99, time_ms=NOW + 50))
        assert (await data(bench, STATE.replace("lot-markt", "lot-neu")))["coverage"] == 0.05
        town.write()
        await bench.service.reload("anna", "")
        assert len(lot_state(bench).spaces) == len(LOT_DEVICES)


@pytest.mark.parametrize(
    ("rules", "change", "expected"),
    [
        (
            "[rules.device]\nsilent_factor = 0",
            None,
            r"line 13: rules.device.silent_factor: .* \(got 0\)",
        ),
        ("[rules.device]\nsilent_facto = 3", None, r"did you mean 'silent_factor'"),
        ("[rules.modes]\n\"parking.lot\" = 'off'", None, r"stadtfunk.toml, line 12: rules.modes: unknown rule"),
        ("[rules\n", None, r"stadtfunk.toml: .*line 1[23]"),
        ("", lambda city: city["features"][1].update(id="lot-markt"), r"city.geojson, line 6: feature 'lot-markt'"),
        (
            "",
            lambda city: city["features"][1]["properties"].update(depth_mm=-1),
            r"line 84: rule .*feature 'container-1'.*-1",
        ),
        ("", lambda city: city.pop("features"), r"city\.file: .*city.geojson: .*features"),
    ],
)
async def test_what_is_wrong_is_refused_with_line_and_reason(
    town: Town, rules: str, change: Callable[[dict[str, Any]], object] | None, expected: str
) -> None:
    """The message names file, line and reason; everything stays as it was, unaudited."""
    bench = town.bench()
    async with bench.service.without_broker():
        before = (bench.service.engine, bench.service.settings, bench.service.city)
        town.write(rules, change or (lambda _: None))
        with pytest.raises(SettingsError, match=expected):
            await bench.service.reload("anna", "")
        assert (bench.service.engine, bench.service.settings, bench.service.city) == before
        count = "SELECT count(*) FROM audit"
        assert await bench.service.journal.query(lambda c: c.execute(count).fetchone()[0]) == 0


async def test_a_change_that_cannot_be_noted_is_not_taken(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a full disk the old city stays in force."""
    bench = town.bench()

    async def full(*_: object) -> None:
        raise JournalError("journal is full")

    async with bench.service.without_broker():
        engine = bench.service.engine
        town.write(change=larger)
        monkeypatch.setattr(bench.service.journal, "change", full)
        with pytest.raises(SettingsError, match="nothing changed: journal is full"):
            await bench.service.reload("anna", "")
        assert bench.service.engine is bench.service.processor.engine is engine


async def test_other_settings_wait_for_a_restart(town: Town) -> None:
    """What [rules] and the city's file are not is named, and stays as it was."""
    bench = town.bench()
    async with bench.service.without_broker():
        town.write("[mqtt]\nport = 1999\n[rules.device]\nsilent_factor = 9")
        town.file.write_text(town.file.read_text().replace("[city]", '[city]\ntimezone = "UTC"'))
        assert (await bench.service.reload("anna", ""))["restart"] == ["city.timezone", "mqtt.port"]
        assert bench.service.settings.mqtt.port == 1883
        assert bench.service.settings.city.timezone == "Europe/Berlin"
        assert bench.service.fleet.rules.silent_factor == 9


async def test_the_zone_of_the_city_is_that_of_the_rules_and_stays(town: Town) -> None:
    """The setting reaches the rules; a reload with another one keeps the zone of the start."""
    town.file.write_text(town.file.read_text().replace("[city]", '[city]\ntimezone = "Europe/Lisbon"'))
    bench = town.bench()
    async with bench.service.without_broker():
        assert "Europe/Lisbon" in calendar(bench)
        town.write(change=larger)
        done = await bench.service.reload("anna", "")
        assert done["restart"] == ["city.timezone"]
        assert done["changed"] == ["parking.lot_state/lot-markt"], "or the lots would have moved to another zone"
        assert "Europe/Lisbon" in calendar(bench)


@pytest.mark.usefixtures("requesting")
async def test_modes_change_what_is_outside(town: Town) -> None:
    """A rule set to shadow loses what it has outside; one set active again says its newest state."""
    town.write(f'[rules.modes]\n"{ID}" = "active"')
    bench = town.bench()
    journal = bench.service.journal
    async with bench.service.without_broker():
        await say(bench, 0, NOW)
        assert (await statuses(journal, PLAN))[-1] == (await statuses(journal, STATE))[-1] == "pending"
        town.write('[rules.modes]\n"parking.lot_state/lot-markt" = "off"')
        await bench.service.reload("anna", "")
        assert set(await statuses(journal, PLAN)) == {"withdrawn"}
        assert set(await statuses(journal, STATE)) == {"off"}
        await say(bench, 1, NOW + 1000)
        assert (await statuses(journal, PLAN))[-1] == "shadow"
        town.write()
        await bench.service.reload("anna", "")
        assert (await statuses(journal, STATE))[-1] == "pending"
        assert (await statuses(journal, STATE)).count("pending") == 1


async def test_it_is_taken_between_two_batches(town: Town) -> None:
    """While uplinks stream, reloads come in between; every uplink is stored once and every state is there."""
    bench = town.bench()
    async with bench.service.without_broker():

        async def stream() -> None:
            for number in range(40):
                await say(bench, number, NOW + number * 100)

        async def reload() -> None:
            for number in range(10):
                town.write(change=larger if number % 2 else lambda _: None)
                await bench.service.reload("anna", "")

        async with asyncio.TaskGroup() as group:
            group.create_task(stream())
            group.create_task(reload())
        assert bench.service.telemetry.totals.stored == 40 * len(LOT_DEVICES)
        assert {space.measured_ms for space in lot_state(bench).spaces.values()} == {
            NOW + 3900 + index for index in range(len(LOT_DEVICES))
        }
        assert await bench.letters() == []


async def test_a_service_that_stops_changes_nothing(town: Town) -> None:
    """Asked while it stops, it says so."""
    bench = town.bench()
    async with bench.service.without_broker():
        bench.service.pipeline.stop()
        with pytest.raises(SettingsError, match="nothing changed: the service is stopping"):
            await bench.service.reload("anna", "")


async def call(*words: str) -> tuple[int, str]:
    """Run the program beside a service: exit code, and what it said."""
    program = Path(sys.executable).with_name("stadtfunk")
    process = await asyncio.create_subprocess_exec(
        program, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def test_command_and_signal(town: Town) -> None:
    """`stadtfunk reload` and SIGHUP have a running service read again; a bad file gets one line and exit 1."""
    words = ("-c", str(town.file))
    code, said = await call("reload", *words)
    assert (code, "no service runs" in said) == (1, True)
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("stadtfunk"), "run", *words, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(60):
            while not token_path(town.file.with_name("journal.db")).exists():
                await asyncio.sleep(0.05)
            town.write(change=larger)
            code, said = await call("reload", *words, "--reason", "larger")
            assert (code, said) == (0, "2 assets: 0 added, 0 removed, 1 changed\n")
            town.write(change=lambda city: city["features"][1]["properties"].update(depth_mm=-1))
            code, said = await call("reload", *words)
            assert (code, said.count("\n"), "line 84" in said) == (1, 1, True)
            town.write()
            process.send_signal(signal.SIGHUP)
            while "signal:SIGHUP" not in (await call("audit", "list", *words))[1]:
                await asyncio.sleep(0.1)
            code, said = await call("rules", "stop", "parking", *words, "--json")
            assert (code, json.loads(said)["status"]) == (0, "stopped")
            code, said = await call("rules", "list", *words, "--json")
            assert json.loads(said)["stopped"] == ["parking"]
            code, said = await call("rules", "start", "waste", *words)
            assert (code, said) == (1, "stadtfunk: error: waste is not stopped\n")
    finally:
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert process.returncode == 0
    code, said = await call("rules", "start", "parking", *words)
    assert (code, said.startswith("parking: started; ")) == (0, True)


def test_lines_are_found() -> None:
    """Of keys in sections, plain, quoted and missing ones; of features."""
    text = "[city]\nfile = 'x'\n[rules . device]\n silent_factor=1\n[rules.modes]\n\"a.b\" = 'off'\n"
    assert settings_line(text, "rules.device.silent_factor: wrong") == 4
    assert settings_line(text, "rules.modes: wrong") == 5
    assert settings_line(text, "rules.modes.a.b: wrong") == 6
    assert settings_line(text, "rules.device.other: wrong") is None
    assert settings_line(text, "no key") is None
    assert feature_line('[\n{"id" : "a"},\n{"id":"b"}]', "feature 'b': wrong") == 3
    assert feature_line("[]", "feature 'b': wrong") is None
    assert feature_line("[]", "wrong") is None
