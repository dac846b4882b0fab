"""What `check` says of InfluxDB: which one answers, and whether its buckets are there and take what we write."""

from ingest.app import influx_settings
from ingest.finding import Finding
from ingest.influxdb.delete import Eraser
from ingest.influxdb.http import place
from ingest.influxdb.search import ServerFault
from ingest.influxdb.version import UnknownVersion, detect
from ingest.settings import InfluxSettings, Settings

CONNECT_S = 5.0
KEY = "influxdb.url"


async def finding(settings: Settings) -> Finding:
    """One line; `influxdb.url` must be set. Nothing is written or deleted."""
    influx = influx_settings(settings).model_copy(update={"timeout_s": CONNECT_S})
    try:
        version = await detect(influx)
        if version.can_delete:
            await _ask(influx.model_copy(update={"version": version.value}))
    except UnknownVersion as error:
        return Finding("warning", KEY, f"{place(influx)}: {error}")
    except ServerFault as fault:
        return Finding("error", KEY, f"{place(influx)}: {fault.reason}")
    looked_at = "writes are allowed in every bucket" if version.can_delete else "rights and databases are not looked at"
    return Finding("ok", KEY, f"{place(influx)}: InfluxDB {version.value}, {looked_at}")


async def _ask(influx: InfluxSettings) -> None:
    eraser = Eraser(influx)
    try:
        await eraser.ask()
    finally:
        await eraser.close()
