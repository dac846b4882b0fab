"""From the journal to Grafana: every severe event once, in order, whatever Grafana does."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from ingest.grafana import annotations
from ingest.grafana.annotations import Annotator
from ingest.grafana.client import GrafanaClient
from ingest.grafana.episode import event_tag
from ingest.grafana.progress import HELD_AT_MOST, KEY, Progress, load
from ingest.journal import Journal
from ingest.journal_schema import JournalFull
from ingest.settings import GrafanaSettings, JournalSettings
from ingest.telemetry import Telemetry
from tests.doubles.grafana import RIGHTS, TOKEN, Fault, GrafanaDouble, grafana
from tests.ingest.grafana.events import MINUTE, NOW, VALID_MS, alert, condition, keep

WAIT_S = 60.0


class Stand:
    """A journal, a Grafana, a clock, and an annotator between them that can be stopped and started."""

    def __init__(self, journal: Journal, double: GrafanaDouble) -> None:
        self.journal = journal
        self.double = double
        self.now_ms = NOW
        self.telemetry = Telemetry()
        self.annotator = self._new()

    def _new(self) -> Annotator:
        settings = GrafanaSettings(
            url=self.double.url, token=SecretStr(TOKEN), timeout_s=20, backoff_min_s=0.01, backoff_max_s=0.05
        )
        return Annotator(
            GrafanaClient(settings), self.journal, settings, lambda: self.now_ms, self.telemetry, lambda _: "Mitte"
        )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """A fresh annotator at work, ready to take what comes."""
        self.annotator = self._new()
        task = asyncio.create_task(self.annotator.run())
        try:
            await self.until(lambda: self.annotator._progress is not None)
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
        assert task.cancelled()

    async def begun(self) -> None:
        """Let it make out where to begin, so that what comes later is new."""
        async with self.running():
            pass

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for something to become true."""
        async with asyncio.timeout(WAIT_S):
            while not condition():
                await asyncio.sleep(0.01)

    async def seen(self) -> None:
        """Wait until every event was looked at."""
        newest = await self.journal.query(lambda c: c.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()[0])
        await self.until(lambda: self.annotator._progress is not None and self.annotator._progress.seq >= newest)

    async def noted(self) -> Progress:
        """What the journal says of how far it has come."""
        return await self.journal.query(load)

    def spans(self) -> list[tuple[str, int, int]]:
        """Text, begin and end of all annotations, in ms behind NOW, in the order of their making."""
        return [(kept.text, kept.time - NOW, kept.time_end - NOW) for kept in self.double.kept.values()]

    def sample(self, name: str) -> float | None:
        """A metric of the sink."""
        return self.telemetry.registry.get_sample_value(name, {"sink": "grafana"})


@pytest.fixture
async def stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stand]:
    """Everything running but the annotator; it looks often."""
    monkeypatch.setattr(annotations, "LOOK_S", 0.01)
    async with grafana() as double, Journal(JournalSettings(path=tmp_path / "journal.db")) as journal:
        yield Stand(journal, double)


async def test_an_episode_is_one_annotation_from_its_beginning_to_its_end(stand: Stand) -> None:
    """A point while it lasts, renewals are nothing, a span when it is over; what is not severe leaves nothing."""
    async with stand.running():
        await keep(stand.journal, condition("raised"), condition("raised", severity="warning", asset="other"))
        await stand.until(lambda: stand.double.kept)
        assert stand.spans() == [("Feinstaub ist raised", 0, 0)]
        (kept,) = stand.double.kept.values()
        assert {"stadtfunk", "rule:custom.fine_dust", "asset:station-1", "district:Mitte"} < set(kept.tags)
        assert event_tag(condition("raised").id) in kept.tags
        await keep(stand.journal, condition("updated", NOW + MINUTE, since_ms=NOW))
        await keep(stand.journal, condition("cleared", NOW + 2 * MINUTE))
        await stand.seen()
    assert stand.spans() == [("Feinstaub ist raised", 0, 2 * MINUTE)]
    assert stand.double.count("POST") == stand.double.count("PATCH") == 1
    assert (await stand.noted()).open == {}


async def test_an_alert_that_gets_worse_tells_so_and_keeps_what_people_wrote(stand: Stand) -> None:
    """Level 3 reached by an update begins it, level 4 adds its words and severity, below 3 it ends."""
    async with stand.running():
        await keep(stand.journal, alert("raised", 2, 0), alert("updated", 3, 2, NOW + MINUTE, since_ms=NOW))
        await stand.until(lambda: stand.double.kept)
        (kept,) = stand.double.kept.values()
        kept.text += "\nKühlraum geöffnet"
        kept.tags.append("gesehen")
        await keep(stand.journal, alert("updated", 4, 3, NOW + 2 * MINUTE, since_ms=NOW))
        await keep(stand.journal, alert("updated", 2, 4, NOW + 3 * MINUTE, since_ms=NOW))
        await stand.until(lambda: kept.time_end > kept.time)
    assert stand.spans() == [("Hitze Stufe 3\nKühlraum geöffnet\nHitze Stufe 4", MINUTE, 3 * MINUTE)]
    assert "gesehen" in kept.tags
    assert "severity:level 4" in kept.tags
    assert "severity:level 3" not in kept.tags


@pytest.mark.parametrize("status", ["shadow", "withdrawn", "backlog", "damaged"])
async def test_what_its_mode_keeps_inside_leaves_no_annotation(stand: Stand, status: str) -> None:
    """Grafana is not even asked, but for the greeting at the start."""
    async with stand.running():
        await keep(stand.journal, condition(), status=status)
        await stand.seen()
    assert stand.double.requests == [("GET", 200)]


@pytest.mark.parametrize("status", ["pending", "published", "superseded", "expired_unpublished"])
async def test_what_goes_out_is_kept_whether_or_not_anybody_heard_it(stand: Stand, status: str) -> None:
    """Annotations are records: also of what expired while the broker was away, days later, at its own time."""
    stand.now_ms = NOW + 5 * 86_400_000
    async with stand.running():
        await keep(stand.journal, condition(), status=status)
        await stand.until(lambda: stand.double.kept)
    assert stand.spans() == [("Feinstaub ist raised", 0, 0)]


@pytest.mark.parametrize("status", ["waiting", "off"])
async def test_what_a_person_lets_out_later_is_kept_then(stand: Stand, status: str) -> None:
    """Confirmed, or started again; also when the service was restarted in between."""
    async with stand.running():
        await keep(stand.journal, condition(), status=status)
        await keep(stand.journal, condition(asset="other"))
        await stand.until(lambda: stand.double.kept)
    assert len(stand.double.kept) == 1
    assert (await stand.noted()).held == {1}
    async with stand.running():
        await stand.journal.events_done([(1, "pending")], [], [], NOW)
        await stand.until(lambda: len(stand.double.kept) == 2)
        await stand.until(lambda: stand.annotator._progress and not stand.annotator._progress.held)
    assert (await stand.noted()).held == set()


@pytest.mark.parametrize(("status", "later"), [("waiting", "waiting"), ("off", "superseded"), ("waiting", "withdrawn")])
async def test_what_nobody_lets_out_is_forgotten_when_it_expires(stand: Stand, status: str, later: str) -> None:
    """No annotation, and nothing that is looked at for ever."""
    async with stand.running():
        await keep(stand.journal, condition(), status=status)
        await stand.seen()
        await stand.journal.events_done([(1, later)], [], [], NOW)
        stand.now_ms = NOW + VALID_MS
        await stand.until(lambda: stand.annotator._progress and not stand.annotator._progress.held)
    assert stand.double.requests == [("GET", 200)]


def test_not_more_is_held_than_fits() -> None:
    """The oldest go."""
    progress = Progress()
    for seq in range(HELD_AT_MOST + 5):
        progress.hold(seq)
    assert progress.held == set(range(5, HELD_AT_MOST + 5))


async def test_a_grafana_that_is_down_loses_nothing_and_changes_no_order(stand: Stand) -> None:
    """What comes meanwhile waits; all of it is there afterwards, in the order of the events."""
    stand.double.always = Fault()
    async with stand.running():
        for number in range(5):
            await keep(stand.journal, condition(asset=f"a{number}", time_ms=NOW + number, text=f"text {number}"))
            await keep(stand.journal, condition("cleared", NOW + number + 100, asset=f"a{number}"))
        await stand.until(lambda: stand.double.count("GET") > 3)
        assert "no connection" in stand.telemetry.sink_errors["grafana"]
        assert stand.sample("stadtfunk_sink_backoff_seconds")
        stand.double.always = None
        await stand.until(lambda: stand.double.count("PATCH") == 5)
        await stand.until(lambda: not stand.telemetry.sink_errors)
    assert stand.spans() == [(f"text {number}", number, number + 100) for number in range(5)]
    assert stand.sample("stadtfunk_sink_lines_total") == 10
    assert stand.sample("stadtfunk_sink_backoff_seconds") == 0


@pytest.mark.parametrize(
    "faults",
    [
        [Fault(method="POST", after=True)],
        [Fault(500, method="POST", after=True)],
        [Fault(method="POST"), Fault(503, method="POST"), Fault(method="POST", after=True)],
        [Fault(429, method="GET"), Fault(method="GET"), Fault(500, method="PATCH"), Fault(method="PATCH", after=True)],
    ],
)
async def test_an_answer_that_is_lost_makes_no_second_annotation(stand: Stand, faults: list[Fault]) -> None:
    """Done and not answered, not done and not answered: looked for by the event's id before it is done again."""
    stand.double.faults = faults
    async with stand.running():
        await keep(stand.journal, condition(), condition("cleared", NOW + MINUTE))
        await stand.until(lambda: [span for span in stand.spans() if span[2]])
        await stand.seen()
    assert stand.spans() == [("Feinstaub ist raised", 0, MINUTE)]
    assert not stand.double.faults


async def test_a_note_that_did_not_hold_makes_no_second_annotation(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal says nothing of an annotation that is there, as after a crash: it is found, not made again."""
    await stand.begun()

    async def fail(*_: object) -> None:
        raise JournalFull("no room")

    with monkeypatch.context() as patch:
        async with stand.running():
            patch.setattr(Annotator, "_note", fail)
            await keep(stand.journal, condition())
            await stand.until(lambda: stand.double.kept)
            await stand.until(lambda: "no room" in stand.telemetry.sink_errors.get("grafana", ""))
    assert (await stand.noted()).seq == 0
    async with stand.running():
        await stand.seen()
    assert (stand.double.count("POST"), (await stand.noted()).seq) == (1, 1)


async def test_a_restart_goes_on_where_it_was(stand: Stand) -> None:
    """An episode that is open is closed by a later service; what came while none ran is kept, too."""
    async with stand.running():
        await keep(stand.journal, condition())
        await stand.until(lambda: stand.double.kept)
    await keep(stand.journal, condition("cleared", NOW + MINUTE), condition("raised", NOW + 2 * MINUTE))
    async with stand.running():
        await stand.until(lambda: len(stand.double.kept) == 2)
    assert [span[1:] for span in stand.spans()] == [(0, MINUTE), (2 * MINUTE, 2 * MINUTE)]


async def test_the_first_start_brings_no_past_along(stand: Stand) -> None:
    """Events of before are no news, but a renewal of what still holds begins an annotation at its beginning."""
    await keep(stand.journal, condition(), condition(asset="other"))
    async with stand.running():
        await stand.seen()
        await keep(stand.journal, condition("updated", NOW + MINUTE, since_ms=NOW))
        await stand.until(lambda: stand.double.kept)
    assert stand.spans() == [("Feinstaub ist updated", 0, 0)]


async def test_a_damaged_note_begins_with_the_oldest_event_and_doubles_nothing(stand: Stand) -> None:
    """All there is in the journal is looked at again, and found."""
    await stand.begun()
    async with stand.running():
        await keep(stand.journal, condition(), condition("cleared", NOW + 1), condition(asset="other"))
        await stand.seen()
    damage = sqlite3.connect(stand.journal.settings.path)
    damage.execute("UPDATE meta SET value = 'x' WHERE key = ?", (KEY,))
    damage.commit()
    damage.close()
    before, asked = stand.spans(), stand.double.count("GET")
    async with stand.running():
        await stand.seen()
    assert stand.double.count("GET") == asked + 4
    assert (stand.spans(), stand.double.count("POST")) == (before, 2)


async def test_a_wrong_token_is_a_problem_before_the_first_event(stand: Stand) -> None:
    """And none any more once Grafana takes it."""
    stand.double.token = "another"
    async with stand.running():
        await stand.until(lambda: "set grafana.token" in stand.telemetry.sink_errors.get("grafana", ""))
        stand.double.token = TOKEN
        await stand.until(lambda: not stand.telemetry.sink_errors)
    assert {status for _, status in stand.double.requests} == {401, 200}


async def test_rights_that_are_missing_are_said_until_they_are_there(stand: Stand) -> None:
    """403 is no event's fault: nothing is set aside, and it goes on when somebody gave the right."""
    stand.double.rights = {"annotations:read"}
    async with stand.running():
        await keep(stand.journal, condition())
        await stand.until(lambda: "annotations:create" in stand.telemetry.sink_errors.get("grafana", ""))
        stand.double.rights = set(RIGHTS.values())
        await stand.until(lambda: stand.double.kept)
        await stand.until(lambda: not stand.telemetry.sink_errors)
    assert stand.annotator.refused == 0


async def test_an_event_that_grafana_refuses_is_set_aside_and_counted(stand: Stand) -> None:
    """The next ones go on; its renewals are not tried, and the next episode is a new one."""
    stand.double.faults = [Fault(400, method="POST", body='{"message": "bad request data"}')]
    async with stand.running():
        await keep(stand.journal, condition(), condition("updated", NOW + 1, since_ms=NOW), condition(asset="other"))
        await stand.until(lambda: stand.double.kept)
        assert stand.double.count("POST") == 2
        assert "1 events refused" in stand.annotator.warnings()["grafana"]
        await keep(stand.journal, condition("cleared", NOW + 2), condition("raised", NOW + 3))
        await stand.until(lambda: len(stand.double.kept) == 2)
    assert [span[1] for span in stand.spans()] == [0, 3]
    assert stand.sample("stadtfunk_sink_rejected_lines_total") == 1


async def test_an_event_that_grafana_stumbles_over_for_long_is_set_aside_for_others(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """500 to one event: it waits as long as it holds nobody up; then another is tried, and goes, so this one is it."""
    monkeypatch.setattr(annotations, "SUSPECT_S", 0.0)
    stand.double.poison = "raised"
    async with stand.running():
        await keep(stand.journal, condition())
        await stand.until(lambda: stand.double.count("POST") > 3)
        assert stand.annotator.refused == 0
        await keep(stand.journal, condition("cleared", NOW + 1), condition("raised", NOW + 2))
        await keep(stand.journal, condition(asset="third", text="goes"), condition("cleared", NOW + 5, asset="third"))
        await stand.until(lambda: stand.double.kept and stand.spans()[0][2])
        stand.double.poison = ""
        await stand.seen()
    assert stand.annotator.refused in {1, 2}
    assert ("goes", 0, 5) in stand.spans()
    assert len(stand.double.with_tag("asset:third")) == 1


async def test_a_grafana_in_trouble_sets_no_event_aside(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """500 to everything that is added: another event is tried, does not go either, and all wait."""
    monkeypatch.setattr(annotations, "SUSPECT_S", 0.0)
    stand.double.always = Fault(500, method="POST", body='{"message": "Failed to save annotation"}')
    async with stand.running():
        await keep(stand.journal, *(condition(asset=f"a{number}") for number in range(3)))
        await stand.until(lambda: stand.double.count("POST") > 6)
        stand.double.always = None
        await stand.until(lambda: len(stand.double.kept) == 3)
    assert stand.annotator.refused == 0


async def test_an_annotation_that_people_deleted_is_not_made_again(stand: Stand) -> None:
    """Neither by a renewal nor by the end."""
    async with stand.running():
        await keep(stand.journal, condition())
        await stand.until(lambda: stand.double.kept)
        stand.double.kept.clear()
        await keep(stand.journal, condition("updated", NOW + 1, since_ms=NOW), condition("cleared", NOW + 2))
        await stand.until(lambda: stand.annotator._progress and not stand.annotator._progress.open)
    assert stand.double.kept == {}


async def test_connections_are_closed_at_the_end(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """However it ends."""
    closed: list[GrafanaClient] = []

    def close(client: GrafanaClient) -> None:
        closed.append(client)

    monkeypatch.setattr(GrafanaClient, "close", close)
    await stand.begun()
    assert closed == [stand.annotator._grafana]


async def test_an_event_whose_bytes_changed_is_left_out_and_counted(stand: Stand) -> None:
    """Its checksum does not fit; the next one goes on."""
    await stand.begun()
    await keep(stand.journal, condition(), condition(asset="other"))
    damage = sqlite3.connect(stand.journal.settings.path)
    damage.execute("UPDATE event SET payload = replace(payload, 'raised', 'risen') WHERE seq = 1")
    damage.commit()
    damage.close()
    async with stand.running():
        await stand.until(lambda: stand.double.kept)
        assert stand.annotator.refused == 1
    assert len(stand.double.kept) == 1


@pytest.mark.parametrize("span", [7, 5000])
async def test_many_events_of_no_interest_are_passed_in_small_reads(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, span: int
) -> None:
    """A severe one far behind is reached; more of interest than one read holds come in their order."""
    monkeypatch.setattr("ingest.grafana.progress.SPAN", span)
    await stand.begun()
    await keep(stand.journal, *(alert("raised", 1, 0, NOW + number, asset=f"b{number}") for number in range(50)))
    await keep(stand.journal, *(condition(asset=f"a{number}", time_ms=NOW + number) for number in range(120)))
    async with stand.running():
        await stand.until(lambda: len(stand.double.kept) == 120)
    assert [span[1] for span in stand.spans()] == list(range(120))
