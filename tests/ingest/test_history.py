"""History from a file: what is new becomes points, what is known stays as it is, and no rule hears of it."""

import json
from pathlib import Path

import pytest

from ingest.history import HistoryError, Recorded, from_file, topic_of
from ingest.mqtt import Message
from tests.ingest.bench import running
from tests.ingest.replays import (
    DAY_MS,
    HOUR_MS,
    backfilled,
    drained,
    new_store,
    order,
    points,
    replay_settings,
    replayed,
)
from tests.ingest.uplinks import LOT_DEVICES, NOW, event, message, topic

SAMPLES = Path(__file__).parents[1] / "samples"


def recorded(sent: list[Message]) -> list[Recorded]:
    """Messages as a source of history gives them."""
    return [Recorded(item.topic, item.payload) for item in sent]


def past(count: int) -> list[Message]:
    """An uplink every ten minutes, of two devices in turn, until an hour before now."""
    begin = NOW - HOUR_MS - count * 600_000
    return [
        message(dev_eui=LOT_DEVICES[number % 2], f_cnt=number, time_ms=begin + number * 600_000)
        for number in range(count)
    ]


@pytest.mark.parametrize(("kind", "expected"), [("json", 48), ("protobuf", 48)])
def test_a_recorded_file_gives_its_messages(kind: str, expected: int) -> None:
    """Every line of a recording is a message with its topic and its bytes, in JSON and protobuf."""
    refused: list[str] = []
    found = list(from_file(SAMPLES / f"chirpstack-4.20-events-{kind}.ndjson", refused.append))
    assert refused == []
    assert abs(len(found) - expected) <= 2
    assert all(item.topic.startswith("application/") for item in found)
    assert all((item.payload[:1] == b"{") == (kind == "json") for item in found)


def test_lines_that_are_no_messages_are_named_and_passed_over(tmp_path: Path) -> None:
    """A broken line is told with its number; the lines around it are read."""
    path = tmp_path / "record.ndjson"
    good = json.dumps({"topic": "a", "payload_hex": "00ff"})
    path.write_text(f'{good}\nno json\n{{"payload":{{}}}}\n[1]\n\n{{"topic":5,"payload":1}}\n{good}\n')
    refused: list[str] = []
    assert list(from_file(path, refused.append)) == [Recorded("a", b"\x00\xff")] * 2
    assert [line.partition(":")[0] for line in refused] == [f"record.ndjson line {number}" for number in (2, 3, 4, 6)]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The error names the file."""
    with pytest.raises(HistoryError, match=r"nothing\.ndjson"):
        list(from_file(tmp_path / "nothing.ndjson", lambda _: None))


def test_topics_follow_the_template() -> None:
    """Both forms of names in event_topic are filled."""
    assert topic_of("app/{application_id}/{{ dev_eui }}/{event}", "a", "d", "up") == "app/a/d/up"


async def test_history_becomes_points_and_nothing_else(tmp_path: Path) -> None:
    """Uplinks from before the service are in the store under their asset; no rule, event or ledger knows of them."""
    async with running(replay_settings(tmp_path), NOW) as bench:
        store = new_store(bench)
        query = "SELECT (SELECT count(*) FROM event), (SELECT count(*) FROM state), (SELECT count(*) FROM device_log)"
        before = await bench.service.journal.query(lambda c: tuple(c.execute(query).fetchone()))
        result = await backfilled(bench, recorded(past(20)))
        await drained(bench, store)
        after = await bench.service.journal.query(lambda c: tuple(c.execute(query).fetchone()))
        await store.close()
    path = bench.service.settings.store.path
    assert path is not None
    assert len(points(path, "parking")) == len(points(path, "link")) == 20
    assert all("asset=lot-markt" in series for series, _, _ in points(path, "parking"))
    assert points(path, "asset") == []
    assert after == before
    assert (result.counts["stored"], result.counts["duplicates"]) == (20, 0)


async def test_a_second_backfill_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Known uplinks, and other copies of the same frame, are duplicates; nothing is written for them."""
    monkeypatch.setattr("ingest.pipeline.ABSENT_S", 3600.0)  # a tick would write, too
    async with running(replay_settings(tmp_path), NOW) as bench:
        store = new_store(bench)
        live = past(20)
        await bench.send(*live[10:])
        copies = [
            message(dev_eui=LOT_DEVICES[1], f_cnt=19, time_ms=NOW - HOUR_MS - 600_000 + 500, deduplication_id="x")
        ]
        first = await backfilled(bench, recorded(live + copies))
        await drained(bench, store)
        path = bench.service.settings.store.path
        assert path is not None
        before = points(path)
        rows = "SELECT (SELECT count(*) FROM raw), (SELECT max(seq) FROM points), (SELECT count(*) FROM seen)"
        size = await bench.service.journal.query(lambda c: tuple(c.execute(rows).fetchone()))
        second = await backfilled(bench, recorded(live + copies))
        assert await bench.service.journal.query(lambda c: tuple(c.execute(rows).fetchone())) == size
        await drained(bench, store)
        assert points(path) == before
        await store.close()
    assert (first.counts["stored"], first.counts["duplicates"]) == (10, 11)
    assert (second.counts["stored"], second.counts["duplicates"]) == (0, 21)


async def test_what_was_backfilled_comes_a_second_time_over_mqtt_as_a_duplicate(tmp_path: Path) -> None:
    """An uplink that a backfill stored is known when the broker delivers it after all."""
    async with running(replay_settings(tmp_path), NOW) as bench:
        sent = past(4)
        await backfilled(bench, recorded(sent))
        await bench.send(*sent)
        assert bench.service.telemetry.totals.duplicates == 4
        assert bench.service.telemetry.totals.stored == 0


async def test_other_events_are_added_once(tmp_path: Path) -> None:
    """A status of a device is history, too, and the same one a second time is a duplicate."""
    status = event(LOT_DEVICES[0], time_ms=NOW - HOUR_MS) | {"margin": 7, "batteryLevel": 80.0}
    sent = [Recorded(topic(LOT_DEVICES[0], "status"), json.dumps(status).encode())]
    async with running(replay_settings(tmp_path), NOW) as bench:
        first, second = await backfilled(bench, sent), await backfilled(bench, sent)
        lines = [line for line in await bench.lines() if "battery_level=80.0" in line]
    assert (first.counts["stored"], second.counts["stored"], second.counts["duplicates"]) == (1, 0, 1)
    assert len(lines) == 1


async def test_history_can_be_replayed(tmp_path: Path) -> None:
    """Backfilled messages are kept raw, too: a replay of their span gives the same points."""
    async with running(replay_settings(tmp_path), NOW) as bench:
        store = new_store(bench)
        await backfilled(bench, recorded(past(20)))
        await drained(bench, store)
        path = bench.service.settings.store.path
        assert path is not None
        before = points(path)
        result = await replayed(bench, order(NOW - DAY_MS, NOW))
        await drained(bench, store)
        assert points(path) == before
        await store.close()
    assert (result.counts["messages"], result.counts["readings_changed"]) == (20, 0)
    assert all("since then all of its messages are kept" in problem for problem in result.problems)


async def test_what_cannot_be_used_is_told_and_not_remembered(tmp_path: Path) -> None:
    """Broken, spoofed, undecodable and simulated messages become lines of the report; no dead letter, no identity."""
    spoofed = Recorded(topic(LOT_DEVICES[3]), past(1)[0].payload)
    undecodable = message(dev_eui=LOT_DEVICES[4], f_port=99, time_ms=NOW - HOUR_MS)
    simulated = message(dev_eui="025354464b000001", time_ms=NOW - HOUR_MS)
    broken = Recorded(topic(), b"{")
    async with running(replay_settings(tmp_path), NOW) as bench:
        sent = [spoofed, broken, *recorded([undecodable, simulated]), *recorded(past(1))]
        result = await backfilled(bench, sent)
        assert await bench.letters() == []
        assert await bench.service.journal.query(lambda c: c.execute("SELECT count(*) FROM seen").fetchone()[0]) == 1
    assert (result.counts["messages"], result.counts["stored"], result.counts["undecodable"]) == (5, 1, 4)
    assert len(result.problems) == 4
