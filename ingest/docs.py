"""Documents made from the code: `python -m ingest.docs` writes them, `--check` fails when they are stale."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from decoders.quantity import Family, Quantity
from ingest import events_schema
from ingest.commands import codecs_vectors
from ingest.docs_sensors import sensors_page
from ingest.grafana.dashboards import build
from ingest.settings import Settings

FOLDER = Path(__file__).parent.parent / "docs"


def settings_page() -> str:
    """docs/settings.md: every key with type, default and reason."""
    lines = [
        "# Settings",
        "",
        "Generated from `ingest/settings.py`. Strongest first: arguments, secret files, environment, the file",
        "(`-c FILE`, else `./stadtfunk.toml`, else `/etc/stadtfunk/stadtfunk.toml`), defaults.",
        "",
        "* Environment: `STADTFUNK_MQTT__HOST=broker.example` sets `mqtt.host`.",
        "* Secret files: one file a key, named `mqtt__password`, in the folder `STADTFUNK_SECRETS_DIR` (or systemd's",
        "  `CREDENTIALS_DIRECTORY`). Secrets belong there, not into the file.",
        "* An unknown key is an error that names the nearest known one; so is a `STADTFUNK_` variable of no section.",
        "  In Kubernetes, beside a Service named `stadtfunk`, set `enableServiceLinks: false`; it makes such ones.",
    ]
    for name, info in Settings.model_fields.items():
        model = info.annotation
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            continue
        lines += _section(name, model)
    return "\n".join(lines) + "\n"


def _section(name: str, model: type[BaseModel]) -> list[str]:
    """A section's table, then those of the sections within it."""
    inner = {
        key: field.annotation
        for key, field in model.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }
    lines = ["", f"## [{name}]", "", (model.__doc__ or "").split("\n")[0]]
    rows = [_setting(key, field) for key, field in model.model_fields.items() if key not in inner]
    if rows:
        lines += ["", "| key | default | what |", "|---|---|---|", *rows]
    for key, part in inner.items():
        lines += _section(f"{name}.{key}", part)
    return lines


def _setting(key: str, field: FieldInfo) -> str:
    default: Any = field.get_default(call_default_factory=True)
    if SecretStr in get_args(field.annotation):
        shown = "(secret)"
    elif default is None:
        shown = "–"
    else:
        shown = f"`{str(default).lower() if isinstance(default, bool) else default}`"
    text = (field.description or "").replace("|", "\\|")
    return f"| `{key}` | {shown} | {text} |"


def schema_page() -> str:
    """docs/schema.md: Influx measurements, tags, and every quantity."""
    families = ", ".join(f"`{family.value}`" for family in Family)
    lines = [
        "# Schema of the time series",
        "",
        "Generated from `decoders/quantity.py`. Why it is so: [ADR 3](adr/0003-influx-schema.md).",
        "",
        f"* **Influx measurements**: {families}",
        "  (readings, by the family of the codec), `device` (battery and what else a device says of itself), `link`",
        "  (one point per uplink: `rssi` in dBm and `snr` in dB of the best copy, `gateways`, `spreading_factor`,",
        "  `f_cnt`, `payload_bytes`, `clock_offset_s` = event time − network server time, `frames_lost` before it),",
        "  `gateway` (one point an hour: `uplinks`, `share` of all, mean `rssi` and `snr`), `event` (see below),",
        "  `asset` (what rules derive), `service` (a point a minute how the service fares: lag, journal, counts since",
        "  its start; under `channel` a sink's `backoff_s` and `behind_rows`).",
        "* **Events**: in `event` with the channels `join`, `ack`, `txack`, `log` what the network server says of a",
        "  device (`text`, beside it `level`, `code`, `f_cnt`); with a rule as channel what the rule concluded: `id`,",
        "  `kept` (active, confirm, shadow: as its mode has it), `status` (raised, updated, cleared, requested, ok,",
        "  problem, …), `text_de`, `text_en`, of alerts `alert_level`, of a city's own conditions `severity`. Channels",
        "  `…/health` and `…/downlink` are of the same rule. Not traffic measured and the state of lots: figures stand",
        "  in `traffic`, `parking` and `asset`. A replay leaves the points of rules as they are.",
        "* **Ledger**: in `device` with the channel `ledger`, one point a device and day (its time is the day's",
        "  begin in the city's calendar), written again every hour: `expected, received, lost, duplicates,",
        "  dead_letters, stored, interval_s`, and `battery_days_left` once there is a trend.",
        "* **Tags**: `dev_eui, device, model, asset, district, application, channel`; an empty one is left out.",
        "  `channel` is a closed vocabulary per codec. Points in `asset` have no `dev_eui`; those in `gateway` have",
        "  the tag `gateway` alone.",
        "* **Fields**: quantity names as below, always floats, flags 0 or 1; text only in `event`. A doubtful value",
        "  has `<quantity>_quality` beside it, a number that says why ([sensors-quality.md](sensors-quality.md)).",
        "* **Time**: when it was measured, in ms (UTC). The same Influx measurement, tags and time are the same point.",
        "* **Buckets** by privacy class: `stadtfunk_open`, `stadtfunk_internal`, `stadtfunk_personal`; the strictest",
        "  of application, codec and quantity decides; `device` and `link` are at least internal.",
        "",
        "| field | unit | UCUM | plausible range | Smart Data Models | privacy | Influx measurement |",
        "|---|---|---|---|---|---|---|",
    ]
    for quantity in Quantity:
        place = "device" if quantity.diagnostic else "the codec's family"
        name = f"`{quantity.smart_data_model}`" if quantity.smart_data_model else "–"
        lines.append(
            f"| `{quantity.field}` | {quantity.unit or '–'} | `{quantity.ucum}` | {quantity.low:g} … {quantity.high:g}"
            f" | {name} | {quantity.privacy.name.lower()} | {place} |"
        )
    return "\n".join(lines) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "schema.md": schema_page,
    "sensors.md": sensors_page,
    f"../ingest/commands/{codecs_vectors.FILE}": codecs_vectors.page,
    **{f"events/{name}": page for name, page in events_schema.pages()},
    **{f"../deploy/grafana/dashboards/{name}": page for name, page in build.pages()},
}


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` say which are stale; the exit code."""
    stale = [name for name, page in PAGES.items() if not _holds(FOLDER / name, page())]
    if "--check" in arguments:
        for name in stale:
            print(f"docs/{name} is stale: run `make docs`", file=sys.stderr)  # noqa: T201 - a program's word
        return 1 if stale else 0
    for name in stale:
        (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / name).write_text(PAGES[name](), encoding="utf-8")
    return 0


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
