"""One panel as Grafana's model: what all kinds have in common, then what is drawn."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from string import ascii_uppercase
from typing import Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import bargauge, common, stat, statetimeline, statushistory, table, timeseries
from grafana_foundation_sdk.models import dashboard as model

from ingest.grafana.dashboards.maps import geomap
from ingest.grafana.dashboards.spec import DAILY, Code, Column, Kind, Language, Organisation, Panel, Steps, said
from ingest.grafana.dashboards.target import InfluxTarget, Target, source_of

DEVICE_BOARD: Final = "device"
"""The dashboard that every link of data leads to; only for those who may see devices."""
SPAN_NULLS_MS: Final = 3_600_000
"""A line goes on over gaps up to an hour: that is how rarely the slowest devices send."""
TYPES: Final[dict[Kind, str]] = {
    "lines": "timeseries",
    "bars": "timeseries",
    "stat": "stat",
    "table": "table",
    "map": "geomap",
    "states": "state-timeline",
    "history": "status-history",
    "levels": "bargauge",
}
CHOOSING: Final = {"asset": "asset", "dev_eui": "device"}
"""Tags that choose a place or a device on the device's dashboard, and its variables."""
INTERVAL: Final = "time($__interval)"
DAY: Final = "time($__interval, -2h)"
"""Days begin at 22:00 UTC, midnight of Central European Summer Time; in winter that is an hour too early."""
MONTH: Final = "30d"
TABLES: Final = frozenset[Kind]({"table", "map"})


@dataclass(frozen=True, slots=True)
class Look:
    """For whom it is rendered: language, organisation, and the address of map tiles, if there is one."""

    language: Language
    organisation: Organisation
    tiles: str | None = None

    @property
    def tag(self) -> str:
        """What the dashboards of a language have in common."""
        return f"stadtfunk-{self.language}"

    def may_see(self, organisation: Organisation) -> bool:
        """Whether something of that class is for these eyes."""
        return organisation == "open" or self.organisation == "internal"

    def uid(self, name: str) -> str:
        """The uid of a dashboard."""
        return f"stadtfunk-{name}-{self.language}"


def panel(spec: Panel, look: Look, board: str) -> model.Panel:
    """The panel, without number and place; `board` is the dashboard on which it stands."""
    made = (
        build.Panel()
        .type(TYPES[spec.kind])
        .title(said(spec.title, look.language))
        .description(said(spec.description, look.language))
        .datasource(_source(spec))
        .targets(list(_targets(spec, look)))
        .interval(spec.every)
        .unit(said(spec.unit, look.language))
        .thresholds(_thresholds(spec.steps))
        .color_scheme(build.FieldColor().mode(_colours(spec)))
        .data_links(_links(spec, look, board))
        .options(DRAWN[spec.kind](spec, look))
    )
    _limits(made, spec, look)
    custom = _custom(spec)
    if custom is not None:
        made.custom(custom)
    if spec.every == DAILY:
        made.time_from(MONTH)
    if spec.kind == "table" and len(spec.queries) > 1:
        made.with_transformation(model.DataTransformerConfig("merge", options={}))
    if spec.rename is not None:
        found, shown = spec.rename
        made.with_transformation(
            model.DataTransformerConfig("renameByRegex", options={"regex": found, "renamePattern": shown})
        )
    for column in spec.columns:
        made.override_by_name(column.name, list(_shown(column, spec.kind, look)))
    return made.build()


def _source(spec: Panel) -> model.DataSourceRef:
    """The data source of its queries; Grafana's own word for several where they ask more than one."""
    asked = {query.source for query in spec.queries}
    return source_of(asked.pop()) if len(asked) == 1 else model.DataSourceRef("datasource", "-- Mixed --")


def _limits(made: build.Panel, spec: Panel, look: Look) -> None:
    if spec.decimals is not None:
        made.decimals(spec.decimals)
    if spec.low is not None:
        made.min(spec.low)
    if spec.high is not None:
        made.max(spec.high)
    if spec.codes:
        made.mappings([_mapping(spec.codes, look)])
    if spec.calm is not None:
        made.no_value(said(spec.calm, look.language))


def _targets(spec: Panel, look: Look) -> Iterator[Target]:
    form = "table" if spec.kind in TABLES else "time_series"
    for letter, query in zip(ascii_uppercase, spec.queries, strict=False):
        ask = query.ask.replace("text_@", f"text_{look.language}")
        ask = ask.replace(INTERVAL, DAY) if spec.every == DAILY else ask
        alias = "" if spec.kind in TABLES else said(query.alias, look.language)
        yield Target(InfluxTarget(letter, ask, query.source, form, alias))


def _thresholds(steps: Steps) -> build.ThresholdsConfig:
    return (
        build.ThresholdsConfig()
        .mode(model.ThresholdsMode.ABSOLUTE)
        .steps([model.Threshold(value, colour) for value, colour in steps])
    )


def _colours(spec: Panel) -> model.FieldColorModeId:
    """Lines are told apart by colour, everything else is judged by its thresholds."""
    apart = spec.kind in {"lines", "bars"}
    return model.FieldColorModeId.PALETTE_CLASSIC if apart else model.FieldColorModeId.THRESHOLDS


def _mapping(codes: Mapping[str, Code], look: Look) -> model.ValueMap:
    found = enumerate(codes.items())
    return model.ValueMap(
        {
            value: model.ValueMappingResult(said(code.words, look.language), code.colour, index=number)
            for number, (value, code) in found
        }
    )


def _links(spec: Panel, look: Look, board: str) -> list[Builder[model.DashboardLink]]:
    """To everything about the device, or the devices at the place; nowhere for those who may not see devices."""
    if look.organisation != "internal" or board == DEVICE_BOARD:
        return []
    place = "${__data.fields.%s}" if spec.kind in TABLES else "${__field.labels.%s}"
    known = {tag for query in spec.queries for tag in query.tags}
    chosen = [f"&var-{variable}={place % tag}" for tag, variable in CHOOSING.items() if tag in known]
    title = "Alles über das Gerät" if look.language == "de" else "Everything about the device"
    url = f"/d/{look.uid(DEVICE_BOARD)}?${{__url_time_range}}{''.join(chosen)}"
    return [build.DashboardLink(title).type(model.DashboardLinkType.LINK).url(url)]


def _shown(column: Column, kind: Kind, look: Look) -> Iterator[model.DynamicConfigValue]:
    yield model.DynamicConfigValue("displayName", said(column.title, look.language))
    yield model.DynamicConfigValue("unit", said(column.unit, look.language))
    if column.decimals is not None:
        yield model.DynamicConfigValue("decimals", column.decimals)
    if column.hidden and kind == "table":
        yield model.DynamicConfigValue("custom.hidden", value=True)
    if column.steps:
        yield model.DynamicConfigValue("thresholds", _thresholds(column.steps).build())
    if column.codes:
        yield model.DynamicConfigValue("mappings", [_mapping(column.codes, look)])
    if kind == "table" and (column.steps or column.codes):
        yield model.DynamicConfigValue("custom.cellOptions", {"type": "color-text"})


# -- what is drawn ----------------------------------------------------------------------------------------------------


def _legend(*, table: bool = True) -> common.VizLegendOptions:
    mode = common.LegendDisplayMode.TABLE if table else common.LegendDisplayMode.LIST
    calcs = ["lastNotNull", "min", "max"] if table else []
    return common.VizLegendOptions(mode, common.LegendPlacement.BOTTOM, show_legend=True, calcs=calcs)


def _tooltip() -> common.VizTooltipOptions:
    return common.VizTooltipOptions(common.TooltipDisplayMode.MULTI, common.SortOrder.DESCENDING)


def _reduced() -> common.ReduceDataOptions:
    return common.ReduceDataOptions(values=False, calcs=["lastNotNull"])


def _lines(_spec: Panel, _look: Look) -> object:
    return timeseries.Options(legend=_legend(), tooltip=_tooltip())


def _stat(_spec: Panel, _look: Look) -> object:
    return stat.Options(
        graph_mode=common.BigValueGraphMode.NONE,
        color_mode=common.BigValueColorMode.BACKGROUND,
        justify_mode=common.BigValueJustifyMode.AUTO,
        text_mode=common.BigValueTextMode.AUTO,
        reduce_options=_reduced(),
        orientation=common.VizOrientation.AUTO,
    )


def _table(_spec: Panel, _look: Look) -> object:
    return table.Options(show_header=True, cell_height=common.TableCellHeight.SM)


def _states(_spec: Panel, _look: Look) -> object:
    return statetimeline.Options(
        show_value=common.VisibilityMode.AUTO, legend=_legend(table=False), tooltip=_tooltip(), merge_values=True
    )


def _history(_spec: Panel, _look: Look) -> object:
    return statushistory.Options(
        show_value=common.VisibilityMode.NEVER, legend=_legend(table=False), tooltip=_tooltip()
    )


def _levels(_spec: Panel, _look: Look) -> object:
    return bargauge.Options(
        display_mode=common.BarGaugeDisplayMode.BASIC,
        orientation=common.VizOrientation.HORIZONTAL,
        reduce_options=_reduced(),
        show_unfilled=True,
    )


def _map(spec: Panel, look: Look) -> object:
    return geomap(spec, look.language, look.tiles)


DRAWN: Final[dict[Kind, Callable[[Panel, Look], object]]] = {
    "lines": _lines,
    "bars": _lines,
    "stat": _stat,
    "table": _table,
    "map": _map,
    "states": _states,
    "history": _history,
    "levels": _levels,
}


def _custom(spec: Panel) -> object | None:
    """How lines, bars and rows look; None where a kind has nothing of its own."""
    match spec.kind:
        case "lines":
            return _graph(spec, draw_style=common.GraphDrawStyle.LINE, line_width=1, fill_opacity=5)
        case "bars":
            return _graph(spec, draw_style=common.GraphDrawStyle.BARS, line_width=0, fill_opacity=70)
        case "states":
            return statetimeline.FieldConfig(line_width=0, fill_opacity=80)
        case "history":
            return statushistory.FieldConfig(line_width=0, fill_opacity=80)
        case "table":
            return common.TableFieldOptions(align=common.FieldTextAlignment.AUTO, filterable=True)
        case _:
            return None


_graph_of = partial(
    common.GraphFieldConfig,
    show_points=common.VisibilityMode.AUTO,
    point_size=4,
    axis_soft_min=0,
)


def _graph(spec: Panel, **style: object) -> common.GraphFieldConfig:
    made = _graph_of(**style)  # type: ignore[arg-type]  # its keywords are named twice in this module only
    made.span_nulls = float(SPAN_NULLS_MS)
    if spec.kind == "bars":
        made.bar_alignment = common.BarAlignment.AFTER
    if spec.stacked:
        made.stacking = common.StackingConfig(common.StackingMode.NORMAL, "A")
    if len(spec.steps) > 1:
        made.thresholds_style = common.GraphThresholdsStyleConfig(common.GraphThresholdsStyleMode.DASHED)
    return made
