"""Lots: how full they are, and where that goes."""

from ingest.grafana.dashboards.query import course, newest, of_kind, over, rows
from ingest.grafana.dashboards.spec import Code, Column, Panel, text
from ingest.grafana.dashboards.words import (
    ASSET,
    BLUE,
    DISTRICT,
    GREEN,
    GREY,
    ORANGE,
    PLACED,
    PLAIN,
    RED,
    WHEN_COLUMN,
    YELLOW,
)

LOT = of_kind("lot")
ZONE = of_kind("zone")
SPACES = text("suffix: Plätze", "suffix: spaces")
FREE = ((None, RED), (3, ORANGE), (10, GREEN))
SHARE = ((None, GREEN), (0.75, YELLOW), (0.9, ORANGE), (0.97, RED))
STATES = {
    "0": Code(text("frei", "free"), GREEN),
    "1": Code(text("fast voll", "almost full"), ORANGE),
    "2": Code(text("voll", "full"), RED),
    "3": Code(text("geschlossen", "closed"), GREY),
    "4": Code(text("unbekannt", "unknown"), "#5b5b5b"),
}
"""States of a lot, by the codes of `rules.parking.lot_event`."""
TRENDS = {
    "-2": Code(text("leert sich schnell", "empties quickly"), BLUE),
    "-1": Code(text("leert sich", "empties"), "light-blue"),
    "0": Code(text("gleich", "steady"), GREEN),
    "1": Code(text("füllt sich", "fills"), YELLOW),
    "2": Code(text("füllt sich schnell", "fills quickly"), ORANGE),
}
"""By the codes of `rules.parking.trend`."""
LOT_COLUMNS = (
    WHEN_COLUMN,
    ASSET,
    DISTRICT,
    Column(name="state", title=text("Zustand", "State"), codes=STATES),
    Column(name="free", title=text("frei", "free"), decimals=0, steps=FREE),
    Column(name="occupancy", title=text("Belegung", "Occupancy"), unit="percentunit", decimals=0, steps=SHARE),
    Column(name="trend", title=text("Trend", "Trend"), codes=TRENDS),
    Column(name="uncertainty", title=text("± Plätze", "± spaces"), decimals=0),
)


LOT_PANELS: tuple[Panel, ...] = (
    Panel(
        kind="stat",
        title=text("Freie Stellplätze", "Free parking spaces"),
        description=text(
            "Summe der zuletzt gezählten freien Plätze der gewählten Parkplätze.",
            "Sum of the spaces last counted free on the chosen lots.",
        ),
        queries=(over('sum("free")', rows('last("free") AS "free"', "asset", LOT)),),
        unit=SPACES,
        steps=FREE,
        width=6,
        height=4,
    ),
    Panel(
        kind="stat",
        title=text("Belegung im Mittel", "Mean occupancy"),
        description=text("Mittel der Parkplätze, zuletzt gezählt.", "Mean of the lots, as counted last."),
        queries=(over('mean("share")', rows('last("occupancy") AS "share"', "asset", LOT)),),
        unit="percentunit",
        decimals=0,
        steps=SHARE,
        width=6,
        height=4,
    ),
    Panel(
        kind="stat",
        title=text("Parkplätze ohne Angaben", "Lots without figures"),
        description=text(
            "Wie viele der gewählten Parkplätze zuletzt unbekannt waren.",
            "How many of the chosen lots were unknown when last judged.",
        ),
        queries=(over('count("state")', rows('last("state") AS "state"', "asset", LOT), '"state" = 4'),),
        unit="none",
        steps=((None, GREEN), (1, RED)),
        width=6,
        height=4,
        calm=text("keine", "none"),
    ),
    Panel(
        kind="stat",
        title=text("Empfohlene Parkplätze", "Lots recommended"),
        description=text(
            "Wie viele Parkplätze die Leitsysteme der Zonen zuletzt empfehlen sollten.",
            "How many lots the zones' guidance was last asked to recommend.",
        ),
        queries=(over('sum("lots")', rows('last("lots_recommended") AS "lots"', "asset", ZONE)),),
        unit="none",
        steps=((None, ORANGE), (1, GREEN)),
        width=6,
        height=4,
    ),
    Panel(
        kind="map",
        title=text("Parkplätze", "Lots"),
        description=text("Nach Belegung, letzter Wert im Zeitraum.", "By occupancy, newest value in this span."),
        queries=(
            newest(
                'last("occupancy") AS "occupancy", "free", "state", "latitude", "longitude"',
                "asset",
                LOT,
                alias=text("Parkplätze", "Lots"),
            ),
        ),
        values=("occupancy",),
        unit="percentunit",
        steps=SHARE,
        columns=(*LOT_COLUMNS, *PLACED),
        width=10,
        height=14,
    ),
    Panel(
        kind="table",
        title=text("Parkplätze im Einzelnen", "Lots one by one"),
        description=text(
            "Zustand, freie Plätze, Trend und Unsicherheit der Zählung, zuletzt bekannt.",
            "State, free spaces, trend and uncertainty of the count, as last known.",
        ),
        queries=(
            newest(
                'last("state") AS "state", "free", "occupancy", "trend", "uncertainty"',
                "asset",
                LOT,
                by=("asset", "district"),
            ),
        ),
        unit="none",
        steps=PLAIN,
        columns=LOT_COLUMNS,
        width=14,
        height=7,
    ),
    Panel(
        kind="lines",
        title=text("Freie Plätze", "Free spaces"),
        description=text("Im Mittel jedes Abschnitts, je Parkplatz.", "Mean of each interval, by lot."),
        queries=(course('mean("free")', "asset", LOT),),
        unit=SPACES,
        decimals=0,
        low=0,
        steps=PLAIN,
        width=14,
        height=7,
    ),
    Panel(
        kind="states",
        title=text("Zustand", "State"),
        description=text(
            "Frei, fast voll, voll, geschlossen oder unbekannt.", "Free, almost full, full, closed or unknown."
        ),
        queries=(course('last("state")', "asset", LOT),),
        unit="none",
        steps=PLAIN,
        codes=STATES,
        height=6,
    ),
    Panel(
        kind="states",
        title=text("Trend", "Trend"),
        description=text(
            "Ob sich ein Parkplatz füllt oder leert, aus der letzten Viertelstunde.",
            "Whether a lot fills or empties, from its last quarter of an hour.",
        ),
        queries=(course('last("trend")', "asset", LOT),),
        unit="none",
        steps=PLAIN,
        codes=TRENDS,
        height=6,
    ),
    Panel(
        kind="lines",
        title=text("Unsicherheit der Zählung", "Uncertainty of the count"),
        description=text(
            "Um wie viele Plätze die Belegung falsch sein kann.", "By how many spaces the occupancy may be wrong."
        ),
        queries=(course('max("uncertainty")', "asset", LOT),),
        unit=SPACES,
        decimals=0,
        low=0,
        steps=((None, GREEN), (5, ORANGE), (10, RED)),
    ),
)
