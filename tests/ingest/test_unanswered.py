"""Requests that nobody answers: only what went out can be unanswered, in every mode, and in a replay as it was."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ingest import answers
from ingest.app import Service
from ingest.broker import Mosquitto
from ingest.decisions import explain as rules_explain
from ingest.decisions import replay as rules_replay
from ingest.decisions import store as rules_store
from ingest.outbox import Outbox
from ingest.replay.decode_again import Decoder
from ingest.settings import Mode, Settings
from ingest.telemetry import Telemetry
from rules.answer import AnswerError
from rules.catalog import RULES
from rules.city import City
from tests.ingest.bench import Bench, city_settings, running, until
from tests.ingest.replays import reading
from tests.ingest.test_answers import answer
from tests.ingest.test_modes import newest, say, statuses
from tests.ingest.test_outbox import Channel
from tests.ingest.uplinks import CITY, NOW

GUIDANCE = "stadtfunk/v1/parking/zone/mitte/guidance"
HEALTH = f"{GUIDANCE}/health"
ZONE = {
    "type": "Feature",
    "id": "mitte",
    "geometry": {"type": "Point", "coordinates": [7.82, 51.68]},
    "properties": {"kind": "zone", "lots": ["lot-markt"]},
}
TOWN = {**CITY, "features": [*CITY["features"], ZONE]}
MINUTE_MS = 60_000


def with_zone(tmp_path: Path, mode: Mode) -> Settings:
    """Settings of the small city with a zone whose guidance is in this mode."""
    settings = city_settings(tmp_path)
    assert settings.city.file is not None
    settings.city.file.write_text(json.dumps(TOWN))
    rules = settings.rules.model_copy(update={"modes": {"parking.guidance": mode}})
    return settings.model_copy(update={"rules": rules})


@contextlib.asynccontextmanager
async def publishing(settings: Settings) -> AsyncIterator[tuple[Bench, Channel]]:
    """A bench whose outbox is at work."""
    async with running(settings) as bench:
        service, channel = bench.service, Channel()
        stopped, went_out = service.modes.is_stopped, service._went_out
        outbox = Outbox(channel, service.journal, service.clock, Telemetry(), 1.0, stopped, None, went_out)
        task = asyncio.create_task(outbox.run())
        try:
            yield bench, channel
        finally:
            task.cancel()
            await asyncio.wait([task])


async def pass_time(bench: Bench, minutes: int) -> None:
    """A tick each minute, every message before it settled."""
    for _ in range(minutes):
        await until(lambda: not bench.service.pipeline.waiting)
        await bench.service.pipeline.between(lambda: bench.tick(bench.now_ms + MINUTE_MS))


async def problems(bench: Bench) -> list[object]:
    """The problems that were told, oldest first."""
    return [data["problem"] for data in await bench.events("guidance_health")]


@pytest.mark.parametrize(
    ("mode", "kept", "expected"),
    [("active", "published", ["no_answer"]), ("shadow", "shadow", []), ("confirm", "waiting", []), ("off", "off", [])],
)
async def test_only_what_went_out_is_unanswered(tmp_path: Path, mode: Mode, kept: str, expected: list[str]) -> None:
    """Five minutes without an answer are a problem where the request was published, and none anywhere else."""
    async with publishing(with_zone(tmp_path, mode)) as (bench, channel):
        await say(bench, 0, NOW)
        if mode == "active":
            await until(lambda: any(topic == GUIDANCE for topic, *_ in channel.sent))
        await pass_time(bench, 5)
        assert await problems(bench) == expected
        async with asyncio.timeout(60):
            while kept not in await statuses(bench.service.journal, GUIDANCE):
                await asyncio.sleep(0.05)


async def test_a_confirmed_request_is_waited_for_from_then_on(tmp_path: Path) -> None:
    """Confirmed after six minutes, unanswered two minutes later: said without another confirmation."""
    async with publishing(with_zone(tmp_path, "confirm")) as (bench, channel):
        await say(bench, 0, NOW)
        await pass_time(bench, 6)
        assert await problems(bench) == []
        (waiting, *_) = [
            item
            for item in await bench.service.journal.query(lambda c: list(rules_store.waiting(c, bench.now_ms)))
            if item.topic == GUIDANCE
        ][-1:]
        await bench.service.rules.confirm(waiting.id, "anna", "seen")
        await until(lambda: any(topic == GUIDANCE for topic, *_ in channel.sent))
        await pass_time(bench, 3)
        assert await problems(bench) == ["no_answer"]
        await until(lambda: any(topic == HEALTH for topic, *_ in channel.sent))


async def test_a_refusal_needs_no_confirmation_to_be_told(tmp_path: Path) -> None:
    """In mode `confirm` a person decides about requests, not about whether they are carried out."""
    async with publishing(with_zone(tmp_path, "confirm")) as (bench, channel):
        await say(bench, 0, NOW)
        waiting = await bench.service.journal.query(lambda c: list(rules_store.waiting(c, NOW)))
        name = [item.id for item in waiting if item.topic == GUIDANCE][-1]
        await bench.send(answer(1, topic=f"{GUIDANCE}/status", request_id=name, status="rejected"))
        await until(lambda: any(topic == HEALTH for topic, *_ in channel.sent))
        assert await problems(bench) == ["rejected"]


async def test_a_replay_knows_what_went_out(tmp_path: Path) -> None:
    """The word that a request went out is kept with the raw messages: the same events, to the byte."""
    settings = with_zone(tmp_path, "active")
    async with publishing(settings) as (bench, channel):
        await say(bench, 0, NOW)
        await until(lambda: any(topic == GUIDANCE for topic, *_ in channel.sent))
        await pass_time(bench, 5)
        await say(bench, 1, bench.now_ms)
        assert await problems(bench) == ["no_answer"]
        city = City.parse(json.dumps(TOWN))
        everything = rules_replay.Selection(0, NOW * 2)
        with reading(settings) as connection:
            shadow = rules_replay.run(connection, Decoder(settings, city), city, RULES, everything)
        assert {finding.verdict for finding in shadow.findings} == {"same"}
        assert shadow.problems == []


async def test_what_follows_other_rules_is_run_again_with_them(tmp_path: Path) -> None:
    """Guidance alone is compared to the byte, and its step explained, though it hears nothing but what lots say."""
    settings = with_zone(tmp_path, "shadow")
    async with running(settings) as bench:
        await say(bench, 0, NOW)
        await pass_time(bench, 2)
        name = await newest(bench.service.journal, GUIDANCE)
        city = City.parse(json.dumps(TOWN))
        chosen = rules_replay.Selection(0, NOW * 2, "parking.guidance")
        with reading(settings) as connection:
            decoder = Decoder(settings, city)
            shadow = rules_replay.run(connection, decoder, city, RULES, chosen)
            kept = rules_explain.kept(connection, name)
            explained = rules_explain.explain(connection, decoder, city, RULES, kept, 1)
        assert {(finding.verdict, finding.said.rule) for finding in shadow.findings} == {("same", "parking.guidance")}
        assert explained.exact
        assert explained.given is not None
        assert explained.given["kind"] == "event"


async def untold(settings: Settings) -> str:
    """Leave a journal in which a request was published and no commit holds the word of that; the request's id."""
    async with running(settings) as bench:
        await say(bench, 0, NOW)
        journal = bench.service.journal
        waiting = await journal.pending_events(100, NOW, [])
        await journal.events_done([(item.seq, "published") for item in waiting], [], [], NOW, [])
        assert set(await statuses(journal, GUIDANCE)) == {"published"}
        return await newest(journal, GUIDANCE)


async def test_a_request_is_unanswered_though_the_service_ended_before_it_could_say_that_it_was_out(
    tmp_path: Path,
) -> None:
    """The next start says it, from then on an answer is waited for; said again, it counts once."""
    settings = with_zone(tmp_path, "active")
    name = await untold(settings)
    async with running(settings) as bench:
        bench.service.processor.last_tick_ms = 0
        for _ in range(2):
            await bench.service._tell_unheard()
        await until(lambda: not bench.service.pipeline.waiting)
        await pass_time(bench, 1)
        assert await bench.service.journal.query(lambda c: answers.unheard(c, NOW)) == []
        await bench.service._tell_unheard()
        await pass_time(bench, 4)
        assert await problems(bench) == ["no_answer"]
        assert [data["request_id"] for data in await bench.events("guidance_health")] == [name]
        assert await bench.letters() == []


@pytest.mark.parametrize("mode", ["active", "shadow", "confirm", "off"])
async def test_a_request_that_is_not_out_is_not_told(tmp_path: Path, mode: Mode) -> None:
    """Neither one that waits for the broker, nor one that nobody lets out."""
    async with running(with_zone(tmp_path, mode)) as bench:
        await say(bench, 0, NOW)
        assert await statuses(bench.service.journal, GUIDANCE) != []
        assert await bench.service.journal.query(lambda c: answers.unheard(c, NOW)) == []


async def test_only_a_valid_request_without_its_word_is_told(tmp_path: Path) -> None:
    """Not one that has expired by then, nor one that went out as it ought to."""
    settings = with_zone(tmp_path, "active")
    name = await untold(settings)
    with reading(settings) as connection:
        told = [answers.read(word.topic, word.payload) for word in answers.unheard(connection, NOW)]
        assert [item.request_id for item in told if item is not None] == [name]
        assert answers.unheard(connection, NOW + 60 * MINUTE_MS) == []
    folder = tmp_path / "other"
    folder.mkdir()
    settings = with_zone(folder, "active")
    async with publishing(settings) as (bench, channel):
        await say(bench, 0, NOW)
        await until(lambda: any(topic == GUIDANCE for topic, *_ in channel.sent))
        await until(lambda: not bench.service.pipeline.waiting)
        await pass_time(bench, 1)
        async with asyncio.timeout(60):
            while "published" not in await statuses(bench.service.journal, GUIDANCE):
                await asyncio.sleep(0.05)
        assert await bench.service.journal.query(lambda c: answers.unheard(c, NOW)) == []


@pytest.mark.mosquitto
async def test_a_start_tells_before_anything_else(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """A service that runs has said it by itself."""
    settings = with_zone(tmp_path, "active")
    await untold(settings)
    settings = settings.model_copy(update={"mqtt": settings.mqtt.model_copy(update={"port": mosquitto.port})})
    service = Service(settings, clock=lambda: NOW)
    async with asyncio.TaskGroup() as group, asyncio.timeout(60):
        group.create_task(service.run())
        while not service.publisher.connected or await service.journal.query(lambda c: bool(answers.unheard(c, NOW))):
            await asyncio.sleep(0.05)
        service.stop()


def test_the_word_that_a_request_went_out_is_read_as_it_was_written() -> None:
    """Of requests that are answered alone; a broken one is no answer."""
    word = answers.sent(GUIDANCE, "r-1", 1250)
    assert word is not None
    read = answers.read(word.topic, word.payload)
    assert read is not None
    assert (read.subject, read.what, read.request_id, read.status, read.time_ms) == (
        "mitte",
        "guidance",
        "r-1",
        "sent",
        1250,
    )
    assert answers.is_answer(word.topic)
    assert answers.sent("stadtfunk/v1/custom/rule/lot/downlink", "r-1", 1) is None
    for payload in (b"", b"{}", b"[]", b'{"request_id": "r", "time_ms": null}'):
        with pytest.raises(AnswerError, match="does not say which request went out"):
            answers.read(word.topic, payload)
