"""From a description to Grafana's own model, by the builders of grafana-foundation-sdk."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model
from typing_extensions import override

from ingest.grafana.dashboards.panels import Look, panel
from ingest.grafana.dashboards.query import noted
from ingest.grafana.dashboards.spec import Dashboard, Notes, Panel, Text, Variable, said, text
from ingest.grafana.dashboards.target import source_of

GRID: Final = 24
TAG: Final = "stadtfunk"
ALL: Final = "$__all"
OTHERS = text("Weitere Übersichten", "Other dashboards")
EVERYTHING = text("alle", "all")


def rendered(dashboard: Dashboard, look: Look) -> dict[str, Any]:
    """The dashboard as Grafana reads it: panels that this organisation may see, in the words of this language."""
    panels = [each for each in dashboard.panels if look.may_see(each.organisation)]
    made = (
        build.Dashboard(said(dashboard.title, look.language))
        .uid(look.uid(dashboard.name))
        .description(said(dashboard.description, look.language))
        .tags([TAG, look.tag])
        .time(dashboard.span, "now")
        .timezone("browser")
        .refresh("1m")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .readonly()
        .variables([_variable(each, look) for each in dashboard.variables if look.may_see(each.source)])
        .annotations([_notes(each, look) for each in dashboard.notes if look.may_see(each.source)])
        .link(_link(look))
    )
    for number, (each, place) in enumerate(zip(panels, _places(panels), strict=True), start=1):
        made.with_panel(_Placed(panel(each, look, dashboard.name), number, place))
    found: dict[str, Any] = json.loads(json.dumps(made.build(), cls=JSONEncoder))
    return found


class _Placed(build.Panel):
    """A panel with its number and its place, which the dashboard's builder leaves as they are."""

    def __init__(self, made: model.Panel, number: int, place: model.GridPos) -> None:
        super().__init__()
        made.id_val, made.grid_pos = number, place
        self._internal = made


def _places(panels: Sequence[Panel]) -> Iterator[model.GridPos]:
    """Each as high as it goes, and there as far left; so nothing is left empty beside a panel that is tall."""
    depths = [0] * GRID
    for each in panels:
        starts = range(GRID - each.width + 1)
        y, x = min((max(depths[start : start + each.width]), start) for start in starts)
        yield model.GridPos(h=each.height, w=each.width, x=x, y=y)
        depths[x : x + each.width] = [y + each.height] * each.width


def _link(look: Look) -> build.DashboardLink:
    return (
        build.DashboardLink(said(OTHERS, look.language))
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags([look.tag])
        .as_dropdown(as_dropdown=True)
        .include_vars(include_vars=True)
        .keep_time(keep_time=True)
    )


def _variable(variable: Variable, look: Look) -> build.QueryVariable:
    made = (
        build.QueryVariable(variable.name)
        .label(said(variable.title, look.language))
        .query(variable.ask)
        .datasource(source_of(variable.source))
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(multi=True)
    )
    if variable.everything:
        every = model.VariableOption(True, said(EVERYTHING, look.language), ALL)  # noqa: FBT003 - its first is `selected`
        made.include_all(include_all=True).all_value(".*").current(every)
    return made


class _EventQuery(model.AnnotationTarget):
    """The query of an annotation as Grafana's InfluxDB data source keeps it, in place of tags."""

    def __init__(self, ask: str, text_column: str) -> None:
        super().__init__(limit=500, type_val="dashboard")
        self._more: Mapping[str, object] = {
            "fromAnnotations": True,
            "query": ask,
            "rawQuery": True,
            "refId": "Anno",
            "tagsColumn": "asset,channel,status",
            "textColumn": text_column,
            "textEditor": True,
        }

    @override
    def to_json(self) -> dict[str, object]:
        return {**super().to_json(), **self._more}


class _Target(build.AnnotationTarget):
    def __init__(self, ask: str, text_column: str) -> None:
        super().__init__()
        self._internal = _EventQuery(ask, text_column)


def _notes(notes: Notes, look: Look) -> build.AnnotationQuery:
    column = f"text_{look.language}"
    ask = noted(column, notes.condition)
    return (
        build.AnnotationQuery()
        .name(_name(notes.title, look))
        .datasource(source_of(notes.source))
        .enable(enable=notes.shown)
        .icon_color(notes.colour)
        .target(_Target(ask, column))
    )


def _name(words: Text, look: Look) -> str:
    return said(words, look.language)
