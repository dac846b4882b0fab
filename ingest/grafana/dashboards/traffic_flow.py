"""How much traffic there is, and how fast it is."""

from ingest.grafana.dashboards.query import course, figure, newest, of_kind, over, rows
from ingest.grafana.dashboards.spec import Column, Panel, text
from ingest.grafana.dashboards.words import (
    GREEN,
    ORANGE,
    PLACED,
    PLAIN,
    RED,
    YELLOW,
)

FLOW = text("suffix: Kfz/h", "suffix: veh/h")
SPEED = ((None, RED), (15, ORANGE), (25, YELLOW), (35, GREEN))
REQUESTS = (
    "\"channel\"::tag = 'traffic.signal_plan' OR \"channel\"::tag = 'traffic.green_wave' "
    "OR \"channel\"::tag = 'traffic.bus_priority'"
)
ANSWERED = '"channel"::tag =~ /^traffic\\..*\\/health$/'


FLOW_PANELS: tuple[Panel, ...] = (
    Panel(
        kind="stat",
        title=text("Verkehrsstärke im Mittel", "Mean flow"),
        description=text("Mittel der Zufahrten, zuletzt gemessen.", "Mean of the approaches, as measured last."),
        queries=(
            over('mean("flow")', rows('last("flow") AS "flow"', "asset", of_kind("junction"), by=("asset", "channel"))),
        ),
        unit=FLOW,
        decimals=0,
        steps=PLAIN,
        width=6,
        height=4,
    ),
    Panel(
        kind="stat",
        title=text("Geschwindigkeit im Mittel", "Mean speed"),
        description=text("Mittel der Zufahrten, zuletzt gemessen.", "Mean of the approaches, as measured last."),
        queries=(
            over(
                'mean("speed")',
                rows('last("vehicle_speed") AS "speed"', "asset", of_kind("junction"), by=("asset", "channel")),
            ),
        ),
        unit="velocitykmh",
        decimals=0,
        steps=SPEED,
        width=6,
        height=4,
    ),
    Panel(
        kind="stat",
        title=text("Anforderungen im Zeitraum", "Requests in this span"),
        description=text(
            "Wie oft Signalpläne, grüne Wellen oder Busbevorrechtigung angefordert wurden, auch im Schatten.",
            "How often signal plans, green waves or bus priority were asked for, shadow included.",
        ),
        queries=(figure('count("id")', "event", REQUESTS),),
        unit="none",
        steps=PLAIN,
        width=6,
        height=4,
        calm=text("keine", "none"),
    ),
    Panel(
        kind="stat",
        title=text("Störungen der Ausführung", "Trouble with carrying out"),
        description=text(
            "Wie oft Anforderungen unbeantwortet, abgelehnt oder übersteuert blieben und das gemeldet wurde.",
            "How often it was reported that requests stayed unanswered, were rejected or overridden.",
        ),
        queries=(figure('count("id")', "event", ANSWERED, "\"status\" = 'problem'"),),
        unit="none",
        steps=((None, GREEN), (1, RED)),
        width=6,
        height=4,
        calm=text("keine", "none"),
    ),
    Panel(
        kind="map",
        title=text("Zufahrten und Messstellen", "Approaches and detectors"),
        description=text(
            "Knoten nach Geschwindigkeit, Messstellen nach Verkehrsstärke, letzter Wert im Zeitraum.",
            "Junctions by speed, detectors by flow, newest value in this span.",
        ),
        queries=(
            newest(
                'last("vehicle_speed") AS "vehicle_speed", "latitude", "longitude"',
                "asset",
                of_kind("junction"),
                alias=text("Knoten", "Junctions"),
            ),
            newest(
                'last("flow") AS "flow", "latitude", "longitude"',
                "asset",
                of_kind("detector"),
                alias=text("Messstellen", "Detectors"),
            ),
        ),
        values=("vehicle_speed", "flow"),
        unit="none",
        steps=PLAIN,
        columns=(
            Column(name="vehicle_speed", title=text("Geschwindigkeit", "Speed"), unit="velocitykmh", steps=SPEED),
            Column(
                name="flow",
                title=text("Verkehrsstärke", "Flow"),
                unit=FLOW,
                steps=((None, GREEN), (400, YELLOW), (800, ORANGE), (1200, RED)),
            ),
            *PLACED,
        ),
        width=10,
        height=16,
    ),
    Panel(
        kind="lines",
        title=text("Verkehrsstärke je Zufahrt", "Flow by approach"),
        description=text(
            "Aus den Messstellen hochgerechnet auf Kraftfahrzeuge je Stunde.",
            "Worked out from the detectors, in vehicles an hour.",
        ),
        queries=(course('mean("flow")', "asset", of_kind("junction"), by=("asset", "channel"), alias="$tag_channel"),),
        unit=FLOW,
        decimals=0,
        steps=PLAIN,
        width=14,
    ),
    Panel(
        kind="lines",
        title=text("Geschwindigkeit je Zufahrt", "Speed by approach"),
        description=text("Mittel der gemessenen Geschwindigkeiten.", "Mean of the measured speeds."),
        queries=(
            course(
                'mean("vehicle_speed")', "asset", of_kind("junction"), by=("asset", "channel"), alias="$tag_channel"
            ),
        ),
        unit="velocitykmh",
        decimals=0,
        steps=SPEED,
        width=14,
    ),
)
