"""What drivers are told, how long they stay, and sensors under suspicion."""

from ingest.grafana.dashboards.parking_lots import FREE, LOT, SPACES, ZONE
from ingest.grafana.dashboards.query import course, events
from ingest.grafana.dashboards.spec import Code, Panel, text
from ingest.grafana.dashboards.words import (
    EVENT_COLUMNS,
    GREEN,
    NO_NEWS,
    NOTHING_WRONG,
    PLAIN,
    RED,
)

TAKEN = {"0": Code(text("frei", "free"), GREEN), "1": Code(text("belegt", "taken"), RED)}
GUIDANCE = "\"channel\"::tag = 'parking.guidance' OR \"channel\"::tag = 'parking.guidance/health'"
SUSPICION = "\"channel\"::tag = 'parking.space_days'"


GUIDANCE_PANELS: tuple[Panel, ...] = (
    Panel(
        kind="lines",
        title=text("Zonen: freie Plätze", "Zones: free spaces"),
        description=text(
            "Freie Plätze der Parkplätze jeder Zone, deren Stand bekannt ist.",
            "Free spaces of those lots of each zone whose state is known.",
        ),
        queries=(course('last("free")', "asset", ZONE),),
        unit=SPACES,
        decimals=0,
        low=0,
        steps=FREE,
    ),
    Panel(
        kind="table",
        title=text("Parkleitung: was angezeigt werden soll", "Guidance: what is to be shown"),
        description=text(
            "Anforderungen an das Parkleitsystem und Störungen ihrer Ausführung.",
            "Requests to the guidance system, and trouble with carrying them out.",
        ),
        queries=(events(GUIDANCE),),
        unit="none",
        steps=PLAIN,
        columns=EVENT_COLUMNS,
        calm=NO_NEWS,
    ),
    Panel(
        kind="bars",
        title=text("Parkvorgänge je Tag", "Stays a day"),
        description=text(
            "Beendete Parkvorgänge der Parkplätze mit Sensoren an jedem Platz; einzelne Plätze bleiben ungenannt.",
            "Stays that ended on lots with a sensor at each space; single spaces are not named.",
        ),
        queries=(course('max("stays")', "asset", LOT),),
        unit="none",
        steps=PLAIN,
        every="1d",
    ),
    Panel(
        kind="bars",
        title=text("Parkdauer im Mittel", "Mean stay"),
        description=text(
            "Mittlere Dauer der beendeten Parkvorgänge je Tag.", "Mean length of the stays that ended, by day."
        ),
        queries=(course('max("stay_mean")', "asset", LOT),),
        unit="s",
        steps=PLAIN,
        every="1d",
    ),
    Panel(
        kind="bars",
        title=text("Ein- und Ausfahrten", "Cars in and out"),
        description=text("Von den Zählern an Zufahrten gezählte Fahrzeuge.", "Vehicles counted at the gates of lots."),
        queries=(course('sum("vehicle_count")', "parking"),),
        unit=text("suffix: Kfz", "suffix: vehicles"),
        steps=PLAIN,
        every="1h",
    ),
    Panel(
        kind="history",
        title=text("Einzelne Stellplätze", "Single spaces"),
        description=text(
            "Belegt oder frei, wie jeder Sensor es meldete; nicht für die Öffentlichkeit.",
            "Taken or free, as each sensor said; not for the public.",
        ),
        queries=(
            course(
                'last("occupied")', "parking", by=("asset", "dev_eui", "device"), alias="$tag_device", source="internal"
            ),
        ),
        unit="none",
        steps=((None, GREEN), (1, RED)),
        codes=TAKEN,
        height=14,
        every="15m",
    ),
    Panel(
        kind="table",
        title=text("Sensoren unter Verdacht", "Sensors under suspicion"),
        description=text(
            "Sensoren, die nie wechseln, zu oft wechseln oder anders messen als ihre Nachbarn.",
            "Sensors that never change, change too often, or differ from their neighbours.",
        ),
        queries=(events(SUSPICION, source="internal"),),
        unit="none",
        steps=PLAIN,
        columns=EVENT_COLUMNS,
        height=14,
        calm=NOTHING_WRONG,
    ),
)
