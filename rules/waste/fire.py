"""Signs of a fire in a container, told at the first reading: heat, sudden warming, the sensor's own alarm.

The sensor's own alarm or absolute heat is severe, sudden warming alone a warning. It asks for doubtful readings, for a
sudden heat is just what looks like an error. It ends when nothing spoke for it for half an hour and it is cool again.
"""

from dataclasses import dataclass
from typing import NamedTuple

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.asset import Asset
from rules.environment.state import dump, loader
from rules.event import SOURCE_ROOT, Evidence, event_id, instant
from rules.event_waste import ContainerAlert, ContainerAlertData, FireSign
from rules.rule import NOTHING, Input, Observation, Outputs, Rule
from rules.waste.fill import temperature_of

ID = "waste.container_fire"
VERSION = 1
WINDOW_MS = 4_500_000
"""Over which warming is looked at: an hour, and a quarter for sensors that report hourly."""
KEPT = 12
ALARMS = ("fire",)


@dataclass(frozen=True, slots=True)
class FireConfig:
    """The parameters of a container; temperatures in °C, the rise in K within the hour."""

    asset: str
    name: str
    hot: float
    warm: float
    rise: float
    cool: float
    channels: frozenset[str]
    clear_ms: int
    valid_ms: int


class Fire(NamedTuple):
    """Temperatures of the last hour, what speaks for a fire and when it last did; `since_ms` 0 without an alert."""

    heard_ms: int = 0
    source: str = ""
    recent: tuple[tuple[int, float], ...] = ()
    signs: tuple[FireSign, ...] = ()
    sign_ms: int = 0
    since_ms: int = 0
    until_ms: int = 0


def configure(asset: Asset) -> FireConfig:
    """The parameters of this container; raises CityError."""
    hot = asset.number("fire_c", 60, low=30, high=120)
    warm = asset.number("fire_warm_c", 40, low=0, high=120)
    cool = asset.number("fire_cleared_c", 35, low=0, high=120)
    if not cool < warm <= hot:
        raise asset.error("fire_cleared_c", cool, f"less than fire_warm_c ({warm:g}), that at most fire_c ({hot:g})")
    given = asset.properties.get("fire_alarms", list(ALARMS))
    if not isinstance(given, list) or not all(isinstance(channel, str) for channel in given):
        raise asset.error("fire_alarms", given, 'a list of alarm channels like ["fire", "temperature"]')
    return FireConfig(
        asset=asset.id,
        name=(asset.name or asset.id)[:100],
        hot=hot,
        warm=warm,
        rise=asset.number("fire_rise_k", 15, low=1, high=100),
        cool=cool,
        channels=frozenset(given),
        clear_ms=asset.whole("fire_clear_s", 1800, low=0, high=86_400) * 1000,
        valid_ms=asset.whole("fire_valid_s", 10_800, low=600, high=7 * 86_400) * 1000,
    )


def initial(_config: FireConfig) -> Fire:
    """A container from which nothing was heard yet."""
    return Fire()


def step(config: FireConfig, fire: Fire, given: Input) -> tuple[Fire, Outputs]:
    """Look at an uplink, or at the time that passed since the last one."""
    if not isinstance(given, Observation):
        silent = fire.since_ms > 0 and given.now_ms >= fire.heard_ms + config.valid_ms
        return _cleared(config, fire, given, None, silent=True) if silent else (fire, NOTHING)
    alarmed = _alarmed(config, given.readings)
    temperature = temperature_of(given.readings)
    if (temperature is None and alarmed is None) or not given.usable(fire.heard_ms):
        return fire, NOTHING
    signs = _signs(config, fire, temperature, given.time_ms, alarmed=bool(alarmed))
    fire = fire._replace(
        heard_ms=given.time_ms,
        source=given.dev_eui,
        recent=_recent(fire, temperature, given.time_ms),
        sign_ms=given.time_ms if signs else fire.sign_ms,
    )
    if signs:
        return _raised(config, fire, signs, temperature, given)
    return _over(config, fire, temperature, given) if fire.since_ms else (fire, NOTHING)


def wake(config: FireConfig, fire: Fire) -> int | None:
    """When an alert ends because nothing is heard any more."""
    return fire.heard_ms + config.valid_ms if fire.since_ms else None


def _alarmed(config: FireConfig, readings: tuple[Reading, ...]) -> bool | None:
    """What the sensor's own alarms say; None where it has none."""
    flags = [
        value > 0 for quantity, value, channel in readings if quantity is Quantity.ALARM and channel in config.channels
    ]
    return any(flags) if flags else None


def _signs(
    config: FireConfig, fire: Fire, temperature: float | None, time_ms: int, *, alarmed: bool
) -> tuple[FireSign, ...]:
    found: list[FireSign] = []
    if temperature is not None and temperature >= config.hot:
        found.append("hot")
    coolest = min((value for at_ms, value in fire.recent if time_ms - at_ms <= WINDOW_MS), default=temperature)
    if temperature is not None and coolest is not None:
        warming = temperature >= config.warm and temperature - coolest >= config.rise
        found += ["heating_up"] if warming else []
    return (*found, "sensor_alarm") if alarmed else tuple(found)


def _recent(fire: Fire, temperature: float | None, time_ms: int) -> tuple[tuple[int, float], ...]:
    """The temperatures of the window; of many, the ones that are colder than what came after."""
    kept = [(at_ms, value) for at_ms, value in fire.recent if time_ms - at_ms <= WINDOW_MS]
    if temperature is not None:
        kept = [(at_ms, value) for at_ms, value in kept if value < temperature]
        kept.append((time_ms, temperature))
    return tuple(kept[:1] + kept[1 - KEPT :] if len(kept) > KEPT else kept)


def _raised(
    config: FireConfig, fire: Fire, signs: tuple[FireSign, ...], temperature: float | None, given: Observation
) -> tuple[Fire, Outputs]:
    status = "updated" if fire.since_ms else "raised"
    until_ms = max(fire.heard_ms, given.now_ms) + config.valid_ms
    if fire.signs == signs and given.now_ms < fire.until_ms - config.valid_ms // 2:
        return fire, NOTHING
    fire = fire._replace(signs=signs, since_ms=fire.since_ms or given.time_ms, until_ms=until_ms)
    return fire, Outputs((_event(config, fire, given, status, temperature),))


def _over(config: FireConfig, fire: Fire, temperature: float | None, given: Observation) -> tuple[Fire, Outputs]:
    """End the alert where it is quiet and cool, else renew it."""
    quiet = given.time_ms - fire.sign_ms >= config.clear_ms
    if quiet and (temperature is None or temperature < config.cool):
        return _cleared(config, fire, given, temperature, silent=False)
    return _raised(config, fire, fire.signs, temperature, given)


def _cleared(
    config: FireConfig, fire: Fire, given: Input, temperature: float | None, *, silent: bool
) -> tuple[Fire, Outputs]:
    over = fire._replace(signs=(), since_ms=0, until_ms=given.now_ms + config.valid_ms)
    return over, Outputs((_event(config, over, given, "cleared", temperature, silent=silent),))


def _event(
    config: FireConfig, fire: Fire, given: Input, status: str, temperature: float | None, *, silent: bool = False
) -> ContainerAlert:
    german, english = _text(config, fire, temperature, silent=silent)
    severe = "hot" in fire.signs or "sensor_alarm" in fire.signs
    return ContainerAlert(
        id=event_id(ID, config.asset, "alert", given.cause),
        source=f"{SOURCE_ROOT}/{ID}",
        subject=config.asset,
        time=instant(given.now_ms),
        data=ContainerAlertData.model_validate(
            {
                "rule": ID,
                "rule_version": VERSION,
                "valid_until": instant(fire.until_ms),
                "evidence": (_evidence(config, fire, temperature, given.now_ms),),
                "status": status,
                "reason": "no_data" if silent else "measured",
                "severity": "severe" if severe else "warning",
                "signs": fire.signs,
                "temperature": temperature,
                "since": instant(fire.since_ms) if fire.since_ms else None,
                "text_de": german,
                "text_en": english,
            }
        ),
    )


def _text(config: FireConfig, fire: Fire, temperature: float | None, *, silent: bool) -> tuple[str, str]:
    name = config.name
    if silent:
        return (
            f"{name}: nichts mehr gehört, Hinweis auf Brand endet; ob es noch brennt, ist nicht bekannt.",
            f"{name}: nothing heard any more, the sign of a fire ends; whether it still burns is not known.",
        )
    if not fire.signs:
        return f"{name}: kein Hinweis auf Brand mehr.", f"{name}: no sign of a fire any more."
    heat = "" if temperature is None else f", {temperature:.0f} °C"
    if fire.signs == ("sensor_alarm",):
        return f"{name}: Sensor meldet Brand{heat}.", f"{name}: the sensor reports a fire{heat}."
    return f"{name}: womöglich ein Brand{heat}.", f"{name}: possibly on fire{heat}."


def _evidence(config: FireConfig, fire: Fire, temperature: float | None, now_ms: int) -> Evidence:
    return Evidence(
        quantity=Quantity.AIR_TEMPERATURE.field,
        value=temperature,
        unit=Quantity.AIR_TEMPERATURE.ucum,
        window_s=None,
        threshold=config.hot,
        hysteresis=config.hot - config.cool,
        n_samples=int(temperature is not None),
        newest_at=instant(fire.heard_ms),
        age_s=max(0, now_ms - fire.heard_ms) / 1000,
        sources=(fire.source,),
    )


RULE = Rule(
    id=ID,
    version=VERSION,
    kind="container",
    configure=configure,
    initial=initial,
    step=step,
    wake=wake,
    dump=dump,
    load=loader(Fire, VERSION),
    doubtful=True,
)
