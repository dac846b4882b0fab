"""A thermometer that keeps a log, in a small city; it was in another place before 2026."""

import json
import struct
from pathlib import Path

from ingest.mqtt import Message
from ingest.settings import Settings, load
from tests.ingest.uplinks import NOW, event, raw, rfc3339, topic

MINUTE = 60_000
POINT = {"type": "Point", "coordinates": [7.82, 51.68]}
DEVICE = "70b3d57ed0000092"
DAY = 1440 * MINUTE
PRESENT = bytes.fromhex("0367e600046864")
"""Milesight EM300-TH: 23.0 °C, 50 %."""


def thermometer_settings(tmp_path: Path) -> Settings:
    """A thermometer, which was in another place before 2026."""
    features = [
        {
            "type": "Feature",
            "id": name,
            "geometry": POINT,
            "properties": {"kind": "station", "name": name, "devices": [device]},
        }
        for name, device in (
            ("cellar", {"dev_eui": DEVICE, "valid_to": "2026-01-01T00:00:00Z"}),
            ("roof", {"dev_eui": DEVICE, "valid_from": "2026-01-01T00:00:00Z"}),
        )
    ]
    (tmp_path / "city.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return load(
        city={"file": tmp_path / "city.geojson"},
        journal={"path": tmp_path / "journal.db", "raw_days": 400},
        codecs={"profiles": {"EM300": "milesight/em300-th"}},
        http={"enabled": False},
    )


def record(time_ms: int, temperature: float) -> bytes:
    """A record of the log with a humidity of 60 %."""
    return bytes.fromhex("20ce") + struct.pack("<IhBx", time_ms // 1000, round(temperature * 10), 120)


def uplink(payload: bytes, f_cnt: int = 0, gateway_ms: int | None = None) -> Message:
    """What the thermometer sends; by a gateway that thinks it is another time."""
    time_ms = NOW + f_cnt * MINUTE
    time = rfc3339(time_ms if gateway_ms is None else gateway_ms)
    made = event(DEVICE, payload=payload, f_port=85, profile="EM300", time_ms=time_ms, f_cnt=f_cnt, time=time)
    return raw(json.dumps(made).encode(), where=topic(DEVICE))
