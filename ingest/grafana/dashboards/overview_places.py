"""Map, districts, and what is wrong now."""

from ingest.grafana.dashboards.overview_figures import AIR, SPEED
from ingest.grafana.dashboards.query import course, events, newest, of_kind, over, rows, sound
from ingest.grafana.dashboards.spec import Column, Organisation, Panel, Query, text
from ingest.grafana.dashboards.words import (
    ANY,
    DISTRICT,
    EVENT_COLUMNS,
    GREEN,
    NOTHING_WRONG,
    ORANGE,
    PLACED,
    PLAIN,
    RED,
    YELLOW,
)

FILL = ((None, GREEN), (60, YELLOW), (80, ORANGE), (90, RED))
SHARE = ((None, GREEN), (0.75, YELLOW), (0.9, ORANGE), (0.97, RED))
WRONG = " OR ".join(f"\"status\" = '{each}'" for each in ("raised", "updated", "problem", "silent", "suspicious"))
TALKED_OF = '"channel"::tag =~ /\\./'
"""What rules said; the network server's own words have channels without a dot."""


def _wrong(source: Organisation) -> Query:
    """The newest word of each rule about each place or device, where that is not a good one."""
    by = ("asset", "channel") if source == "open" else ("asset", "channel", "dev_eui", "gateway")
    words = rows('last("text_@") AS "text", "status", "kept"', "event", TALKED_OF, by=by)
    return over('"text", "status", "kept"', words, WRONG, source, by)


PLACES: tuple[Panel, ...] = (
    Panel(
        kind="map",
        title=text("Karte", "Map"),
        description=text(
            "Parkplätze nach Belegung, Behälter nach Füllstand, Stationen nach Luftqualität, Knoten nach "
            "Geschwindigkeit, Pegel nach Wasserstand; jeweils der letzte Wert im Zeitraum.",
            "Lots by occupancy, containers by fill level, stations by air quality, junctions by speed, gauges by "
            "water level; each with its newest value in this span.",
        ),
        queries=tuple(
            newest(f'last("{field}") AS "{field}", "latitude", "longitude"', "asset", of_kind(kind), alias=title)
            for field, kind, title in (
                ("occupancy", "lot", text("Parkplätze", "Lots")),
                ("fill_level", "container", text("Behälter", "Containers")),
                ("air_quality_index", "station", text("Luft", "Air")),
                ("vehicle_speed", "junction", text("Verkehr", "Traffic")),
                ("gauge_level_cm", "gauge", text("Pegel", "Gauges")),
            )
        ),
        values=("occupancy", "fill_level", "air_quality_index", "vehicle_speed", "gauge_level_cm"),
        unit="none",
        steps=PLAIN,
        columns=(
            Column(name="occupancy", title=text("Belegung", "Occupancy"), unit="percentunit", steps=SHARE),
            Column(name="fill_level", title=text("Füllstand", "Fill level"), unit="percent", steps=FILL),
            Column(name="air_quality_index", title=text("Luftklasse", "Air class"), steps=AIR),
            Column(name="vehicle_speed", title=text("Geschwindigkeit", "Speed"), unit="velocitykmh", steps=SPEED),
            Column(name="gauge_level_cm", title=text("Wasserstand", "Water level"), unit="suffix: cm", steps=PLAIN),
            *PLACED,
        ),
        width=12,
        height=14,
    ),
    Panel(
        kind="table",
        title=text("Was gerade nicht stimmt", "What is wrong now"),
        description=text(
            "Das letzte Wort jeder Regel zu jedem Ort, wo es eine Meldung oder Störung ist, die nicht beendet wurde.",
            "The last word of each rule about each place, where it is an alert or a problem that is not over.",
        ),
        queries=(_wrong("open"),),
        unit="none",
        steps=ANY,
        columns=(*EVENT_COLUMNS, Column(name="channel", title=text("Regel", "Rule"))),
        width=12,
        height=7,
        calm=NOTHING_WRONG,
    ),
    Panel(
        kind="table",
        title=text("Geräte und Netz: was gerade nicht stimmt", "Devices and network: what is wrong now"),
        description=text(
            "Stumme Geräte und Gateways, schwache Batterien und Verbindungen, verdächtige Sensoren, die noch nicht "
            "wieder in Ordnung sind.",
            "Silent devices and gateways, low batteries, weak links, suspicious sensors that are not all right again.",
        ),
        queries=(_wrong("internal"),),
        unit="none",
        steps=ANY,
        columns=(*EVENT_COLUMNS, Column(name="channel", title=text("Regel", "Rule"))),
        width=12,
        height=7,
        calm=NOTHING_WRONG,
    ),
    Panel(
        kind="table",
        title=text("Stadtbezirke", "Districts"),
        description=text(
            "Mittlere Belegung und Füllstände, höchste Luftklasse, mittlere Geschwindigkeit im gewählten Zeitraum.",
            "Mean occupancy and fill levels, highest air class, mean speed in the chosen span.",
        ),
        queries=(
            newest(
                'mean("occupancy") AS "occupancy", mean("fill_level") AS "fill_level", '
                'max("air_quality_index") AS "air_quality_index", mean("vehicle_speed") AS "vehicle_speed"',
                "asset",
                by=("district",),
            ),
        ),
        unit="none",
        steps=PLAIN,
        columns=(
            DISTRICT,
            Column(name="Time", title=text("Seit", "Since"), unit="dateTimeAsIso", hidden=True),
            Column(name="occupancy", title=text("Belegung", "Occupancy"), unit="percentunit", decimals=0, steps=SHARE),
            Column(name="fill_level", title=text("Füllstand", "Fill level"), unit="percent", decimals=0, steps=FILL),
            Column(name="air_quality_index", title=text("Luftklasse", "Air class"), steps=AIR),
            Column(
                name="vehicle_speed",
                title=text("Geschwindigkeit", "Speed"),
                unit="velocitykmh",
                decimals=0,
                steps=SPEED,
            ),
        ),
        width=12,
        height=7,
    ),
    Panel(
        kind="table",
        title=text("Letzte Meldungen", "Newest messages"),
        description=text(
            "Was die Regeln zuletzt sagten, ob es gilt oder nur im Schatten steht.",
            "What the rules said last, and whether it is in force or stays in shadow.",
        ),
        queries=(events(TALKED_OF, limit=100),),
        unit="none",
        steps=PLAIN,
        columns=EVENT_COLUMNS,
        width=12,
        height=7,
    ),
    Panel(
        kind="lines",
        title=text("Belegung der Parkplätze", "Occupancy of lots"),
        description=text("Mittel je Stadtbezirk.", "Mean of each district."),
        queries=(course('mean("occupancy")', "asset", of_kind("lot"), by=("district",), alias="$tag_district"),),
        unit="percentunit",
        low=0,
        high=1,
        steps=SHARE,
        width=6,
        height=7,
    ),
    Panel(
        kind="lines",
        title=text("Verkehr", "Traffic"),
        description=text(
            "Mittlere Verkehrsstärke der Zufahrten mit Messung, je Stadtbezirk.",
            "Mean flow over the approaches with detectors, by district.",
        ),
        queries=(course('mean("flow")', "asset", of_kind("junction"), by=("district",), alias="$tag_district"),),
        unit=text("suffix: Kfz/h", "suffix: veh/h"),
        decimals=0,
        steps=PLAIN,
        width=6,
        height=7,
    ),
    Panel(
        kind="lines",
        title=text("Lufttemperatur nach Stadtbezirk", "Air temperature by district"),
        description=text("Mittel der Stationen.", "Mean of the stations."),
        queries=(
            course(
                'mean("air_temperature")',
                "environment",
                sound("air_temperature"),
                by=("district",),
                alias="$tag_district",
            ),
        ),
        unit="celsius",
        decimals=1,
        steps=PLAIN,
        width=6,
        height=7,
        every="10m",
    ),
    Panel(
        kind="lines",
        title=text("Füllstand der Behälter", "Fill level of containers"),
        description=text("Mittel je Stadtbezirk.", "Mean of each district."),
        queries=(course('mean("fill_level")', "asset", of_kind("container"), by=("district",), alias="$tag_district"),),
        unit="percent",
        decimals=0,
        low=0,
        high=100,
        steps=FILL,
        width=6,
        height=7,
        every="1h",
    ),
)
