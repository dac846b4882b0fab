"""A rule that acts, for lots: it requests a plan whenever a space says something, and hears answers."""

from typing import Literal, NamedTuple

import pytest

from ingest import app
from rules.asset import Asset
from rules.catalog import RULES
from rules.event import SOURCE_ROOT, Request, RequestData, event_id, instant
from rules.rule import Answered, Input, Json, Outputs, Rule, Tick, TourFeedback

ID = "traffic.test_plan"
WHAT = "signal-plan"
VALID_MS = 600_000


class PlanData(RequestData):
    """What is asked for, and what the newest answer said is running."""

    space: str
    running: str | None
    ticks_before: int


class Plan(Request):
    """A request of the test rule."""

    type: Literal["city.stadtfunk.traffic.test_plan.v1"] = "city.stadtfunk.traffic.test_plan.v1"
    data: PlanData

    @property
    def topic(self) -> str:
        """The MQTT topic it is published on."""
        return f"stadtfunk/v1/traffic/group/{self.subject}/{WHAT}"


class Memory(NamedTuple):
    """The newest measurement used, what runs by the newest answer, ticks in all and before that answer."""

    measured_ms: int = 0
    running: str | None = None
    answers: int = 0
    ticks: int = 0
    ticks_before: int = 0


def step(asset: str, memory: Memory, given: Input) -> tuple[Memory, Outputs]:
    """A request for each usable measurement."""
    if isinstance(given, Answered):
        if given.status == "sent":
            return memory, Outputs()
        return Memory(memory.measured_ms, given.plan, memory.answers + 1, memory.ticks, memory.ticks), Outputs()
    if isinstance(given, Tick):
        return memory._replace(ticks=memory.ticks + 1), Outputs()
    if isinstance(given, TourFeedback) or not given.usable(memory.measured_ms):
        return memory, Outputs()
    plan = Plan.model_validate(
        {
            "id": event_id(ID, asset, "plan", given.cause),
            "source": f"{SOURCE_ROOT}/{ID}",
            "subject": asset,
            "time": instant(given.now_ms),
            "data": {
                "rule": ID,
                "rule_version": 1,
                "valid_until": instant(given.now_ms + VALID_MS),
                "issued_at": instant(given.now_ms),
                "evidence": (),
                "ticks_before": memory.ticks_before,
                "space": given.dev_eui,
                "running": memory.running and f"{memory.running} after {memory.answers}",
            },
        }
    )
    return memory._replace(measured_ms=given.time_ms), Outputs((plan,))


def configure(asset: Asset) -> str:
    """The asset's id."""
    return asset.id


def load(_asset: str, _version: int, kept: Json) -> Memory:
    """The state again."""
    assert isinstance(kept, dict)
    return Memory(**kept)


REQUESTING = Rule(
    id=ID,
    version=1,
    kind="lot",
    configure=configure,
    initial=lambda _asset: Memory(),
    step=step,
    wake=lambda _asset, _memory: 0,
    dump=lambda memory: memory._asdict(),
    load=load,
    answers=WHAT,
)


@pytest.fixture
def requesting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Services of this test have the rule, too."""
    monkeypatch.setattr(app, "RULES", (*RULES, REQUESTING))
