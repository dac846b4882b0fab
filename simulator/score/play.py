"""A scenario played through the real service, and scored."""

import heapq
from collections.abc import Callable, Iterable, Mapping
from threading import Event
from typing import Protocol

from rules.city import City
from simulator.chirpstack import rfc3339
from simulator.device import NS_PER_MS, NS_PER_S
from simulator.error import SimulatorError
from simulator.faults import Message
from simulator.play import Plan, Simulation
from simulator.score.case import Case, devices_of
from simulator.score.course import Span
from simulator.score.hearing import Hearing, Said
from simulator.score.judge import judge
from simulator.score.loop import Loop
from simulator.score.report import Played, Score
from simulator.score.truth import Truth

STEP_S = 60
SCORED_IN_SHADOW = ("traffic.signal_plan", "traffic.green_wave", "traffic.queue_warning")
ITERATIONS = 1000
SEARCH_S = 30.0


def settings_of(plan: Plan) -> Mapping[str, Mapping[str, object]]:
    """What a stage is set to for a play, so that everything is published which is scored: traffic usually is not.

    Tours are planned only where they are driven; iterations end the search, so that plans are the same each time.
    """
    routes = {"automatic": False} if plan.own_rounds else {"iterations": ITERATIONS, "seconds": SEARCH_S}
    return {"rules": {"modes": dict.fromkeys(SCORED_IN_SHADOW, "active")}, "routes": routes}


class Service(Protocol):
    """A running service whose clock is ours, as simulator.stage.Stage."""

    def publish(self, message: Message) -> None:
        """Send a message."""
        ...

    def advance(self, time_ns: int) -> Iterable[Said]:
        """Let it be that time; what was published since."""
        ...


def play(
    city: City,
    plan: Plan,
    end_ns: int,
    service: Service,
    *,
    step_s: float = STEP_S,
    watch: Callable[[int, int], None] = lambda _time_ns, _messages: None,
    stop: Event | None = None,
) -> Score:
    """Play until then, or until `stop` is set, and score what was heard; `watch` is told time and messages.

    The step is the resolution of what was known when, for uplinks that came late; below two minutes, because
    the service does not believe uplinks that lie further ahead of its clock. Without rounds of the city's own its
    containers are emptied by the tours that the service plans. Raises SimulatorError, CityError.
    """
    truth, hearing = Truth(), Hearing()
    loop = None if plan.own_rounds else Loop(city, plan)
    simulation = Simulation(city, plan, truth, collected=None if loop is None else loop.collected)
    now_ns, messages = plan.start_ns, 0
    while now_ns < end_ns and not (stop is not None and stop.is_set()):
        before_ns, now_ns = now_ns, min(end_ns, now_ns + int(step_s * NS_PER_S))
        told = [] if loop is None else loop.until(now_ns)
        for message in heapq.merge(simulation.messages(now_ns), told, key=_time_ns):
            service.publish(message)
            simulation.report.count(message)
            messages += 1
        step = Span(before_ns // NS_PER_MS, now_ns // NS_PER_MS)
        for heard in service.advance(now_ns):
            hearing.take(heard, step)
            if loop is not None:
                loop.take(heard)
        watch(now_ns, messages)
    if now_ns == plan.start_ns:
        raise SimulatorError("nothing was played that could be scored")
    played = Played(
        plan.scenario.title,
        plan.seed,
        rfc3339(plan.start_ns),
        rfc3339(now_ns),
        len(simulation.devices),
        simulation.report.published,
        hearing.events,
    )
    span = Span(plan.start_ns // NS_PER_MS, now_ns // NS_PER_MS)
    return judge(Case(city, devices_of(simulation.devices), truth, hearing, span, loop), played)


def _time_ns(message: Message) -> int:
    return message.time_ns
