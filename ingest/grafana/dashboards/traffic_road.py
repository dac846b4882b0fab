"""Along the road: green waves, buses, queues, and what the measurement is worth."""

from ingest.grafana.dashboards.query import course, newest, of_kind
from ingest.grafana.dashboards.spec import Code, Panel, text
from ingest.grafana.dashboards.traffic_flow import FLOW
from ingest.grafana.dashboards.words import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PLAIN,
    PURPLE,
    RED,
    YELLOW,
)

COVERAGE = ((None, RED), (0.6, ORANGE), (0.8, GREEN))
NO_QUEUE = "\"channel\"::tag = 'queue'"
WAVES = {
    "0": Code(text("aus", "off"), GREY),
    "1": Code(text("beide Richtungen", "both directions"), BLUE),
    "2": Code(text("stadteinwärts", "inbound"), GREEN),
    "3": Code(text("stadtauswärts", "outbound"), ORANGE),
}
PRIORITY = {
    "0": Code(text("aus", "off"), GREY),
    "1": Code(text("nur ohne Nachteil für andere", "only where it costs nobody"), YELLOW),
    "2": Code(text("nur verspätete Busse", "late buses only"), BLUE),
    "3": Code(text("alle Busse", "all buses"), GREEN),
}
"""Levels of priority, by their order in `rules.traffic.bus_priority`."""
QUALITY = {
    "0": Code(text("gut", "good"), GREEN),
    "1": Code(text("geschätzt", "estimated"), BLUE),
    "2": Code(text("zweifelhaft", "doubtful"), YELLOW),
    "3": Code(text("unglaubwürdig", "implausible"), ORANGE),
    "4": Code(text("hängt", "stuck"), RED),
    "5": Code(text("Zähler neu begonnen", "counter restarted"), PURPLE),
    "6": Code(text("widersprüchlich", "contradicting"), RED),
}
"""What a detector's figures are worth, by the codes of `rules.traffic.measured`."""
QUEUES = {"0": Code(text("frei", "clear"), GREEN), "1": Code(text("Rückstau", "queue"), RED)}


ROAD_PANELS: tuple[Panel, ...] = (
    Panel(
        kind="states",
        title=text("Grüne Welle", "Green wave"),
        description=text(
            "Das Programm, das der Verkehr auf dem Streckenzug verlangt.",
            "The programme that the traffic on the corridor wants.",
        ),
        queries=(course('last("programme_wanted")', "asset", of_kind("corridor")),),
        unit="none",
        steps=PLAIN,
        codes=WAVES,
        height=5,
    ),
    Panel(
        kind="lines",
        title=text("Verkehr auf Streckenzügen", "Flow on corridors"),
        description=text(
            "Verkehrsstärke je Richtung, nach der die grüne Welle gewählt wird.",
            "Flow by direction, by which the green wave is chosen.",
        ),
        queries=(
            course(
                'mean("flow_inbound")',
                "asset",
                of_kind("corridor"),
                alias=text("$tag_asset stadteinwärts", "$tag_asset inbound"),
            ),
            course(
                'mean("flow_outbound")',
                "asset",
                of_kind("corridor"),
                alias=text("$tag_asset stadtauswärts", "$tag_asset outbound"),
            ),
        ),
        unit=FLOW,
        decimals=0,
        steps=PLAIN,
        height=5,
    ),
    Panel(
        kind="states",
        title=text("Busbevorrechtigung", "Bus priority"),
        description=text(
            "Wie stark Busse auf dem Streckenzug bevorrechtigt werden sollen; braucht einen Fahrplan (`city.gtfs`).",
            "How far buses on the corridor are to be given way; needs a timetable (`city.gtfs`).",
        ),
        queries=(course('last("priority_wanted")', "asset", of_kind("corridor")),),
        unit="none",
        steps=PLAIN,
        codes=PRIORITY,
        calm=text("kein Fahrplan", "no timetable"),
        height=5,
    ),
    Panel(
        kind="states",
        title=text("Rückstau", "Queues"),
        description=text(
            "Messstellen, an denen der Verkehr langsamer fährt als ihre Schwelle.",
            "Detectors past which traffic crawls more slowly than their threshold.",
        ),
        queries=(course('max("queue")', "asset", NO_QUEUE),),
        unit="none",
        steps=PLAIN,
        codes=QUEUES,
        height=5,
    ),
    Panel(
        kind="states",
        title=text("Güte der Messung", "Quality of measurement"),
        description=text(
            "Was die Werte jeder Messstelle taugen; nur gute und geschätzte entscheiden mit.",
            "What the figures of each detector are worth; only good and estimated ones take part in decisions.",
        ),
        queries=(course('max("quality")', "asset", of_kind("detector")),),
        unit="none",
        steps=PLAIN,
        codes=QUALITY,
    ),
    Panel(
        kind="levels",
        title=text("Abdeckung der Messung", "Coverage of measurement"),
        description=text(
            "Anteil der erwarteten Messungen, die eingingen; darunter wird nicht mehr entschieden.",
            "Share of the expected measurements that came in; below the threshold nothing is decided.",
        ),
        queries=(
            newest('last("coverage")', "asset", of_kind("junction"), by=("asset", "channel"), alias="$tag_channel"),
        ),
        unit="percentunit",
        low=0,
        high=1,
        steps=COVERAGE,
    ),
    Panel(
        kind="lines",
        title=text("Fußgänger und Radfahrer", "People on foot and by bicycle"),
        description=text(
            "Gezählte Personen je Stunde, nach Richtung; Einzelne werden nicht erkannt.",
            "People counted an hour, by direction; nobody is recognised.",
        ),
        queries=(course('sum("people_count")', "traffic", by=("asset", "channel"), alias="$tag_asset $tag_channel"),),
        unit=text("suffix: Personen", "suffix: people"),
        steps=PLAIN,
        every="1h",
    ),
)
