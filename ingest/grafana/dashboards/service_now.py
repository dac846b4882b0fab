"""How the service fares now."""

from ingest.grafana.dashboards.query import figure
from ingest.grafana.dashboards.spec import Organisation, Panel, Query, text
from ingest.grafana.dashboards.words import (
    GREEN,
    ORANGE,
    RED,
    YELLOW,
)
from ingest.service_points import MEASUREMENT

INSIDE: Organisation = "internal"
LEDGER = "\"channel\"::tag = 'ledger'"
LAG = ((None, GREEN), (60, YELLOW), (300, ORANGE), (900, RED))
FULL = ((None, GREEN), (0.5, YELLOW), (0.8, ORANGE), (0.95, RED))
KEPT = ((None, GREEN), (1, YELLOW), (100, ORANGE), (1000, RED))
BUDGET = ((None, RED), (0.95, ORANGE), (0.99, GREEN))


def _now(field: str) -> Query:
    return figure(f'last("{field}")', MEASUREMENT, source=INSIDE, here="")


NOW_PANELS: tuple[Panel, ...] = (
    Panel(
        kind="stat",
        title=text("Rückstand", "Lag"),
        description=text(
            "Um wie viel die neueste verarbeitete Nachricht hinter der Uhr liegt.",
            "How far the newest message that was processed is behind the clock.",
        ),
        queries=(_now("lag_s"),),
        unit="s",
        decimals=0,
        steps=LAG,
        width=4,
        height=4,
    ),
    Panel(
        kind="stat",
        title=text("Kette geschlossen vor", "Chain complete since"),
        description=text(
            "Seit wann der letzte Kanarienvogel durch die ganze Kette kam.",
            "Since when the last canary came through the whole chain.",
        ),
        queries=(_now("chain_age_s"),),
        unit="s",
        decimals=0,
        steps=((None, GREEN), (90, ORANGE), (180, RED)),
        width=4,
        height=4,
    ),
    Panel(
        kind="stat",
        title=text("Journal gefüllt", "Journal filled"),
        description=text(
            "Anteil der erlaubten Größe; bei 100 % wird nichts mehr quittiert.",
            "Share of the size that is allowed; at 100 % nothing is acknowledged any more.",
        ),
        queries=(_now("journal_share"),),
        unit="percentunit",
        decimals=1,
        steps=FULL,
        width=4,
        height=4,
    ),
    Panel(
        kind="stat",
        title=text("Unzustellbar, aufgehoben", "Dead letters kept"),
        description=text(
            "Nachrichten, die nicht verarbeitet werden konnten und auf einen Menschen warten.",
            "Messages that could not be used and wait for a person.",
        ),
        queries=(_now("kept_dead_letters"),),
        unit="none",
        steps=KEPT,
        width=4,
        height=4,
    ),
    Panel(
        kind="stat",
        title=text("Störungen jetzt", "Problems now"),
        description=text(
            "Was den Dienst gerade von seiner Arbeit abhält; `stadtfunk status` nennt es.",
            "What keeps the service from its work now; `stadtfunk status` names it.",
        ),
        queries=(_now("problems"),),
        unit="none",
        steps=((None, GREEN), (1, RED)),
        width=4,
        height=4,
    ),
    Panel(
        kind="stat",
        title=text("Gespeicherter Anteil", "Share stored"),
        description=text(
            "Gespeicherte von erwarteten Uplinks aller Geräte im Zeitraum; Ziel 99 %.",
            "Stored of expected uplinks of all devices in this span; the aim is 99 %.",
        ),
        queries=(figure('sum("stored") / sum("expected")', "device", LEDGER, source=INSIDE, here=""),),
        unit="percentunit",
        decimals=2,
        steps=BUDGET,
        width=4,
        height=4,
    ),
)
