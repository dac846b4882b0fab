"""The service's clock, as a depot shows it."""

from simulator.depot.clock import ServiceClock
from tests.simulator.depot.driving import NIGHT

SECOND = 1_000_000_000


class Wall:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.ns = 77 * SECOND

    def __call__(self) -> int:
        """What it shows."""
        return self.ns


def test_it_begins_with_what_it_hears_and_runs_on_at_speed() -> None:
    """Nothing is known before; then two real seconds at speed 60 are two minutes."""
    wall = Wall()
    clock = ServiceClock(60, source=wall)
    assert (clock.known, clock.now_ns()) == (False, 0)
    assert clock.hear(NIGHT) == 0
    wall.ns += 2 * SECOND
    assert (clock.known, clock.now_ns()) == (True, NIGHT + 120 * SECOND)
    assert clock.left_s(NIGHT + 180 * SECOND) == 1
    assert clock.left_s(NIGHT) == 0


def test_it_begins_where_it_is_told_to() -> None:
    """Without having heard anything."""
    wall = Wall()
    clock = ServiceClock(1, NIGHT, wall)
    wall.ns += SECOND
    assert (clock.known, clock.now_ns()) == (True, NIGHT + SECOND)


def test_it_is_set_forward_at_once_and_never_back() -> None:
    """Where it was ahead it stands until the service has caught up, and says by how much."""
    wall = Wall()
    clock = ServiceClock(10, NIGHT, wall)
    assert clock.hear(NIGHT + 50 * SECOND) == -50
    assert clock.now_ns() == NIGHT + 50 * SECOND
    assert clock.hear(NIGHT + 20 * SECOND) == 30
    wall.ns += 2 * SECOND
    assert clock.now_ns() == NIGHT + 50 * SECOND
    assert clock.left_s(NIGHT + 50 * SECOND) == 1
    wall.ns += 2 * SECOND
    assert clock.now_ns() == NIGHT + 60 * SECOND
