"""Waste: how full containers are, when they will be, what is due, and which tours empty them."""

from ingest.event_points import DUE as TOLD
from ingest.grafana.dashboards.query import HERE, course, events, figure, newest, of_kind, over, places, rows
from ingest.grafana.dashboards.spec import Column, Dashboard, Notes, Panel, text
from ingest.grafana.dashboards.words import (
    ASSET,
    BLUE,
    DISTRICT,
    EVENT_COLUMNS,
    GREEN,
    NO_NEWS,
    NOTHING_WRONG,
    ORANGE,
    PLACED,
    PLAIN,
    RED,
    SOME,
    WHEN_COLUMN,
    YELLOW,
)

CONTAINER = of_kind("container")
FILL = ((None, GREEN), (60, YELLOW), (80, ORANGE), (95, RED))
HOURS = ((None, RED), (24, ORANGE), (48, YELLOW), (96, GREEN))
RISK = ((None, GREEN), (0.05, ORANGE), (0.5, RED))
DUE = "\"channel\"::tag = 'waste.collection_due'"
EMPTIED = f"\"text_en\" = '{TOLD['emptied'][1]}'"
FIRE = "\"channel\"::tag = 'waste.container_fire'"
TOUR = '"channel"::tag =~ /^waste\\.route/'

PANELS = (
    Panel(
        kind="stat",
        title=text("Füllstand im Mittel", "Mean fill level"),
        description=text("Mittel der Behälter, zuletzt gemessen.", "Mean of the containers, as measured last."),
        queries=(over('mean("fill")', rows('last("fill_level") AS "fill"', "asset", CONTAINER)),),
        unit="percent",
        decimals=0,
        steps=FILL,
        width=6,
        height=4,
    ),
    Panel(
        kind="stat",
        title=text("Über 80 %", "Above 80 %"),
        description=text(
            "Wie viele der gewählten Behälter zuletzt mehr als 80 % voll waren.",
            "How many of the chosen containers were more than 80 % full when last heard.",
        ),
        queries=(over('count("fill")', rows('last("fill_level") AS "fill"', "asset", CONTAINER), '"fill" > 80'),),
        unit="none",
        steps=SOME,
        width=6,
        height=4,
        calm=text("keine", "none"),
    ),
    Panel(
        kind="stat",
        title=text("Fällig gemeldet", "Told as due"),
        description=text(
            "Wie viele der gewählten Behälter nach dem letzten Wort der Regel zu leeren sind.",
            "How many of the chosen containers are to be emptied by the rule's last word.",
        ),
        queries=(
            over('count("text")', rows('last("text_@") AS "text", "status"', "event", DUE), "\"status\" = 'due'"),
        ),
        unit="none",
        steps=SOME,
        width=6,
        height=4,
        calm=text("keine", "none"),
    ),
    Panel(
        kind="stat",
        title=text("Leerungen im Zeitraum", "Emptied in this span"),
        description=text(
            "Wie oft ein Behälter als geleert gemeldet wurde.",
            "How often a container was told to have been emptied.",
        ),
        queries=(figure('count("id")', "event", DUE, EMPTIED),),
        unit="none",
        steps=PLAIN,
        width=6,
        height=4,
        calm=text("keine", "none"),
    ),
    Panel(
        kind="map",
        title=text("Füllstände", "Fill levels"),
        description=text("Letzter Füllstand im Zeitraum.", "Newest fill level in this span."),
        queries=(
            newest(
                'last("fill_level") AS "fill_level", "latitude", "longitude"',
                "asset",
                CONTAINER,
                alias=text("Behälter", "Containers"),
            ),
        ),
        values=("fill_level",),
        unit="percent",
        steps=FILL,
        columns=(Column(name="fill_level", title=text("Füllstand", "Fill level"), unit="percent", steps=FILL), *PLACED),
        width=10,
        height=16,
    ),
    Panel(
        kind="table",
        title=text("Behälter und Vorhersage", "Containers and forecast"),
        description=text(
            "Füllstand und, wo genug gelernt ist, Stunden bis voll (früh, mittel, spät) und das Risiko, vor der "
            "übernächsten Tour überzulaufen.",
            "Fill level and, where enough was learned, hours until full (early, middle, late) and the risk of "
            "overflowing before the tour after next.",
        ),
        queries=(
            newest(
                'last("fill_level") AS "fill_level", "fill_rate", "hours_to_full_p05", "hours_to_full", '
                '"hours_to_full_p95", "overflow_risk"',
                "asset",
                CONTAINER,
                by=("asset", "district"),
            ),
        ),
        unit="none",
        steps=PLAIN,
        columns=(
            WHEN_COLUMN,
            ASSET,
            DISTRICT,
            Column(name="fill_level", title=text("Füllstand", "Fill level"), unit="percent", decimals=0, steps=FILL),
            Column(name="fill_rate", title=text("je Tag", "a day"), unit="percent", decimals=1),
            Column(name="hours_to_full_p05", title=text("voll früh", "full early"), unit="h", decimals=0, steps=HOURS),
            Column(name="hours_to_full", title=text("voll", "full"), unit="h", decimals=0, steps=HOURS),
            Column(name="hours_to_full_p95", title=text("voll spät", "full late"), unit="h", decimals=0, steps=HOURS),
            Column(name="overflow_risk", title=text("Risiko", "Risk"), unit="percentunit", decimals=0, steps=RISK),
        ),
        width=14,
        height=10,
    ),
    Panel(
        kind="table",
        title=text("Fällig, geleert, stumm", "Due, emptied, silent"),
        description=text("Was zuletzt über Behälter gemeldet wurde.", "What was told of containers last."),
        queries=(events(DUE),),
        unit="none",
        steps=PLAIN,
        columns=EVENT_COLUMNS,
        width=14,
        height=6,
        calm=NO_NEWS,
    ),
    Panel(
        kind="lines",
        title=text("Füllstand", "Fill level"),
        description=text(
            "Verlauf je Behälter; die Stufen sind 60, 80 und 95 %.", "Course by container; steps at 60, 80 and 95 %."
        ),
        queries=(course('last("fill_level")', "asset", CONTAINER),),
        unit="percent",
        decimals=0,
        low=0,
        high=100,
        steps=FILL,
        every="1h",
    ),
    Panel(
        kind="lines",
        title=text("Stunden bis voll", "Hours until full"),
        description=text(
            "Mittlere Vorhersage je Behälter, sobald genug Leerungen gelernt sind.",
            "Middle forecast by container, once enough cycles were learned.",
        ),
        queries=(course('last("hours_to_full")', "asset", CONTAINER),),
        unit="h",
        decimals=0,
        low=0,
        steps=HOURS,
        calm=text("noch nicht genug gelernt", "not enough learned yet"),
        every="1h",
    ),
    Panel(
        kind="bars",
        title=text("Wie viele fällig wurden", "How many became due"),
        description=text(
            "Meldungen, dass ein Behälter zu leeren ist, je Stadtbezirk.",
            "Messages that a container is to be emptied, by district.",
        ),
        queries=(course('count("id")', "event", DUE, "\"status\" = 'due'", by=("district",), alias="$tag_district"),),
        unit="none",
        steps=PLAIN,
        every="6h",
        stacked=True,
    ),
    Panel(
        kind="lines",
        title=text("Temperatur im Behälter", "Temperature inside"),
        description=text(
            "Höchster Wert je Abschnitt; ein schneller Anstieg wird als möglicher Brand gemeldet.",
            "Highest value of each interval; a quick rise is told as a possible fire.",
        ),
        queries=(course('max("air_temperature")', "waste"),),
        unit="celsius",
        decimals=0,
        steps=((None, GREEN), (50, ORANGE), (70, RED)),
        every="1h",
    ),
    Panel(
        kind="table",
        title=text("Brand, Neigung und anderes Auffälliges", "Fire and what else is odd"),
        description=text(
            "Behälter, in denen es zu heiß wird. Keine Brandmeldeanlage.",
            "Containers that get too hot. No fire alarm system.",
        ),
        queries=(events(FIRE),),
        unit="none",
        steps=PLAIN,
        columns=EVENT_COLUMNS,
        calm=NOTHING_WRONG,
    ),
    Panel(
        kind="table",
        title=text("Touren", "Tours"),
        description=text(
            "Vorgeschlagene, bestätigte und zurückgenommene Touren je Fahrzeug, mit Halten und Strecke.",
            "Tours proposed, confirmed and withdrawn, by vehicle, with their stops and distance.",
        ),
        queries=(events(TOUR, more=', "stops", "distance_m"'),),
        unit="none",
        steps=PLAIN,
        columns=(
            *EVENT_COLUMNS,
            Column(name="stops", title=text("Halte", "Stops"), decimals=0),
            Column(name="distance_m", title=text("Strecke", "Distance"), unit="lengthm", decimals=0),
        ),
        calm=NO_NEWS,
    ),
    Panel(
        kind="bars",
        title=text("Gefahrene Strecke laut Tourenplan", "Distance by the tours' plans"),
        description=text(
            "Strecke der bestätigten Touren je Tag und Fahrzeug.",
            "Distance of the confirmed tours by day and vehicle.",
        ),
        queries=(course('sum("distance_m")', "event", TOUR, "\"status\" = 'confirmed'"),),
        unit="lengthm",
        decimals=0,
        steps=PLAIN,
        every="1d",
        stacked=True,
    ),
    Panel(
        kind="bars",
        title=text("Gesparte Strecke, geschätzt", "Distance saved, estimated"),
        description=text(
            "Bestätigte Touren gegenüber festen Leerungszyklen: kürzeste Touren wachsen mit der Wurzel der Haltezahl. "
            "Unter null: mehr Weg als im festen Zyklus. Genauer rechnet `stadtfunk waste evaluate`.",
            "Confirmed tours beside fixed cycles of emptying: shortest tours grow with the root of the number of "
            "stops. Below zero: more way than in the fixed cycle. `stadtfunk waste evaluate` reckons more closely.",
        ),
        queries=(course('sum("saved_m")', "event", TOUR, "\"status\" = 'confirmed'"),),
        unit="lengthm",
        decimals=0,
        steps=PLAIN,
        every="1d",
        stacked=True,
    ),
)

WASTE = Dashboard(
    name="waste",
    title=text("Abfall", "Waste"),
    description=text("Füllstände, Vorhersage, Fälliges und Touren.", "Fill levels, forecast, what is due, and tours."),
    panels=PANELS,
    variables=places("container"),
    notes=(
        Notes(
            title=text("Fällig und geleert", "Due and emptied"),
            condition=f"{HERE} AND {DUE}",
            colour=BLUE,
            shown=False,
        ),
        Notes(title=text("Möglicher Brand", "Possible fire"), condition=f"{HERE} AND {FIRE}", colour=RED),
    ),
)
