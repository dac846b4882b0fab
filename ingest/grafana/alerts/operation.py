"""Alerts about the service, its database, its gateways and its devices."""

from ingest.grafana.alerts.query import nought, standing, together
from ingest.grafana.alerts.spec import DAY, HOUR, Alert, Question
from ingest.grafana.dashboards.query import figure, over, rows
from ingest.grafana.dashboards.spec import text
from ingest.service_points import MEASUREMENT

RENEWED_S = 2 * DAY
"""What goes on is told again within a day."""
LEDGER = "\"channel\"::tag = 'ledger'"
GREW = rows('non_negative_difference(last("dead_letters")) AS "n"', MEASUREMENT, by=("time(1m)",), here="")
KNOWN = rows('last("expected") AS "n"', "device", LEDGER, by=("dev_eui",), here="")
SILENT_DEVICES = standing("device.health", "dev_eui", condition='"status" = \'problem\' AND "text_en" =~ /silent/')

OPERATION: tuple[Alert, ...] = (
    Alert(
        name="database-unreachable",
        title=text("Datenbank nicht erreichbar", "Database unreachable"),
        summary=text(
            "Seit zehn Minuten kam kein Wort des Dienstes in InfluxDB an, oder InfluxDB antwortet nicht.",
            "For ten minutes no word of the service has arrived in InfluxDB, or InfluxDB does not answer.",
        ),
        questions=(Question(figure('count("uptime_s")', MEASUREMENT, here="").ask, 600),),
        below=1,
        lasts="2m",
        severity="critical",
    ),
    Alert(
        name="journal-filling",
        title=text("Journal läuft voll", "Journal filling"),
        summary=text(
            "Das Journal ist zu mehr als 80 % gefüllt; bei 100 % wird nichts mehr quittiert.",
            "The journal is more than 80 % full; at 100 % nothing is acknowledged any more.",
        ),
        questions=(Question(figure('last("journal_share")', MEASUREMENT, here="").ask, 600),),
        above=0.8,
        severity="critical",
    ),
    Alert(
        name="dead-letters-rising",
        title=text("Unzustellbares nimmt zu", "Dead letters rising"),
        summary=text(
            "In der letzten halben Stunde konnten mehr als 20 Nachrichten nicht verarbeitet werden.",
            "In the last half hour more than 20 messages could not be used.",
        ),
        questions=(Question(over('sum("n")', GREW).ask, HOUR // 2),),
        above=20,
    ),
    Alert(
        name="silent-gateway",
        title=text("Gateway stumm", "Gateway silent"),
        summary=text(
            "Ein Gateway, oder das ganze Funknetz (all), ist verstummt.",
            "A gateway, or the whole radio network (all), has fallen silent.",
        ),
        questions=(
            Question(
                together(
                    standing("network.health", "gateway", condition="\"status\" = 'silent'"),
                    nought("uplinks", "gateway"),
                    by=("gateway", "channel"),
                ),
                RENEWED_S,
            ),
        ),
        above=0,
        severity="critical",
        dashboard="network",
    ),
    Alert(
        name="silent-devices",
        title=text("Viele Geräte stumm", "Many devices silent"),
        summary=text(
            "Mehr als ein Zehntel der aktiven Geräte ist verstummt.",
            "More than a tenth of the active devices have fallen silent.",
        ),
        questions=(
            Question(together(SILENT_DEVICES, nought("expected", "device", LEDGER), by=("channel",)), RENEWED_S),
            Question(over('count("n")', KNOWN).ask, RENEWED_S),
        ),
        formula="$A / $B",
        above=0.1,
        lasts="15m",
        dashboard="network",
    ),
)
