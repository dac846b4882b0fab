"""Definitions as rules of the engine."""

from collections.abc import Iterable
from functools import partial

from rules.city import City
from rules.custom import state
from rules.custom.condition import step, wake
from rules.custom.config import CustomConfig, CustomError, condition_of, configure
from rules.custom.definition import CustomRule
from rules.custom.speech import VERSION
from rules.custom.state import CustomState
from rules.rule import Json, Rule


def custom_rules(definitions: Iterable[CustomRule]) -> tuple[Rule[CustomConfig | None, CustomState], ...]:
    """The rules of these definitions, in their order; raises CustomError."""
    return tuple(_rule(definition) for definition in definitions)


def check_subjects(definition: CustomRule, city: City) -> None:
    """Raise CustomError for a subject that the city does not have, or has as another kind."""
    for name in definition.subjects:
        asset = city.assets.get(name)
        if asset is None or asset.kind != definition.kind:
            raise CustomError("subjects", f"{name!r} is no {definition.kind} of the city")


def check_expressions(definition: CustomRule) -> None:
    """Raise CustomError for what is wrong within a definition."""
    condition_of(definition.model_dump_json(by_alias=True))


def _rule(definition: CustomRule) -> Rule[CustomConfig | None, CustomState]:
    check_expressions(definition)
    return Rule(
        id=definition.id,
        version=VERSION,
        kind=definition.kind,
        configure=partial(configure, definition),
        initial=_initial,
        step=step,
        wake=wake,
        dump=state.dump,
        load=_load,
        doubtful=definition.doubtful,
    )


def _initial(_config: CustomConfig | None) -> CustomState:
    return CustomState()


def _load(config: CustomConfig | None, version: int, kept: Json) -> CustomState | None:
    return state.load(config, version, kept, VERSION)
