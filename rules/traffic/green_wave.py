"""Which of the supplied coordination programmes a corridor should run: inbound, outbound, balanced or off.

Offsets are engineering and stand in the supply data of the controllers; here one of them is chosen, for all groups of
the corridor or for none. Decided once a minute on fresh flows of both directions; a direction is favoured at once, all
other switches wait for the dwell time. `off` is asked for once, the others are renewed.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, cast

from rules.event import SOURCE_ROOT, event_id, instant
from rules.event_traffic import GreenWaveRequested, Programme
from rules.point import Point
from rules.rule import Input, Json, Outputs, Rule
from rules.traffic import evidence, steered
from rules.traffic.control import Control, blocked
from rules.traffic.control import known as known_programme
from rules.traffic.link import members, members_signals
from rules.traffic.plan_target import Load
from rules.traffic.steered import Flows, Steer, Steered, stepping
from rules.traffic.wave_config import WaveConfig, configure

ID: Final = "traffic.green_wave"
VERSION: Final = 1
SOURCE = f"{SOURCE_ROOT}/{ID}"
CODES: Mapping[Programme, float] = {"off": 0.0, "balanced": 1.0, "inbound": 2.0, "outbound": 3.0}
NAMES: Mapping[Programme, tuple[str, str]] = {
    "inbound": ("stadteinwärts", "inbound"),
    "outbound": ("stadtauswärts", "outbound"),
    "balanced": ("in beiden Richtungen", "in both directions"),
    "off": ("aus", "off"),
}


class Choice(NamedTuple):
    """What was decided: the programme that the traffic wants, the one to ask for (None: none), or why not."""

    wanted: Programme | None
    ask: Programme | None
    why: str


def step(config: WaveConfig, wave: Steered, given: Input) -> tuple[Steered, Outputs]:
    """Take in what detectors and controllers say; decide once a minute."""
    return stepping(config, wave, given, STEER)


def load(config: WaveConfig, version: int, kept: Json) -> Steered | None:
    """The state from JSON; None when another version of the rule wrote it."""
    return steered.load(config, kept) if version == VERSION else None


def wanted(config: WaveConfig, before: Programme, load_: Load) -> Programme:
    """The programme that the traffic wants while another one runs; leaving one takes more than reaching it."""
    running = before != "off"
    if load_.total < config.off_below_vph + (-config.hysteresis_vph if running else config.hysteresis_vph):
        return "off"
    sides: tuple[tuple[Programme, float], ...] = (("inbound", load_.share), ("outbound", 1 - load_.share))
    for side, share in sides:
        if share > config.share + (-config.share_band if before == side else config.share_band):
            return config.programme(side)
    return config.programme("balanced")


def permits(config: WaveConfig, data: Mapping[str, Any]) -> bool:
    """Whether a request may be outside: the corridor is decided about, and has the programme with these plans."""
    programme = data.get("programme")
    if config.refused or programme == "off":
        return not config.refused
    asked = {each["group"]: each["plan"] for each in data["plans"]}
    return any(name == programme and dict(found.plans) == asked for name, found in config.programmes.items())


def _choose(config: WaveConfig, control: Control, flows: Flows, now_ms: int) -> Choice:
    gap = next((flow.gap for flow in flows.values() if flow.gap), None)
    running = control.reported or known_programme(control) or "off"
    if gap or running not in CODES:
        return Choice(None, None, gap or "foreign_programme")
    before = cast("Programme", running)
    found = wanted(config, before, Load(flows["inbound"].flow_vph, flows["outbound"].flow_vph))
    if found == "off" and known_programme(control) in {None, "off"}:
        return Choice(found, None, "steady")
    slow = not (before in {"off", "balanced"} and found in {"inbound", "outbound"})
    why = blocked(config.control, control, found, now_ms, slow=slow)
    if why is None:
        return Choice(found, found, "steady" if found == before else "asked")
    keeps = why in {"dwell", "too_many_switches"} and control.asked is not None and control.asked.programme != "off"
    return Choice(found, cast("Programme", control.asked.programme) if keeps and control.asked else None, why)


def _event(config: WaveConfig, control: Control, flows: Flows, choice: Choice, given: Input) -> GreenWaveRequested:
    programme: Programme = choice.ask or "off"
    now_ms, inbound, outbound = given.now_ms, flows["inbound"], flows["outbound"]
    supplied = None if programme == "off" else config.programmes[programme]
    german, english = NAMES[programme]
    return GreenWaveRequested.model_validate(
        {
            "id": event_id(ID, config.asset, "wave", given.cause),
            "source": SOURCE,
            "subject": config.asset,
            "time": instant(now_ms),
            "data": {
                "rule": ID,
                "rule_version": VERSION,
                "issued_at": instant(now_ms),
                "valid_until": instant(now_ms + config.control.validity_ms),
                "evidence": (
                    *(
                        evidence.flow(
                            config.flow,
                            flow,
                            now_ms,
                            threshold=config.off_below_vph,
                            hysteresis=config.hysteresis_vph,
                            quantity=f"flow_{heading}",
                        )
                        for heading, flow in flows.items()
                    ),
                    evidence.share(
                        config.flow, inbound, outbound, now_ms, threshold=config.share, hysteresis=config.share_band
                    ),
                ),
                "programme": programme,
                "plans": [
                    {"group": group, "plan": plan} for group, plan in sorted(supplied.plans.items() if supplied else ())
                ],
                "reported": control.reported,
                "speed": supplied.speed_kmh if supplied else None,
                "text_de": f"{config.name}: Grüne Welle {german} empfohlen.",
                "text_en": f"{config.name}: green wave {english} recommended.",
            },
        }
    )


def _point(config: WaveConfig, _control: Control, flows: Flows, choice: Choice, now_ms: int) -> Point | None:
    if choice.wanted is None:
        return None
    fields = [*config.position, ("programme_wanted", CODES[choice.wanted])]
    fields += [(f"flow_{heading}", round(flow.flow_vph, 1)) for heading, flow in flows.items()]
    return Point("asset", (*config.tags, ("channel", "green_wave")), tuple(fields), now_ms)


STEER = Steer(rule=(ID, VERSION), choose=_choose, asks=lambda choice: choice.ask, event=_event, point=_point)
RULE = Rule(
    id=ID,
    version=VERSION,
    kind="corridor",
    configure=configure,
    initial=steered.initial,
    step=step,
    wake=steered.wake,
    dump=steered.dump,
    load=load,
    doubtful=True,
    members=members,
    answers="green-wave",
    overhears=members_signals,
    permits=permits,
)
