"""The chain of stages, on a clock of the test's own."""

import pytest

from ingest.chain import BROKER, EVENTS, JOURNAL, OPEN, RETURN, Chain

BEAT_S = 30.0
PATIENCE_S = 90.0
SINK = "sink store"
STAGES = (BROKER, RETURN, JOURNAL, SINK, EVENTS)


def made(now_s: float = 1000.0) -> Chain:
    """A chain with one sink."""
    return Chain(BEAT_S, ["store"], now_s)


def go(chain: Chain, number: int, begin_s: float, *stages: str) -> bool:
    """Send a canary that passes these stages, each a second after the last; whether it came round."""
    chain.begin(number, begin_s)
    done = False
    for seconds, stage in enumerate(stages, 1):
        done = chain.passed(number, stage, begin_s + seconds)
    return done


def test_a_round_trip_is_complete_with_its_last_stage() -> None:
    """Complete for three heartbeats from when the canary set out, no longer; the order of stages is free."""
    chain = made()
    assert not chain.verdict(1000).complete
    assert go(chain, 1, 1000, BROKER, RETURN, JOURNAL, EVENTS, SINK)
    assert chain.verdict(1005) == (True, 5, "", "")
    assert chain.round_trip_s == 5
    assert chain.verdict(1000 + PATIENCE_S - 0.1).complete
    assert not chain.verdict(1000 + PATIENCE_S).complete
    assert chain.under_way() == {}


@pytest.mark.parametrize(
    ("reached", "stage", "text"),
    [
        (0, BROKER, "mqtt: the broker has taken no canary for"),
        (1, RETURN, "mqtt: no canary back for"),
        (2, JOURNAL, "journal: no canary committed for"),
        (3, SINK, "sink store: no canary taken for"),
        (4, EVENTS, "events: no heartbeat published for"),
    ],
)
def test_the_stage_that_hangs_is_named(reached: int, stage: str, text: str) -> None:
    """The first stage that the oldest canary under way has not passed, and since when none passed it."""
    chain = made()
    go(chain, 1, 1000, *STAGES)
    for beat in range(1, 5):
        assert not go(chain, 1 + beat, 1000 + beat * BEAT_S, *STAGES[:reached])
    verdict = chain.verdict(1000 + 5 * BEAT_S)
    assert (verdict.complete, verdict.stage) == (False, stage)
    passed_s = 1 + STAGES.index(stage)
    assert verdict.problem == f"{text} {5 * BEAT_S - passed_s:.0f} s"


def test_what_never_passed_is_counted_from_the_start() -> None:
    """Before the first canary came round the wait is that since the start."""
    chain = made()
    chain.begin(1, 1001)
    assert chain.verdict(1031).problem == "mqtt: the broker has taken no canary for 31 s"
    assert chain.ages(1031) == dict.fromkeys(STAGES)


def test_a_lost_canary_is_forgotten_when_the_next_comes_round() -> None:
    """One that the broker lost does not spoil those behind it; what comes late changes nothing."""
    chain = made()
    go(chain, 1, 1000, BROKER)
    assert go(chain, 2, 1030, *STAGES)
    assert chain.verdict(1040).complete
    assert chain.under_way() == {}
    assert not chain.passed(1, RETURN, 1041)
    assert not chain.passed(2, EVENTS, 1041)
    assert not chain.passed(77, EVENTS, 1041)


def test_memory_is_bounded() -> None:
    """Of canaries that never come back only the newest are remembered."""
    chain = made()
    for number in range(100):
        chain.begin(number, 1000 + number)
    assert list(chain.under_way()) == list(range(100 - OPEN, 100))


def test_only_what_hangs_without_any_movement_is_stuck() -> None:
    """While other things pass the stage it is only behind; when nothing does for three heartbeats, it is stuck."""
    chain = made()
    go(chain, 1, 1000, BROKER, RETURN, JOURNAL, EVENTS)
    for second in range(0, 200, 10):
        chain.progress(SINK, second, 1000 + second)
        assert chain.stuck(1000 + second) == ""
    assert not chain.verdict(1190).complete
    for second in range(200, 270, 10):
        chain.progress(SINK, 190, 1000 + second)
        assert chain.stuck(1000 + second) == ""
    assert chain.stuck(1000 + 190 + PATIENCE_S) == SINK


def test_the_first_heartbeats_have_time() -> None:
    """Nothing is stuck before a chain that has just begun had three heartbeats."""
    chain = made()
    assert chain.stuck(1000 + PATIENCE_S - 0.1) == ""
    assert chain.stuck(1000 + PATIENCE_S) == BROKER
    assert not chain.returned
