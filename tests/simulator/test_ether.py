"""Who is heard when several send at once."""

import math
from random import Random

import pytest

from simulator.ether import Ether, OnAir
from simulator.radio import Gateway, Heard, Transmission

NEAR, FAR = Gateway("near", 51.68, 7.82, 30.0), Gateway("far", 51.70, 7.82, 30.0)
S = 1_000_000_000


def _air(*levels: float, factor: int = 7, channel: int = 0) -> Transmission:
    """A frame that arrives with these levels at the near and the far gateway."""
    heard = tuple(
        Heard(gateway, round(level), 5.0, number)
        for number, (gateway, level) in enumerate(zip((NEAR, FAR), levels, strict=True))
    )
    return Transmission(868_100_000, channel, factor, heard, levels)


def _both(one: Transmission, other: Transmission, later_ns: int = S // 2) -> list[set[str]]:
    """Who hears two frames of a second each, the other one later."""
    ether = Ether()
    first = ether.begin(one, 0, S)
    if later_ns >= S:
        heard = ether.end(first)
        return [set(heard), set(ether.end(ether.begin(other, later_ns, S)))]
    second = ether.begin(other, later_ns, S)
    return [set(ether.end(first)), set(ether.end(second))]


def test_overlapping_frames_drown_each_other() -> None:
    """Two equally strong frames are lost both, at every gateway."""
    assert _both(_air(-100, -110), _air(-101, -108)) == [set(), set()]


def test_capture() -> None:
    """Who is 6 dB stronger at a gateway is heard there, whoever came first; there only."""
    assert _both(_air(-90, -110), _air(-96, -110)) == [{"near"}, set()]
    assert _both(_air(-96, -100), _air(-90, -110)) == [{"far"}, {"near"}]
    assert _both(_air(-90, -110), _air(-95.9, -110)) == [set(), set()]


@pytest.mark.parametrize(
    ("other", "later_ns"),
    [(_air(-90, -90, factor=8), S // 2), (_air(-90, -90, channel=1), S // 2), (_air(-90, -90), S)],
    ids=["factor", "channel", "time"],
)
def test_apart(other: Transmission, later_ns: int) -> None:
    """Frames of another spreading factor, on another channel or after the end of the first do no harm."""
    assert _both(_air(-100, -100), other, later_ns) == [{"near", "far"}, {"near", "far"}]


def test_a_gateway_that_is_down_has_no_copy() -> None:
    """A gateway misses frames that begin or end while it is down, and no others."""
    ether = Ether(lambda gateway_id, time_ns: gateway_id == "far" or not 10 * S <= time_ns < 20 * S)
    found = [ether.end(ether.begin(_air(-90, -90), begin * S, 2 * S)) for begin in (0, 9, 15, 19, 20)]
    assert found == [{"near", "far"}, {"far"}, {"far"}, {"far"}, {"near", "far"}]


def test_what_disturbs_nobody() -> None:
    """Such a frame is heard where a gateway listens from its beginning to its end, whatever else is on the air."""
    ether = Ether(lambda gateway_id, time_ns: gateway_id == "near" and not 10 * S <= time_ns < 20 * S)
    loud = ether.begin(_air(0, 0), 0, 100 * S)
    spans = ((1, 3), (9, 11), (12, 14), (19, 21), (20, 22))
    assert [ether.reaches(_air(-90, -90), begin * S, end * S) for begin, end in spans] == [1, 0, 0, 0, 1]
    assert not ether.reaches(_air(-90, -90)._replace(heard=()), 0, S)
    assert ether.end(loud) == {"near"}


@pytest.mark.parametrize("load", [0.1, 0.5, 1.0])
def test_losses_grow_as_aloha_says(load: float) -> None:
    """Without capture, of frames at random times with load G on one channel e^(-2G) get through."""
    assert _through(load, spread_db=0) == pytest.approx(math.exp(-2 * load), abs=0.015)


def test_capture_saves_some() -> None:
    """Where devices differ in strength, more get through than ALOHA says."""
    assert _through(0.5, spread_db=10) > math.exp(-1) + 0.1


def _through(load: float, spread_db: float, count: int = 20_000) -> float:
    rng, ether, now, heard = Random(4), Ether(), 0.0, 0
    flying: list[OnAir] = []
    for _ in range(count):
        now += rng.expovariate(load) * S
        while flying and flying[0].end_ns <= now:
            heard += bool(ether.end(flying.pop(0)))
        flying.append(ether.begin(_air(*[rng.gauss(-100, spread_db)] * 2), int(now), S))
    return (heard + sum(bool(ether.end(last)) for last in flying)) / count
