"""Words and colours that several dashboards share: what codes mean, what columns are called."""

from collections.abc import Mapping
from typing import Final

from ingest.grafana.dashboards.spec import Code, Column, Steps, Text, text

GREEN: Final = "green"
YELLOW: Final = "yellow"
ORANGE: Final = "orange"
RED: Final = "red"
PURPLE: Final = "purple"
BLUE: Final = "blue"
GREY: Final = "#8e8e8e"

PLAIN: Steps = ((None, BLUE),)
"""For figures that are neither good nor bad."""
ANY: Steps = ((None, GREEN), (1, RED))
"""None is good, one is not."""
SOME: Steps = ((None, GREEN), (1, ORANGE))

STATUSES: Mapping[str, Code] = {
    "raised": Code(text("gemeldet", "raised"), RED),
    "updated": Code(text("besteht weiter", "goes on"), ORANGE),
    "cleared": Code(text("beendet", "over"), GREEN),
    "requested": Code(text("angefordert", "requested"), BLUE),
    "problem": Code(text("Störung", "problem"), RED),
    "ok": Code(text("in Ordnung", "all right"), GREEN),
    "due": Code(text("fällig", "due"), ORANGE),
    "silent": Code(text("stumm", "silent"), RED),
    "suspicious": Code(text("verdächtig", "suspicious"), ORANGE),
    "proposed": Code(text("vorgeschlagen", "proposed"), BLUE),
    "confirmed": Code(text("bestätigt", "confirmed"), GREEN),
    "fallback": Code(text("wie zuletzt bestätigt", "as last confirmed"), ORANGE),
    "withdrawn": Code(text("zurückgenommen", "withdrawn"), GREY),
}
KEPT: Mapping[str, Code] = {
    "active": Code(text("gilt", "in force"), GREEN),
    "confirm": Code(text("wartet auf Bestätigung", "waits for confirmation"), ORANGE),
    "shadow": Code(text("nur im Schatten", "shadow only"), GREY),
}

WHEN_COLUMN = Column(name="Time", title=text("Zeit", "Time"), unit="dateTimeAsIso")
ASSET = Column(name="asset", title=text("Ort", "Place"))
DISTRICT = Column(name="district", title=text("Stadtbezirk", "District"))
DEV_EUI = Column(name="dev_eui", title=text("DevEUI", "DevEUI"))
DEVICE_NAME = Column(name="device", title=text("Gerät", "Device"))
MODEL = Column(name="model", title=text("Modell", "Model"))
CHANNEL = Column(name="channel", title=text("Kanal", "Channel"))
GATEWAY = Column(name="gateway", title=text("Gateway", "Gateway"))
EVENT_COLUMNS = (
    WHEN_COLUMN,
    Column(name="text", title=text("Meldung", "Message")),
    Column(name="status", title=text("Status", "Status"), codes=STATUSES),
    Column(name="kept", title=text("Wirkung", "Effect"), codes=KEPT),
    ASSET,
    Column(name="rule", title=text("Regel", "Rule")),
)
PLACED = (
    Column(name="latitude", title=text("Breite", "Latitude"), unit="degree", hidden=True),
    Column(name="longitude", title=text("Länge", "Longitude"), unit="degree", hidden=True),
)

NOTHING_WRONG = text("nichts gemeldet", "nothing reported")
NO_NEWS = text("keine Meldung im Zeitraum", "no news in this span")


def levels(of: Text, count: int) -> dict[str, Code]:
    """The levels of an alert: none, then 1 to `count`."""
    colours = (GREEN, YELLOW, ORANGE, RED, PURPLE)
    named = {"0": Code(text("keine", "none"), GREEN)}
    for level in range(1, count + 1):
        named[str(level)] = Code(text(f"{of.de} {level}", f"{of.en} {level}"), colours[level])
    return named
