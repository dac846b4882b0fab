"""What is outside and may not be there any more, after a reload or a restart, is withdrawn."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest.decisions.reload import Source
from ingest.settings import load
from tests.ingest.bench import Bench
from tests.ingest.test_modes import STATE, say, statuses
from tests.ingest.test_unanswered import GUIDANCE, TOWN
from tests.ingest.uplinks import NOW, PROFILES

Change = Callable[[dict[str, Any]], object]


def bench(folder: Path, rules: str = "", change: Change = lambda _: None, now_ms: int = NOW) -> Bench:
    """A service of a lot and its zone, read from files that are written anew."""
    city = json.loads(json.dumps(TOWN))
    change(city)
    (folder / "city.geojson").write_text(json.dumps(city))
    profiles = "\n".join(f'"{name}" = "{codec}"' for name, codec in PROFILES.items())
    file = folder / "stadtfunk.toml"
    file.write_text(
        f'[city]\nfile = "{folder / "city.geojson"}"\n[journal]\npath = "{folder / "journal.db"}"\n[http]\nport = 0\n'
        f"[telemetry]\nheartbeat_s = 0\n[codecs.profiles]\n{profiles}\n{rules}\n"
    )
    made = Bench(load(file), now_ms)
    made.service.source = Source(file, lambda: load(file))
    return made


def rewrite(folder: Path, change: Change) -> None:
    """The city file with a change."""
    city = json.loads(json.dumps(TOWN))
    change(city)
    (folder / "city.geojson").write_text(json.dumps(city))


async def publish(made: Bench, *topics: str) -> None:
    """As if the outbox had published what waits on these topics."""
    waiting = await made.service.journal.pending_events(1000, NOW)
    done = [(stored.seq, "published") for stored in waiting if stored.event.topic in topics]
    assert done
    await made.service.journal.events_done(done, [], [], NOW)


def without_zone(city: dict[str, Any]) -> None:
    """The zone is gone."""
    del city["features"][-1]


def with_another_lot(city: dict[str, Any]) -> None:
    """The zone has a second lot."""
    other = json.loads(json.dumps(city["features"][0]))
    other["id"], other["properties"]["devices"] = "lot-neu", []
    city["features"].append(other)
    city["features"][2]["properties"]["lots"].append("lot-neu")


def larger(city: dict[str, Any]) -> None:
    """Something else changed."""
    city["features"][0]["properties"]["almost_full_percent"] = 80


@pytest.mark.parametrize(
    ("change", "expected"), [(without_zone, "withdrawn"), (with_another_lot, "withdrawn"), (larger, "published")]
)
async def test_a_reload_withdraws_requests_that_the_parameters_no_longer_permit(
    tmp_path: Path, change: Change, expected: str
) -> None:
    """Of a zone that is gone, or has other lots; not for any change."""
    made = bench(tmp_path)
    async with made.service.without_broker():
        await say(made, 0, NOW)
        await publish(made, GUIDANCE)
        rewrite(tmp_path, change)
        await made.service.reload("anna", "")
        assert (await statuses(made.service.journal, GUIDANCE))[-1] == expected
        emptied = [retained.topic for retained in await made.service.journal.retained_until(NOW)]
        assert (GUIDANCE in emptied) == (expected == "withdrawn")


async def test_states_of_an_asset_that_is_gone_are_emptied(tmp_path: Path) -> None:
    """Nobody reads of free spaces in a lot that the city does not have any more."""
    made = bench(tmp_path)
    async with made.service.without_broker():
        await say(made, 0, NOW)

        def gone(city: dict[str, Any]) -> None:
            city["features"] = city["features"][1:2]

        rewrite(tmp_path, gone)
        await made.service.reload("anna", "")
        assert set(await statuses(made.service.journal, STATE)) == {"withdrawn"}


@pytest.mark.parametrize(
    ("rules", "change", "expected"),
    [
        ('[rules.modes]\n"parking.guidance" = "shadow"', lambda _: None, "withdrawn"),
        ("", without_zone, "withdrawn"),
        ("", lambda _: None, "pending"),
    ],
)
async def test_what_waits_is_looked_at_again_at_the_start(
    tmp_path: Path, rules: str, change: Change, expected: str
) -> None:
    """Settings or city file changed while the service was down: a request made before goes out only if it may now."""
    made = bench(tmp_path)
    async with made.service.without_broker():
        await say(made, 0, NOW)
        assert (await statuses(made.service.journal, GUIDANCE))[-1] == "pending"
    made = bench(tmp_path, rules, change, NOW + 1000)
    async with made.service.without_broker():
        await made.service._take_back()
        assert (await statuses(made.service.journal, GUIDANCE))[-1] == expected
