"""Rules run again over what a journal holds: the same code and city say the same, to the byte."""

import json
import sqlite3
from pathlib import Path

from ingest import journal_raw
from ingest.decisions.replay import Selection, Shadow, run
from ingest.journal_raw import Damaged
from ingest.replay.decode_again import Decoder
from rules.catalog import RULES
from rules.city import City
from tests.ingest.bench import Bench, running
from tests.ingest.replays import DAY_MS, HOUR_MS, reading, replay_settings
from tests.ingest.uplinks import BIN_DEVICE, CITY, LOT_DEVICES, NOW, message, occupied

MINUTE_MS = 60_000
ALL = Selection(0, NOW * 2)
FULL = bytes.fromhex("0175640367f80004822c01050000")
EMPTY = bytes.fromhex("0175640367f80004824408050000")


async def day(bench: Bench) -> None:
    """Six hours of parking and a filling bin, with duplicates, late and undecodable uplinks, and quiet in between."""
    count = 0
    for minute in range(0, 360, 3):
        now_ms = NOW + minute * MINUTE_MS
        bench.now_ms = now_ms + 500
        sent = []
        for number, name in enumerate(LOT_DEVICES[:16]):
            if (minute // 3 + number) % 4 == 0 and not 120 <= minute < 180:
                count += 1
                late_ms = 40 * MINUTE_MS if count % 11 == 0 else 0
                state = occupied(yes=(minute // 30 + number) % 5 < 3)
                sent.append(message(dev_eui=name, payload=state, f_cnt=count, time_ms=now_ms - late_ms))
        if minute % 30 == 0:
            fill = FULL if minute >= 200 else EMPTY
            profile = "Milesight EM400-MUD"
            sent.append(
                message(dev_eui=BIN_DEVICE, payload=fill, f_port=85, f_cnt=minute, time_ms=now_ms, profile=profile)
            )
            sent.append(message(dev_eui=LOT_DEVICES[0], payload=b"", f_port=99, f_cnt=9000 + minute, time_ms=now_ms))
        if minute % 9 == 0:
            sent += sent[:2]
        if sent:
            await bench.send(*sent)
        processor = bench.service.processor
        if processor.tick_due(now_ms + 400):
            known = await bench.service.journal.look_up(processor.wanted_at(now_ms + 400))
            await bench.service.pipeline._commit(processor.tick(now_ms + 400, known), 0.0)


def shadow_of(tmp_path: Path, bench: Bench, chosen: Selection = ALL, city: City | None = None) -> Shadow:
    """The rules over what the journal holds now, with the bench's city or another."""
    settings = bench.service.settings
    place = city or City.parse(json.dumps(CITY))
    with reading(settings) as connection:
        return run(connection, Decoder(settings, place), place, RULES, chosen)


def verdicts(shadow: Shadow) -> dict[str, int]:
    """How many events of each verdict."""
    found: dict[str, int] = {}
    for finding in shadow.findings:
        found[finding.verdict] = found.get(finding.verdict, 0) + 1
    return found


async def test_the_same_code_and_city_say_the_same_to_the_byte(tmp_path: Path) -> None:
    """From the journal's beginning every event is there again, with its id and its bytes, and no other."""
    async with running(replay_settings(tmp_path), NOW) as bench:
        await day(bench)
        shadow = shadow_of(tmp_path, bench)
        assert verdicts(shadow)["same"] > 20
        assert verdicts(shadow) == {"same": len(shadow.findings)}
        assert {finding.said.rule for finding in shadow.findings} >= {"parking.lot_state", "waste.collection_due"}
        assert shadow.problems == []


async def test_merged_segments_say_the_same(tmp_path: Path) -> None:
    """Compaction and a restart in the middle change nothing."""
    settings = replay_settings(tmp_path)
    async with running(settings, NOW) as bench:
        await day(bench)
    async with running(settings, NOW + 361 * MINUTE_MS) as bench:
        writer = bench.service.journal._writer
        assert await bench.service.journal._write(lambda: journal_raw.compact(writer)) == 0
        await bench.send(
            *(
                message(dev_eui=name, payload=occupied(yes=True), f_cnt=20_000, time_ms=NOW + DAY_MS // 3)
                for name in LOT_DEVICES
            )
        )
        await bench.service.journal._write(lambda: merge_all(writer))
        shadow = shadow_of(tmp_path, bench)
    assert verdicts(shadow) == {"same": len(shadow.findings)}


def merge_all(writer: sqlite3.Connection) -> None:
    """Merge every five rows of a class, however small."""
    damaged: list[Damaged] = []
    kept = list(journal_raw.read(writer, 0, journal_raw.LAST, damaged.append))
    assert kept
    assert not damaged
    group = journal_raw.SEGMENT_ROWS
    journal_raw.SEGMENT_ROWS = 5
    try:
        while journal_raw.compact(writer):
            pass
    finally:
        journal_raw.SEGMENT_ROWS = group


async def test_another_city_says_other_things(tmp_path: Path) -> None:
    """A larger lot is full later: events differ, are missing or additional, and the other rule's are the same."""
    larger = json.loads(json.dumps(CITY))
    larger["features"][0]["properties"]["capacity"] = 40
    async with running(replay_settings(tmp_path), NOW) as bench:
        await day(bench)
        shadow = shadow_of(tmp_path, bench, city=City.parse(json.dumps(larger)))
    lots = [finding.verdict for finding in shadow.findings if finding.said.subject == "lot-markt"]
    bins = [finding.verdict for finding in shadow.findings if finding.said.subject == "container-1"]
    assert set(lots) & {"different", "missing", "additional"}
    assert set(bins) == {"same"}


async def test_events_that_nothing_explains_are_missing(tmp_path: Path) -> None:
    """With its raw messages gone an event of the journal is missing; with its row gone it is additional."""
    async with running(replay_settings(tmp_path), NOW) as bench:
        await day(bench)
        writer = bench.service.journal._writer
        named = shadow_of(tmp_path, bench, Selection(0, NOW * 2, subject="container-1")).findings
        assert named
        gone = named[0].said.id
        await bench.service.journal._write(lambda: writer.execute("DELETE FROM event WHERE id = ?", (gone,)).rowcount)
        shadow = shadow_of(tmp_path, bench)
        assert [finding.said.id for finding in shadow.findings if finding.verdict == "additional"] == [gone]
        await bench.service.journal._write(lambda: writer.execute("DELETE FROM raw").rowcount)
        assert "missing" in verdicts(shadow_of(tmp_path, bench))


async def test_a_rule_and_a_subject_can_be_chosen(tmp_path: Path) -> None:
    """Only events of the rule, the subject and the span are compared."""
    async with running(replay_settings(tmp_path), NOW) as bench:
        await day(bench)
        by_rule = shadow_of(tmp_path, bench, Selection(0, NOW * 2, rule="parking.lot_state"))
        early = shadow_of(tmp_path, bench, Selection(0, NOW + HOUR_MS))
    assert {finding.said.rule for finding in by_rule.findings} == {"parking.lot_state"}
    assert verdicts(by_rule) == {"same": len(by_rule.findings)}
    assert verdicts(early) == {"same": len(early.findings)}
    assert len(early.findings) < len(by_rule.findings)
