"""The ledger in a running pipeline: every uplink once, in its day, in the journal and in the database."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ingest.audit import Action
from ingest.fleet.lifecycle import State
from ingest.mqtt import Message
from ingest.settings import Settings
from tests.ingest.bench import Bench, city_settings, running
from tests.ingest.rounds import GATEWAYS, MINUTE, ledger_of, live, uplink
from tests.ingest.uplinks import LOT_DEVICES, NOW, PROFILES, raw, topic

DAY = 24 * 60 * MINUTE


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A small city in a fresh folder."""
    return city_settings(tmp_path)


@pytest.fixture
async def bench(settings: Settings) -> AsyncIterator[Bench]:
    """A service without a broker."""
    async with running(settings) as found:
        yield found


async def test_every_uplink_is_in_the_ledger(bench: Bench, settings: Settings) -> None:
    """Stored, lost by the counter, repeated, undecodable: each counted once, in its day of the city's calendar."""
    await live(bench, range(6), range(1))
    await bench.send(uplink(0, 9, NOW + 90 * MINUTE))
    await bench.send(uplink(0, 9, NOW + 90 * MINUTE))
    await bench.send(uplink(0, 10, NOW + 100 * MINUTE, fPort=77))
    await bench.send(raw(b"{", where=topic(LOT_DEVICES[0])))
    assert await ledger_of(bench, settings) == {"2027-01-15": [12, 9, 3, 1, 2, 7]}
    bench.now_ms = NOW + 24 * 60 * MINUTE
    await bench.send(uplink(0, 11, NOW + 24 * 60 * MINUTE))
    found = await ledger_of(bench, settings)
    assert found["2027-01-15"][1:] == [9, 3, 1, 2, 7]
    assert found["2027-01-15"][0] > 60, "silence after the last uplink is expected, too"
    assert found["2027-01-16"][1:] == [1, 0, 0, 0, 1]


async def test_a_device_that_stays_away_is_expected_every_day(bench: Bench, settings: Settings) -> None:
    """Three days after the last uplink each day says how many were expected; a retired device is not."""
    await live(bench, range(12), range(2))
    bench.now_ms = NOW + 3 * 24 * 60 * MINUTE
    found = await ledger_of(bench, settings)
    assert [counts[:2] for counts in found.values()][1:3] == [[144, 0], [144, 0]]
    await bench.service.register.set_state(LOT_DEVICES[0], State.RETIRED, NOW, None, "os:anna", "gone")
    found = await ledger_of(bench, settings)
    assert [counts[1] for counts in found.values()] == [12], "what was counted stays counted"
    assert len(await ledger_of(bench, settings, 1)) == 4


async def test_the_ledger_goes_to_the_database(bench: Bench) -> None:
    """A point a day and device under `device`, an hour and gateway under `gateway`, lost frames under `link`."""
    await live(bench, range(8), range(20))
    bench.now_ms = NOW + 130 * MINUTE
    await bench.send(uplink(0, 12, NOW + 125 * MINUTE))
    lines = await bench.lines()
    assert any(line.startswith("link,") and line.split(" ")[1].endswith("frames_lost=4") for line in lines)
    mine = [
        line for line in lines if line.startswith("device,") and LOT_DEVICES[0] in line and "channel=ledger" in line
    ]
    assert len({line.rsplit(" ", 1)[1] for line in mine}) == 1, "one point, written again every hour"
    assert "expected=13.0,received=9.0,lost=4.0,duplicates=0.0,dead_letters=0.0,stored=9.0,interval_s=" in mine[-1]
    gateways = [line for line in lines if line.startswith("gateway,")]
    assert f"gateway,gateway={GATEWAYS[0]} uplinks=60.0,share=0.5,rssi=-90.0,snr=8.0" in gateways[0]


async def points(bench: Bench, number: int = 0) -> dict[tuple[str, str], dict[str, float]]:
    """The fields of a device's ledger points by series and time, as a database that takes all lines has them."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for line in await bench.lines():
        series, fields, time_ms = line.rsplit(" ", 2)
        if series.startswith("device,") and "channel=ledger" in series and LOT_DEVICES[number] in series:
            point = found.setdefault((series, time_ms), {})
            point.update({key: float(value) for key, value in (field.split("=") for field in fields.split(","))})
    return found


def named(message: Message, name: str) -> Message:
    """The uplink of a device that the network server calls so."""
    body = json.loads(message.payload)
    body["deviceInfo"]["deviceName"] = name
    return message._replace(payload=json.dumps(body).encode())


async def test_a_device_renamed_within_a_day_has_one_point_that_day(bench: Bench, settings: Settings) -> None:
    """The day keeps the name that it began with, in row and series; the next day has the new one; counts go on."""
    await live(bench, range(6), range(1))
    renamed = [named(uplink(0, turn, NOW + turn * 30 * MINUTE), "Markt 1") for turn in range(6, 12)]
    bench.now_ms = NOW + 12 * 30 * MINUTE
    await bench.send(*renamed)
    bench.now_ms = NOW + DAY
    await bench.send(named(uplink(0, 12, NOW + DAY), "Markt 1"))
    found = await points(bench)
    (first, before), (second, after) = found.items()
    assert "device=device-0001" in first[0]
    assert (before["received"], before["stored"]) == (12, 12)
    assert "device=Markt\\ 1" in second[0]
    assert after["received"] == 1
    assert (await ledger_of(bench, settings))["2027-01-15"][1] == 12


async def test_a_day_that_begins_with_a_new_name_has_it(bench: Bench) -> None:
    """A device, not yet known well enough to be missed, comes back the next day under another name."""
    await live(bench, range(2), range(1))
    bench.now_ms = NOW + DAY
    await bench.send(named(uplink(0, 2, NOW + DAY), "Markt"))
    first, second = await points(bench)
    assert "device=device-0001" in first[0]
    assert "device=Markt" in second[0]


async def test_a_renamed_device_keeps_its_days_name_over_a_restart(settings: Settings) -> None:
    """From the log and from the table of devices alike."""
    async with running(settings) as first:
        await live(first, range(2), range(2))
        await first.send(*(named(uplink(n, 2, NOW + 21 * MINUTE), "Markt") for n in range(2)))
        await first.service.upkeep.fold()
        await first.send(named(uplink(1, 3, NOW + 22 * MINUTE), "Markt"))
    for number in range(2):
        async with running(settings, NOW + 90 * MINUTE) as second:
            await second.send(named(uplink(number, 4, NOW + 80 * MINUTE), "Markt"))
            ((series, _),) = await points(second, number)
            assert f"device=device-{number + 1:04}" in series


@pytest.mark.parametrize("delivered", [1, 2])
async def test_an_uplink_that_nobody_can_read_is_a_dead_letter_and_not_lost(
    bench: Bench, settings: Settings, delivered: int
) -> None:
    """Of counters 3 to 5 one came broken, however often: two lost, one dead letter; the next gap is whole again."""
    await live(bench, range(3), range(1))
    await bench.send(*[raw(b"{", where=topic(LOT_DEVICES[0]))] * delivered)
    await bench.send(uplink(0, 6, NOW + 60 * MINUTE))
    assert (await ledger_of(bench, settings))["2027-01-15"][1:] == [5, 2, 0, 1, 4]
    bench.now_ms = NOW + 90 * MINUTE
    await bench.send(uplink(0, 9, NOW + 90 * MINUTE))
    assert (await ledger_of(bench, settings))["2027-01-15"][1:] == [6, 4, 0, 1, 5]
    links = [line for line in await bench.lines() if line.startswith("link,")]
    assert [line.split("frames_lost=")[1].split(" ")[0] for line in links] == ["0", "0", "0", "2", "2"]


async def test_a_broken_uplink_is_known_again_after_a_restart(settings: Settings) -> None:
    """Redelivered to a service started anew it is counted once."""
    broken = raw(b"{", where=topic(LOT_DEVICES[0]))
    async with running(settings) as first:
        await live(first, range(3), range(1))
        await first.send(broken)
    async with running(settings, NOW + 30 * MINUTE) as second:
        await second.send(broken, raw(b"{ ", where=topic(LOT_DEVICES[0])))
        assert (await ledger_of(second, settings))["2027-01-15"][1:] == [5, 0, 0, 2, 3]


async def test_what_is_no_uplink_of_the_device_counts_nowhere(bench: Bench, settings: Settings) -> None:
    """Spoofed, another event, an unknown device, no topic of a device: dead letters, but of nobody's ledger."""
    await live(bench, range(3), range(2))
    await bench.send(
        uplink(1, 3, NOW + 30 * MINUTE)._replace(topic=topic(LOT_DEVICES[0])),
        raw(b"{", where=topic(LOT_DEVICES[0], "status")),
        raw(b"{", where=topic("70b3d57ed00000ff")),
        raw(b"{", where="application/x/device/y/event/up"),
    )
    assert len(await bench.letters()) == 4
    await bench.send(uplink(0, 5, NOW + 50 * MINUTE))
    assert (await ledger_of(bench, settings))["2027-01-15"][1:] == [4, 2, 0, 0, 4]
    assert (await ledger_of(bench, settings, 1))["2027-01-15"][1:] == [3, 0, 0, 0, 3]


async def test_silent_days_have_points_once_the_device_is_back(bench: Bench, settings: Settings) -> None:
    """Heard for two hours (too short to be missed by its gateway), away for three days: five days, five points."""
    await live(bench, range(12), range(1))
    bench.now_ms = NOW + 4 * DAY
    await bench.send(uplink(0, 12, NOW + 4 * DAY))
    rows = await ledger_of(bench, settings)
    found = {time_ms: point for (_, time_ms), point in (await points(bench)).items()}
    assert len(rows) == len(found) == 5
    for counts, point in zip(rows.values(), found.values(), strict=True):
        assert [point["received"], point["stored"]] == [counts[1], counts[5]]
    assert [point["expected"] for point in found.values()][1:4] == [144] * 3


async def test_a_retry_mends_the_day_it_came_on(settings: Settings) -> None:
    """Two dead letters of a closed day go through: its row and its point say so, in the series they were in."""
    unknown = [uplink(0, turn, NOW + turn * 10 * MINUTE) for turn in (3, 4)]
    bodies = [json.loads(message.payload) for message in unknown]
    for body in bodies:
        body["deviceInfo"]["deviceProfileName"] = "New one"
    action = Action("os:test", "dead-letters retry", "1", "codec added")
    async with running(settings) as bench:
        await live(bench, range(3), range(1))
        bench.now_ms = NOW + DAY
        where = topic(LOT_DEVICES[0])
        await bench.send(*(raw(json.dumps(body).encode(), where=where) for body in bodies))
        await bench.send(uplink(0, 5, NOW + DAY))
        before = await points(bench)
        assert (await ledger_of(bench, settings))["2027-01-15"][1:] == [5, 0, 0, 2, 3]
    profiles = {**PROFILES, "New one": "bosch/tps110"}
    known = settings.model_copy(update={"codecs": settings.codecs.model_copy(update={"profiles": profiles})})
    async with running(known, NOW + DAY) as bench:
        assert [await bench.service.retry(letter, action) for letter in (1, 2)] == [None, None]
        assert (await ledger_of(bench, settings))["2027-01-15"][1:] == [5, 0, 0, 0, 5]
        found = await points(bench)
        assert found.keys() == before.keys()
        first = next(iter(found.values()))
        assert (first["received"], first["dead_letters"], first["stored"]) == (5, 0, 5)


async def test_two_retries_in_the_batch_that_closes_their_day(settings: Settings) -> None:
    """The day's row is made and mended twice by one commit."""
    bodies = [json.loads(uplink(0, turn, NOW + turn * 10 * MINUTE).payload) for turn in (3, 4)]
    for body in bodies:
        body["deviceInfo"]["deviceProfileName"] = "New one"
    letters = [raw(json.dumps(body).encode(), where=topic(LOT_DEVICES[0])) for body in bodies]
    async with running(settings) as bench:
        await live(bench, range(3), range(1))
        await bench.send(*letters)
    profiles = {**PROFILES, "New one": "bosch/tps110"}
    known = settings.model_copy(update={"codecs": settings.codecs.model_copy(update={"profiles": profiles})})
    async with running(known, NOW + DAY) as bench:
        processor, journal = bench.service.processor, bench.service.journal
        arrived = [processor.read(uplink(0, 5, NOW + DAY))]
        arrived += [processor.read(message, number) for number, message in enumerate(letters, 1)]
        outcome = processor.process(arrived, await journal.look_up(processor.wanted(arrived, journal.newest_seen_ms)))
        await journal.commit(outcome.batch, bench.now_ms)
        processor.merge(outcome)
        assert (await ledger_of(bench, settings))["2027-01-15"][1:] == [5, 0, 0, 0, 5]
