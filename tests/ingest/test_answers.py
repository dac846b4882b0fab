"""Answers to requests: from the broker through the journal to the rule that asked, once, and again in a replay."""

import json
from pathlib import Path

import pytest

from ingest import answers
from ingest.audit import Action
from ingest.decisions import replay as rules_replay
from ingest.mqtt import Message
from ingest.replay.decode_again import Decoder
from rules.catalog import RULES
from rules.city import City
from rules.engine import Overlay
from tests.ingest.bench import Bench, running
from tests.ingest.replays import reading
from tests.ingest.requesting import REQUESTING, requesting
from tests.ingest.test_modes import PLAN, newest, say, with_modes
from tests.ingest.uplinks import CITY, LOT_DEVICES, NOW, message, occupied, raw, rfc3339

__all__ = ["requesting"]

STATUS = f"{PLAN}/status"
MINUTE_MS = 60_000


def answer(number: int, time_ms: int = NOW, topic: str = STATUS, **data: object) -> Message:
    """An answer as a traffic computer publishes it."""
    body = {
        "specversion": "1.0",
        "id": f"answer-{number}",
        "source": "/traffic-computer",
        "type": "de.example.plan.status",
        "time": rfc3339(time_ms),
        "data": {"request_id": "r", "status": "active", "plan": number, **data},
    }
    return raw(json.dumps(body).encode(), where=topic)


async def running_plan(bench: Bench) -> str | None:
    """What the newest request says of the newest answer."""
    name = await newest(bench.service.journal, PLAN)
    row = await bench.service.journal.query(
        lambda connection: connection.execute("SELECT payload FROM event WHERE id = ?", (name,)).fetchone()
    )
    running_now: str | None = json.loads(row[0])["data"]["running"]
    return running_now


@pytest.mark.usefixtures("requesting")
async def test_what_rules_want_is_subscribed(tmp_path: Path) -> None:
    """The answers that some rule wants, once each, beside those to tours."""
    async with running(with_modes(tmp_path)) as bench:
        assert bench.service.subscriber._topics[-1] == "stadtfunk/v1/traffic/group/+/signal-plan/status"
    tours = "stadtfunk/v1/waste/vehicle/+/route/status"
    assert answers.filters([rule for rule in RULES if not rule.answers]) == (tours,)
    assert answers.filters([REQUESTING, REQUESTING]) == (tours, "stadtfunk/v1/traffic/group/+/signal-plan/status")


@pytest.mark.usefixtures("requesting")
async def test_an_answer_reaches_its_rule_once_however_often_it_comes(tmp_path: Path) -> None:
    """Twice in one batch, again in the next and after a restart: heard once; another answer counts again."""
    settings = with_modes(tmp_path)
    async with running(settings, NOW + 2000) as bench:
        await say(bench, 0, NOW)
        await bench.send(answer(3), answer(3))
        await bench.send(answer(3))
        await say(bench, 1, NOW + 1000)
        assert await running_plan(bench) == "3 after 1"
    async with running(settings, NOW + 4000) as bench:
        await bench.send(answer(3), answer(4))
        await say(bench, 2, NOW + 3000)
        assert await running_plan(bench) == "4 after 2"
        assert await bench.letters() == []


@pytest.mark.usefixtures("requesting")
async def test_what_is_no_answer_is_a_dead_letter(tmp_path: Path) -> None:
    """Broken JSON, an asset without such a rule, an unknown word: acknowledged, kept with the reason, nothing else."""
    nowhere, guidance = STATUS.replace("lot-markt", "lot-x"), "stadtfunk/v1/parking/zone/lot-markt/guidance/status"
    async with running(with_modes(tmp_path), NOW) as bench:
        await bench.send(raw(b"{", where=STATUS), answer(1, topic=nowhere), answer(1, topic=guidance))
        await bench.send(answer(1, status="done"), answer(2), raw(b"{}", where="stadtfunk/v1/other/status"))
        assert [reason for reason, _ in await bench.letters()] == ["answer"] * 4 + ["topic"]
        await say(bench, 0, NOW)
        assert await running_plan(bench) == "2 after 1"


@pytest.mark.usefixtures("requesting")
async def test_an_answer_that_came_before_its_rule_can_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dead letter put through again is heard by the rule, and is then resolved."""
    async with running(with_modes(tmp_path), NOW) as bench:
        overlay_answer = Overlay.answer
        monkeypatch.setattr(Overlay, "answer", lambda *_: False)
        await bench.send(answer(7))
        again = Action("anna", "dead-letters retry", "1")
        assert "no rule requests signal-plan" in str(await bench.service.retry(1, again))
        monkeypatch.setattr(Overlay, "answer", overlay_answer)
        assert await bench.service.retry(1, again) is None
        assert await bench.letters() == [("answer", "retried")]
        await say(bench, 0, NOW)
        assert await running_plan(bench) == "7 after 1"


@pytest.mark.usefixtures("requesting")
async def test_a_replay_hears_the_same_answers_at_the_same_place(tmp_path: Path) -> None:
    """Uplinks, ticks and answers in turns: run again, every request is there to the byte, with what it knew then."""
    settings = with_modes(tmp_path)
    async with running(settings, NOW) as bench:
        for number in range(12):
            time_ms = NOW + number * MINUTE_MS
            bench.now_ms = time_ms + 30_000
            await say(bench, number, time_ms)
            then = time_ms + 12_000
            brings_a_tick = message(dev_eui=LOT_DEVICES[0], payload=occupied(yes=True), f_cnt=50 + number, time_ms=then)
            await bench.send(answer(300 + number, then), brings_a_tick)
            if number % 2:
                await bench.send(answer(number, time_ms + 5000))
            if number % 3:
                await bench.tick(time_ms + 20_000)
            if number % 5 == 0:
                await bench.send(answer(100 + number, time_ms - 3_600_000), answer(200 + number, time_ms))
        city = City.parse(json.dumps(CITY))
        everything = rules_replay.Selection(0, NOW * 2)
        with reading(settings) as connection:
            shadow = rules_replay.run(connection, Decoder(settings, city), city, (*RULES, REQUESTING), everything)
        assert {finding.verdict for finding in shadow.findings} == {"same"}
        assert await running_plan(bench) == "311 after 23"
        assert shadow.problems == []
