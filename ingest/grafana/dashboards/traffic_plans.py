"""Signal plans: wanted, running, why, and what was asked for and answered."""

from ingest.grafana.dashboards.query import course, events, of_kind
from ingest.grafana.dashboards.spec import Code, Panel, text
from ingest.grafana.dashboards.traffic_flow import ANSWERED, FLOW, REQUESTS, SPEED
from ingest.grafana.dashboards.words import (
    BLUE,
    EVENT_COLUMNS,
    GREEN,
    GREY,
    NO_NEWS,
    ORANGE,
    PLAIN,
    PURPLE,
    RED,
    YELLOW,
)

PLAN_COLOURS = (GREY, BLUE, GREEN, YELLOW, ORANGE, PURPLE)
PLANS = {str(number): Code(text(f"Plan {number}", f"plan {number}"), PLAN_COLOURS[number % 6]) for number in range(33)}
WHY = {
    "0": Code(text("angefordert", "asked for"), BLUE),
    "1": Code(text("läuft schon", "runs already"), GREEN),
    "2": Code(text("nach Zeitplan", "as scheduled"), GREEN),
    "3": Code(text("Mindestdauer", "shortest stay"), YELLOW),
    "4": Code(text("zu viele Wechsel", "too many switches"), ORANGE),
    "5": Code(text("abgelehnt", "rejected"), RED),
    "6": Code(text("von Hand übersteuert", "overridden"), PURPLE),
    "7": Code(text("fremder Plan läuft", "foreign plan runs"), PURPLE),
    "8": Code(text("keine Messung", "no news"), GREY),
    "9": Code(text("zu wenig gemessen", "too little measured"), ORANGE),
    "10": Code(text("widersprüchlich", "contradicting"), ORANGE),
    "11": Code(text("nicht messbar", "not measured"), GREY),
}
"""Why a group has the plan that it has, by the codes of `rules.traffic.signal_plan`."""


PLAN_PANELS: tuple[Panel, ...] = (
    Panel(
        kind="states",
        title=text("Gewünschter Signalplan", "Signal plan wanted"),
        description=text(
            "Der Plan, den der gemessene Verkehr verlangt, je Steuergruppe.",
            "The plan that the measured traffic wants, by control group.",
        ),
        queries=(course('last("plan_wanted")', "asset", of_kind("control_group")),),
        unit="none",
        steps=PLAIN,
        codes=PLANS,
        height=6,
    ),
    Panel(
        kind="states",
        title=text("Laufender Signalplan", "Signal plan running"),
        description=text(
            "Der Plan, den die Steuerung nach ihren Antworten ausführt.",
            "The plan that the controller runs, by its answers.",
        ),
        queries=(course('last("plan_reported")', "asset", of_kind("control_group")),),
        unit="none",
        steps=PLAIN,
        codes=PLANS,
        height=6,
    ),
    Panel(
        kind="states",
        title=text("Warum dieser Plan", "Why this plan"),
        description=text(
            "Was die Regel zu jeder Steuergruppe entschied und was dagegen stand.",
            "What the rule decided for each control group, and what stood against it.",
        ),
        queries=(course('last("status")', "asset", of_kind("control_group")),),
        unit="none",
        steps=PLAIN,
        codes=WHY,
        height=6,
    ),
    Panel(
        kind="lines",
        title=text("Verkehr je Richtung der Steuergruppen", "Flow by direction of control groups"),
        description=text(
            "Wonach der Signalplan gewählt wird: Verkehrsstärke stadteinwärts und stadtauswärts.",
            "What the signal plan is chosen by: flow into the city and out of it.",
        ),
        queries=(
            course(
                'mean("flow_inbound")',
                "asset",
                of_kind("control_group"),
                alias=text("$tag_asset stadteinwärts", "$tag_asset inbound"),
            ),
            course(
                'mean("flow_outbound")',
                "asset",
                of_kind("control_group"),
                alias=text("$tag_asset stadtauswärts", "$tag_asset outbound"),
            ),
        ),
        unit=FLOW,
        decimals=0,
        steps=PLAIN,
        height=6,
    ),
    Panel(
        kind="table",
        title=text("Anforderungen und Antworten", "Requests and answers"),
        description=text(
            "Angeforderte Pläne, grüne Wellen und Busbevorrechtigung, dazwischen Störungen der Ausführung.",
            "Plans, green waves and bus priority that were asked for, and trouble with carrying them out.",
        ),
        queries=(events(f"{REQUESTS} OR {ANSWERED}"),),
        unit="none",
        steps=PLAIN,
        columns=EVENT_COLUMNS,
        calm=NO_NEWS,
    ),
    Panel(
        kind="bars",
        title=text("Anforderungen je Regel", "Requests by rule"),
        description=text(
            "Wie viele Anforderungen in jedem Abschnitt hinausgingen oder im Schatten standen.",
            "How many requests went out, or stayed in shadow, in each interval.",
        ),
        queries=(course('count("id")', "event", REQUESTS, by=("channel",), alias="$tag_channel"),),
        unit="none",
        steps=PLAIN,
        every="1h",
        stacked=True,
    ),
    Panel(
        kind="history",
        title=text("Weg-Zeit-Bild der Geschwindigkeit", "Speed over road and time"),
        description=text(
            "Jede Zeile eine Messstelle, jede Spalte ein Abschnitt der Zeit: so wandert ein Stau die Straße entlang. "
            "Wählen Sie unter Ort die Messstellen eines Streckenzugs; das Weg-Zeit-Bild der Freigabezeiten zeichnet "
            "`stadtfunk signal-plan propose`.",
            "Each row a detector, each column an interval: this is how a queue moves along the road. Choose the "
            "detectors of a corridor as places; the diagram of green times is drawn by `stadtfunk signal-plan "
            "propose`.",
        ),
        queries=(course('mean("vehicle_speed")', "asset", of_kind("detector"), fill="null"),),
        unit="velocitykmh",
        decimals=0,
        steps=SPEED,
        every="15m",
        height=10,
    ),
)
