"""Gateways, reception and losses."""

from ingest.grafana.dashboards.query import DEVICE, HERE, course, events, figure, newest, over, rows
from ingest.grafana.dashboards.spec import Column, Panel, text
from ingest.grafana.dashboards.words import (
    ANY,
    DEV_EUI,
    DEVICE_NAME,
    EVENT_COLUMNS,
    GATEWAY,
    GREEN,
    NOTHING_WRONG,
    ORANGE,
    PLAIN,
    RED,
    WHEN_COLUMN,
    YELLOW,
)

HEALTH = '"channel"::tag =~ /^(device|network)\\.health$/'
THERE = f"{HERE} AND {DEVICE}"
RSSI = ((None, RED), (-120, ORANGE), (-110, YELLOW), (-100, GREEN))
SNR = ((None, RED), (-15, ORANGE), (-7, YELLOW), (0, GREEN))
LOST = rows('sum("frames_lost") AS "lost"', "link", by=("dev_eui",), here=THERE)


RADIO_PANELS: tuple[Panel, ...] = (
    Panel(
        kind="stat",
        title=text("Uplinks im Zeitraum", "Uplinks in this span"),
        description=text(
            "Gespeicherte Uplinks der gewählten Geräte.", "Uplinks of the chosen devices that were stored."
        ),
        queries=(figure('count("f_cnt")', "link", source="internal", here=THERE),),
        unit="short",
        steps=PLAIN,
        width=6,
        height=4,
    ),
    Panel(
        kind="stat",
        title=text("Geräte gehört", "Devices heard"),
        description=text("Wie viele Geräte im Zeitraum sendeten.", "How many devices sent something in this span."),
        queries=(
            over('count("n")', rows('last("f_cnt") AS "n"', "link", by=("dev_eui",), here=THERE), source="internal"),
        ),
        unit="none",
        steps=PLAIN,
        width=6,
        height=4,
    ),
    Panel(
        kind="stat",
        title=text("Verlorene Rahmen", "Frames lost"),
        description=text(
            "Lücken in den Rahmenzählern: was Geräte sendeten und kein Gateway weitergab.",
            "Gaps in frame counters: what devices sent and no gateway handed on.",
        ),
        queries=(figure('sum("frames_lost")', "link", source="internal", here=THERE),),
        unit="short",
        steps=((None, GREEN), (100, YELLOW), (1000, ORANGE)),
        width=6,
        height=4,
    ),
    Panel(
        kind="stat",
        title=text("Gestörte Geräte", "Devices in trouble"),
        description=text(
            "Geräte, deren letztes Wort im Zeitraum eine Störung ist.",
            "Devices whose last word in this span is a problem.",
        ),
        queries=(
            over(
                'count("id")',
                rows('last("id") AS "id", "status"', "event", HEALTH, by=("dev_eui", "gateway")),
                "\"status\" = 'problem' OR \"status\" = 'silent'",
                "internal",
            ),
        ),
        unit="none",
        steps=((None, GREEN), (1, ORANGE), (10, RED)),
        width=6,
        height=4,
        calm=text("keine", "none"),
    ),
    Panel(
        kind="table",
        title=text("Gateways", "Gateways"),
        description=text(
            "Letzte volle Stunde: gehörte Uplinks, Anteil an allen, mittlere Stärke und Rauschabstand.",
            "Last full hour: uplinks heard, share of all, mean strength and signal-to-noise ratio.",
        ),
        queries=(
            newest(
                'last("uplinks") AS "uplinks", "share", "rssi", "snr"',
                "gateway",
                by=("gateway",),
                source="internal",
                here="",
            ),
        ),
        unit="none",
        steps=PLAIN,
        columns=(
            WHEN_COLUMN,
            GATEWAY,
            Column(name="uplinks", title=text("Uplinks je Stunde", "Uplinks an hour"), decimals=0),
            Column(name="share", title=text("Anteil", "Share"), unit="percentunit", decimals=0),
            Column(name="rssi", title=text("RSSI", "RSSI"), unit="dBm", decimals=0, steps=RSSI),
            Column(name="snr", title=text("SNR", "SNR"), unit="dB", decimals=1, steps=SNR),
        ),
        height=6,
    ),
    Panel(
        kind="bars",
        title=text("Uplinks je Gateway", "Uplinks by gateway"),
        description=text(
            "Je Stunde gehörte Uplinks; dieselben hören oft mehrere.",
            "Uplinks heard an hour; several often hear the same.",
        ),
        queries=(
            course('mean("uplinks")', "gateway", by=("gateway",), alias="$tag_gateway", source="internal", here=""),
        ),
        unit="none",
        decimals=0,
        steps=PLAIN,
        every="1h",
        height=6,
    ),
    Panel(
        kind="table",
        title=text("Stumm, schwach, leer", "Silent, weak, empty"),
        description=text(
            "Was zuletzt über Geräte, Gateways und das Netz gemeldet wurde.",
            "What was told of devices, gateways and the network last.",
        ),
        queries=(
            events(
                HEALTH,
                source="internal",
                more=', "dev_eui"::tag AS "dev_eui", "device"::tag AS "device", "gateway"::tag AS "gateway"',
            ),
        ),
        unit="none",
        steps=ANY,
        columns=(*EVENT_COLUMNS, DEV_EUI, DEVICE_NAME, GATEWAY),
        calm=NOTHING_WRONG,
    ),
    Panel(
        kind="table",
        title=text("Verluste je Gerät", "Losses by device"),
        description=text(
            "Die zehn Geräte mit den meisten verlorenen Rahmen im Zeitraum.",
            "The ten devices with the most lost frames in this span.",
        ),
        queries=(over('top("lost", "dev_eui", 10) AS "lost"', LOST, source="internal"),),
        unit="none",
        steps=PLAIN,
        columns=(
            Column(name="Time", title=text("Seit", "Since"), unit="dateTimeAsIso", hidden=True),
            DEV_EUI,
            Column(
                name="lost",
                title=text("verlorene Rahmen", "frames lost"),
                decimals=0,
                steps=((None, GREEN), (10, ORANGE), (50, RED)),
            ),
        ),
    ),
    Panel(
        kind="lines",
        title=text("Stärke (RSSI)", "Strength (RSSI)"),
        description=text(
            "Beste Kopie jedes Uplinks, Mittel je Modell.", "Best copy of each uplink, mean of each model."
        ),
        queries=(course('mean("rssi")', "link", by=("model",), alias="$tag_model", source="internal", here=THERE),),
        unit="dBm",
        decimals=0,
        steps=RSSI,
        every="10m",
    ),
    Panel(
        kind="lines",
        title=text("Rauschabstand (SNR)", "Signal to noise (SNR)"),
        description=text(
            "Beste Kopie jedes Uplinks, Mittel je Modell.", "Best copy of each uplink, mean of each model."
        ),
        queries=(course('mean("snr")', "link", by=("model",), alias="$tag_model", source="internal", here=THERE),),
        unit="dB",
        decimals=1,
        steps=SNR,
        every="10m",
    ),
    Panel(
        kind="bars",
        title=text("Verlorene Rahmen im Verlauf", "Frames lost over time"),
        description=text("Summe je Modell.", "Sum of each model."),
        queries=(
            course('sum("frames_lost")', "link", by=("model",), alias="$tag_model", source="internal", here=THERE),
        ),
        unit="none",
        steps=PLAIN,
        every="1h",
        stacked=True,
    ),
    Panel(
        kind="lines",
        title=text("Spreizfaktor im Mittel", "Mean spreading factor"),
        description=text(
            "Je höher, desto länger belegt ein Uplink die Luft: 12 sendet etwa 25-mal so lang wie 7.",
            "The higher, the longer an uplink is on air: 12 takes about 25 times as long as 7.",
        ),
        queries=(
            course(
                'mean("spreading_factor")', "link", by=("model",), alias="$tag_model", source="internal", here=THERE
            ),
        ),
        unit="none",
        decimals=1,
        low=7,
        high=12,
        steps=((None, GREEN), (10, YELLOW), (11.5, ORANGE)),
        every="1h",
    ),
)
