"""Batteries and clocks of the devices."""

from ingest.grafana.dashboards.network_radio import THERE
from ingest.grafana.dashboards.query import course, newest
from ingest.grafana.dashboards.spec import Column, Panel, text
from ingest.grafana.dashboards.words import (
    ASSET,
    DEV_EUI,
    DEVICE_NAME,
    GREEN,
    MODEL,
    ORANGE,
    PLAIN,
    RED,
    WHEN_COLUMN,
)

LEDGER = "\"channel\"::tag = 'ledger'"
LEVEL = ((None, RED), (20, ORANGE), (40, GREEN))
DAYS = ((None, RED), (30, ORANGE), (90, GREEN))


DEVICE_PANELS: tuple[Panel, ...] = (
    Panel(
        kind="table",
        title=text("Batterien, Ladung", "Batteries, charge"),
        description=text(
            "Geräte, die ihre Ladung in Prozent sagen, leerste zuerst zu sortieren.",
            "Devices that tell their charge in percent; sort to see the emptiest first.",
        ),
        queries=(
            newest(
                'last("battery_level") AS "battery_level"',
                "device",
                by=("dev_eui", "device", "model", "asset"),
                source="internal",
                here=THERE,
            ),
        ),
        unit="percent",
        steps=LEVEL,
        columns=(
            WHEN_COLUMN,
            DEV_EUI,
            DEVICE_NAME,
            MODEL,
            ASSET,
            Column(name="battery_level", title=text("Ladung", "Charge"), unit="percent", decimals=0, steps=LEVEL),
        ),
    ),
    Panel(
        kind="lines",
        title=text("Batterien, Spannung", "Batteries, voltage"),
        description=text(
            "Tiefste Spannung je Modell; was leer heißt, hängt vom Modell ab.",
            "Lowest voltage of each model; what empty means depends on the model.",
        ),
        queries=(
            course(
                'min("battery_voltage")', "device", by=("model",), alias="$tag_model", source="internal", here=THERE
            ),
        ),
        unit="volt",
        decimals=2,
        steps=PLAIN,
        every="1h",
    ),
    Panel(
        kind="table",
        title=text("Batterien, Tage bis leer", "Batteries, days left"),
        description=text(
            "Wo der Trend es hergibt; gemeldet wird unter 30 Tagen.",
            "Where there is a trend; told below 30 days.",
        ),
        queries=(
            newest(
                'last("battery_days_left") AS "battery_days_left"',
                "device",
                LEDGER,
                by=("dev_eui", "device", "model", "asset"),
                source="internal",
                here=THERE,
            ),
        ),
        unit="none",
        steps=DAYS,
        columns=(
            WHEN_COLUMN,
            DEV_EUI,
            DEVICE_NAME,
            MODEL,
            ASSET,
            Column(name="battery_days_left", title=text("Tage", "Days"), unit="d", decimals=0, steps=DAYS),
        ),
        calm=text("noch kein Trend", "no trend yet"),
    ),
    Panel(
        kind="lines",
        title=text("Uhren der Geräte", "Devices' clocks"),
        description=text(
            "Um wie viel die Zeit der Messung von der des Netzwerkservers abweicht, je Modell.",
            "How far the time of measurement is from the network server's, by model.",
        ),
        queries=(
            course('mean("clock_offset_s")', "link", by=("model",), alias="$tag_model", source="internal", here=THERE),
        ),
        unit="s",
        decimals=1,
        steps=((None, GREEN), (120, RED)),
        every="1h",
    ),
)
