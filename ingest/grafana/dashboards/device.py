"""Everything about one device, or those at one place: what it measured, how it is heard, its battery, its history."""

from ingest.grafana.dashboards.query import DEVICE, HERE, course, devices, events, newest, places
from ingest.grafana.dashboards.spec import Column, Dashboard, Notes, Organisation, Panel, Text, text
from ingest.grafana.dashboards.words import (
    ASSET,
    CHANNEL,
    DEV_EUI,
    DEVICE_NAME,
    DISTRICT,
    EVENT_COLUMNS,
    GREEN,
    MODEL,
    NO_NEWS,
    ORANGE,
    PLAIN,
    RED,
    WHEN_COLUMN,
    YELLOW,
)

THERE = f"{HERE} AND {DEVICE}"
LEDGER = "\"channel\"::tag = 'ledger'"
READINGS = "\"channel\"::tag != 'ledger'"
RSSI = ((None, RED), (-120, ORANGE), (-110, YELLOW), (-100, GREEN))
SNR = ((None, RED), (-15, ORANGE), (-7, YELLOW), (0, GREEN))
DOUBTED: tuple[tuple[str, Organisation], ...] = (("environment", "open"), ("link", "internal"))
MEAN = ("^(.*)mean_(.*)$", "$1$2")
NO_SUCH = text("misst nichts dergleichen", "measures nothing like that")


def _readings(measurement: str, title: Text, source: Organisation = "open") -> Panel:
    return Panel(
        kind="lines",
        title=title,
        description=text(
            f"Alle Werte der Familie `{measurement}`, Mittel je Abschnitt; Einheiten stehen in docs/schema.md.",
            f"All values of the family `{measurement}`, mean of each interval; docs/schema.md has their units.",
        ),
        queries=(
            course(
                "mean(*)",
                measurement,
                by=("dev_eui", "channel"),
                alias="$tag_dev_eui $tag_channel $col",
                source=source,
                here=THERE,
            ),
        ),
        unit="short",
        steps=PLAIN,
        rename=MEAN,
        calm=NO_SUCH,
    )


PANELS = (
    Panel(
        kind="table",
        title=text("Gerät", "Device"),
        description=text(
            "Name, Modell, Ort und letzter Uplink der gewählten Geräte.",
            "Name, model, place and newest uplink of the chosen devices.",
        ),
        queries=(
            newest(
                'last("f_cnt") AS "f_cnt", "rssi", "snr", "spreading_factor", "gateways"',
                "link",
                by=("dev_eui", "device", "model", "asset", "district"),
                source="internal",
                here=THERE,
            ),
        ),
        unit="none",
        steps=PLAIN,
        columns=(
            WHEN_COLUMN,
            DEV_EUI,
            DEVICE_NAME,
            MODEL,
            ASSET,
            DISTRICT,
            Column(name="f_cnt", title=text("Rahmenzähler", "Frame counter"), decimals=0),
            Column(name="rssi", title=text("RSSI", "RSSI"), unit="dBm", decimals=0, steps=RSSI),
            Column(name="snr", title=text("SNR", "SNR"), unit="dB", decimals=1, steps=SNR),
            Column(name="spreading_factor", title=text("Spreizfaktor", "Spreading factor"), decimals=0),
            Column(name="gateways", title=text("Gateways", "Gateways"), decimals=0),
        ),
        width=24,
        height=6,
    ),
    _readings("environment", text("Umweltwerte", "Environment readings")),
    _readings("traffic", text("Verkehrswerte", "Traffic readings")),
    _readings("parking", text("Parkwerte, Zähler", "Parking readings, counters")),
    _readings("parking", text("Parkwerte, einzelne Plätze", "Parking readings, single spaces"), "internal"),
    _readings("waste", text("Behälterwerte", "Container readings")),
    _readings("lighting", text("Beleuchtungswerte", "Lighting readings")),
    _readings("meter", text("Zählerwerte", "Meter readings")),
    Panel(
        kind="lines",
        title=text("Was das Gerät von sich sagt", "What the device says of itself"),
        description=text(
            "Batterie, Innentemperatur und andere Angaben über das Gerät selbst.",
            "Battery, temperature inside and whatever else it says of itself.",
        ),
        queries=(
            course(
                "mean(*)",
                "device",
                READINGS,
                by=("dev_eui",),
                alias="$tag_dev_eui $col",
                source="internal",
                here=THERE,
            ),
        ),
        unit="short",
        steps=PLAIN,
        rename=MEAN,
        every="1h",
    ),
    Panel(
        kind="table",
        title=text("Zweifelhafte Werte", "Doubtful values"),
        description=text(
            "Werte mit einem Grund zum Zweifel, letzter im Zeitraum; die Zahlen erklärt docs/sensors-quality.md.",
            "Values with a reason for doubt, newest in this span; docs/sensors-quality.md explains the numbers.",
        ),
        queries=tuple(
            newest("last(/_quality$/)", measurement, by=("dev_eui", "channel"), source=source, here=THERE)
            for measurement, source in DOUBTED
        ),
        unit="none",
        steps=((None, ORANGE),),
        columns=(WHEN_COLUMN, DEV_EUI, CHANNEL),
        calm=text("keine", "none"),
    ),
    Panel(
        kind="lines",
        title=text("Stärke (RSSI)", "Strength (RSSI)"),
        description=text("Beste Kopie jedes Uplinks.", "Best copy of each uplink."),
        queries=(course('mean("rssi")', "link", by=("dev_eui",), alias="$tag_dev_eui", source="internal", here=THERE),),
        unit="dBm",
        decimals=0,
        steps=RSSI,
        width=8,
    ),
    Panel(
        kind="lines",
        title=text("Rauschabstand (SNR)", "Signal to noise (SNR)"),
        description=text("Beste Kopie jedes Uplinks.", "Best copy of each uplink."),
        queries=(course('mean("snr")', "link", by=("dev_eui",), alias="$tag_dev_eui", source="internal", here=THERE),),
        unit="dB",
        decimals=1,
        steps=SNR,
        width=8,
    ),
    Panel(
        kind="bars",
        title=text("Verlorene Rahmen", "Frames lost"),
        description=text("Lücken im Rahmenzähler.", "Gaps in the frame counter."),
        queries=(
            course('sum("frames_lost")', "link", by=("dev_eui",), alias="$tag_dev_eui", source="internal", here=THERE),
        ),
        unit="none",
        steps=((None, GREEN), (5, ORANGE)),
        width=8,
        every="1h",
    ),
    Panel(
        kind="table",
        title=text("Tagesabrechnung", "The day's ledger"),
        description=text(
            "Erwartet, empfangen, verloren, doppelt, unbrauchbar, gespeichert: je Gerät und Tag.",
            "Expected, received, lost, repeated, unusable, stored: by device and day.",
        ),
        queries=(
            newest(
                'last("expected") AS "expected", "received", "lost", "duplicates", "dead_letters", "stored", '
                '"interval_s"',
                "device",
                LEDGER,
                by=("dev_eui", "device"),
                source="internal",
                here=THERE,
            ),
        ),
        unit="none",
        steps=PLAIN,
        columns=(
            WHEN_COLUMN,
            DEV_EUI,
            DEVICE_NAME,
            Column(name="expected", title=text("erwartet", "expected"), decimals=0),
            Column(name="received", title=text("empfangen", "received"), decimals=0),
            Column(name="lost", title=text("verloren", "lost"), decimals=0, steps=((None, GREEN), (1, ORANGE))),
            Column(name="duplicates", title=text("doppelt", "repeated"), decimals=0),
            Column(
                name="dead_letters", title=text("unbrauchbar", "unusable"), decimals=0, steps=((None, GREEN), (1, RED))
            ),
            Column(name="stored", title=text("gespeichert", "stored"), decimals=0),
            Column(name="interval_s", title=text("Abstand", "Interval"), unit="s", decimals=0),
        ),
    ),
    Panel(
        kind="table",
        title=text("Was Netz und Regeln über das Gerät sagten", "What network and rules said of the device"),
        description=text(
            "Anmeldungen, Bestätigungen und Fehler des Netzwerkservers, Störungen und Downlinks der Regeln.",
            "Joins, acknowledgements and errors of the network server, trouble and downlinks of the rules.",
        ),
        queries=(
            events(
                "\"dev_eui\"::tag != ''",
                source="internal",
                here=THERE,
                more=', "text" AS "told", "dev_eui"::tag AS "dev_eui"',
            ),
        ),
        unit="none",
        steps=PLAIN,
        columns=(
            *EVENT_COLUMNS,
            DEV_EUI,
            Column(name="told", title=text("Netzwerkserver", "Network server")),
        ),
        calm=NO_NEWS,
    ),
    Panel(
        kind="table",
        title=text("Was Regeln über den Ort sagten", "What rules said of the place"),
        description=text(
            "Meldungen über den Ort, an dem das Gerät ist.", "Messages about the place at which the device is."
        ),
        queries=(events('"channel"::tag =~ /\\./'),),
        unit="none",
        steps=PLAIN,
        columns=EVENT_COLUMNS,
        calm=NO_NEWS,
    ),
)

DEVICE_BOARD = Dashboard(
    name="device",
    title=text("Gerät", "Device"),
    description=text("Alles über ein Gerät.", "Everything about one device."),
    panels=PANELS,
    variables=(*places(), devices(everything=False)),
    notes=(
        Notes(
            title=text("Störungen des Geräts", "Trouble of the device"),
            condition=f"{THERE} AND \"channel\"::tag = 'device.health'",
            colour=RED,
            source="internal",
        ),
    ),
    span="now-7d",
)
