"""How the service fared."""

from ingest.grafana.dashboards.query import course, events
from ingest.grafana.dashboards.service_now import INSIDE, LAG, LEDGER
from ingest.grafana.dashboards.spec import Panel, Query, Text, text
from ingest.grafana.dashboards.words import (
    EVENT_COLUMNS,
    GATEWAY,
    GREEN,
    NOTHING_WRONG,
    ORANGE,
    PLAIN,
    RED,
)
from ingest.service_points import MEASUREMENT


def _course(select: str, alias: Text | str) -> Query:
    return course(select, MEASUREMENT, by=(), source=INSIDE, alias=alias, here="")


def _grown(field: str, alias: Text | str) -> Query:
    """How much a count grew; it begins at 0 again with each start."""
    select = f'non_negative_difference(max("{field}"))'
    return course(select, MEASUREMENT, by=(), source=INSIDE, alias=alias, here="")


COURSE_PANELS: tuple[Panel, ...] = (
    Panel(
        kind="lines",
        title=text("Rückstand im Verlauf", "Lag over time"),
        description=text(
            "Steigt, wenn nichts ankommt oder ein Rückstau abgearbeitet wird.",
            "Rises when nothing arrives, or while a backlog is worked off.",
        ),
        queries=(_course('max("lag_s")', text("Rückstand", "lag")),),
        unit="s",
        decimals=0,
        low=0,
        steps=LAG,
        every="1m",
    ),
    Panel(
        kind="lines",
        title=text("Umlauf des Kanarienvogels", "The canary's round trip"),
        description=text(
            "Wie lange eine Nachricht durch Broker, Dienst, Journal und Senken braucht.",
            "How long a message takes through broker, service, journal and sinks.",
        ),
        queries=(_course('max("chain_round_trip_s")', text("Umlauf", "round trip")),),
        unit="s",
        decimals=2,
        low=0,
        steps=((None, GREEN), (5, ORANGE), (30, RED)),
        every="1m",
    ),
    Panel(
        kind="bars",
        title=text("Nachrichten", "Messages"),
        description=text(
            "Gespeichert, als doppelt erkannt, unbrauchbar; je Abschnitt.",
            "Stored, recognised as repeats, unusable; in each interval.",
        ),
        queries=(
            _grown("stored", text("gespeichert", "stored")),
            _grown("duplicates", text("doppelt", "repeated")),
            _grown("dead_letters", text("unbrauchbar", "unusable")),
        ),
        unit="none",
        steps=PLAIN,
        every="5m",
        stacked=True,
    ),
    Panel(
        kind="lines",
        title=text("Was im Journal wartet", "What waits in the journal"),
        description=text(
            "Zeilen für die Datenbank und Ereignisse für den Broker.",
            "Lines for the database, and events for the broker.",
        ),
        queries=(
            _course('max("journal_lines")', text("Zeilen", "lines")),
            _course('max("journal_events")', text("Ereignisse", "events")),
            _course('max("waiting")', text("Nachrichten im Speicher", "messages in memory")),
        ),
        unit="short",
        decimals=0,
        low=0,
        steps=PLAIN,
        every="1m",
    ),
    Panel(
        kind="lines",
        title=text("Größe des Journals", "Size of the journal"),
        description=text(
            "Belegte Bytes; die Grenze setzt `journal.max_bytes`.",
            "Bytes in use; `journal.max_bytes` sets the limit.",
        ),
        queries=(_course('max("journal_bytes")', text("Journal", "journal")),),
        unit="bytes",
        low=0,
        steps=PLAIN,
        every="1m",
    ),
    Panel(
        kind="bars",
        title=text("Unzustellbares nach Grund", "Dead letters by reason"),
        description=text(
            "Warum Nachrichten nicht verarbeitet werden konnten, Zuwachs je Abschnitt.",
            "Why messages could not be used, growth in each interval.",
        ),
        queries=(_course("non_negative_difference(max(/^dead_letters_/))", "$col"),),
        unit="none",
        steps=PLAIN,
        every="5m",
        stacked=True,
        rename=("^.*dead_letters_(.*)$", "$1"),
    ),
    Panel(
        kind="lines",
        title=text("Wartezeit der Senken", "Back-off of sinks"),
        description=text(
            "0, solange eine Senke annimmt; sonst die Pause bis zum nächsten Versuch.",
            "0 while a sink takes; else the pause until it is tried again.",
        ),
        queries=(
            course('max("backoff_s")', MEASUREMENT, by=("channel",), source=INSIDE, alias="$tag_channel", here=""),
        ),
        unit="s",
        low=0,
        steps=((None, GREEN), (1, ORANGE), (30, RED)),
        every="1m",
    ),
    Panel(
        kind="lines",
        title=text("Rückstand der Senken", "Sinks behind"),
        description=text(
            "Zeilen des Journals, die eine Senke noch nicht genommen hat.",
            "Rows of the journal that a sink has not taken yet.",
        ),
        queries=(
            course('max("behind_rows")', MEASUREMENT, by=("channel",), source=INSIDE, alias="$tag_channel", here=""),
        ),
        unit="short",
        decimals=0,
        low=0,
        steps=((None, GREEN), (1000, ORANGE), (10000, RED)),
        every="1m",
    ),
    Panel(
        kind="bars",
        title=text("Fehlerbudget je Tag", "Error budget by day"),
        description=text(
            "Erwartete, empfangene, gespeicherte und unbrauchbare Uplinks aller Geräte.",
            "Uplinks of all devices: expected, received, stored and unusable.",
        ),
        queries=tuple(
            course(f'sum("{field}")', "device", LEDGER, by=(), source=INSIDE, alias=name, here="")
            for field, name in (
                ("expected", text("erwartet", "expected")),
                ("received", text("empfangen", "received")),
                ("stored", text("gespeichert", "stored")),
                ("dead_letters", text("unbrauchbar", "unusable")),
            )
        ),
        unit="none",
        steps=PLAIN,
        every="1d",
    ),
    Panel(
        kind="states",
        title=text("Verbindung zum Broker", "Connection to the broker"),
        description=text("Ob sie stand, je Minute.", "Whether it stood, minute by minute."),
        queries=(_course('min("broker_connected")', text("Broker", "broker")),),
        unit="bool_on_off",
        steps=((None, RED), (1, GREEN)),
        every="1m",
        height=4,
    ),
    Panel(
        kind="table",
        title=text("Störungen des Funknetzes", "Trouble of the radio network"),
        description=text(
            "Stummes Netz und stumme Gateways: dann liegt es nicht am Dienst.",
            "A silent network and silent gateways: then it is not the service.",
        ),
        queries=(
            events(
                "\"channel\"::tag = 'network.health'",
                source=INSIDE,
                here="",
                limit=50,
                more=', "gateway"::tag AS "gateway"',
            ),
        ),
        unit="none",
        steps=PLAIN,
        columns=(*EVENT_COLUMNS, GATEWAY),
        height=6,
        calm=NOTHING_WRONG,
    ),
)
