"""An example of every message, made from its JSON Schema: words by the name of a field, else by its type."""

from typing import Any, Final, TypeAlias

Schema: TypeAlias = "dict[str, Any]"

TIME = "2026-09-21T14:10:00Z"
SUBJECT = "example"
WORDS: Final[dict[str, object]] = {
    "id": "32b38607-c417-5cb0-b7c2-6569514d7333",
    "request_id": "32b38607-c417-5cb0-b7c2-6569514d7333",
    "supersedes": "6b2c4a52-6a3e-5c3b-9a55-0f1f3c1f7a10",
    "subject": SUBJECT,
    "time": TIME,
    "issued_at": TIME,
    "valid_until": "2026-09-21T14:25:00Z",
    "newest_at": "2026-09-21T14:09:18Z",
    "until": "2026-09-21T18:00:00Z",
    "since": "2026-09-21T14:00:00Z",
    "last_heard": "2026-09-21T14:09:18Z",
    "interval_begin": "2026-09-21T14:05:00Z",
    "interval_end": "2026-09-21T14:10:00Z",
    "sequence": 1_790_000_000_000,
    "rule_version": 1,
    "quantity": "occupied",
    "unit": "1",
    "value": 96.0,
    "threshold": 95.0,
    "hysteresis": 5.0,
    "window_s": 900.0,
    "n_samples": 15,
    "coverage_pct": 100.0,
    "age_s": 42.0,
    "sources": ["70b3d57ed0000001"],
    "dev_eui": "70b3d57ed0000001",
    "capacity": 100,
    "occupied": 96,
    "free": 4,
    "occupancy": 0.96,
    "coverage": 1.0,
    "interval_s": 900.0,
    "plan": "3",
    "reported": "2",
    "scheduled": "2",
    "junctions": ["junction-1", "junction-2"],
    "speed": 42.0,
    "flow": 780.0,
    "plan_name": "morning peak",
    "group": "group-1",
    "approach": "north",
    "name": "car",
    "count": 65.0,
    "distance_m": 120.0,
    "lot": "lot-station",
    "recommend": ["lot-station"],
    "divert_from": ["lot-market"],
    "expression": 'avg("soil_water_tension", "24h") > 80.0',
    "f_port": 2,
    "payload": "0101",
    "requested_by": "custom.soil-dry",
    "buses_per_hour": 12.0,
    "load": 0.7,
    "fraction": "paper",
    "fill_level": 86.0,
    "prize_eur": 4.2,
    "next_tour": "2026-09-22T04:00:00Z",
    "tour_after": "2026-09-23T04:00:00Z",
    "last_emptied": "2026-09-14T07:30:00Z",
    "full_p05": "2026-09-22T11:00:00Z",
    "full_p50": "2026-09-23T05:00:00Z",
    "full_p95": "2026-09-24T09:00:00Z",
    "fill_rate": 11.5,
    "temperature": 72.0,
    "place": "container-1",
    "day": "2026-09-22",
    "arrival": "2026-09-22T04:25:00Z",
    "departs": "2026-09-22T04:10:00Z",
    "confirmed_at": "2026-09-21T15:00:00Z",
    "load_mass": 42.0,
    "load_volume": 660.0,
    "distance": 18_400,
    "duration": 9_600,
    "drivable": True,
    "text_de": "Beispiel",
    "text_en": "Example",
}
"""What fields of these names hold in examples."""


def example(schema: Schema, fixed: Schema) -> Schema:
    """A message that the schema allows, whose outer fields are `fixed` where that says so."""
    definitions = schema.get("$defs", {})
    return {
        name: fixed[name] if name in fixed else _value(name, part, definitions)
        for name, part in schema["properties"].items()
    }


def _value(name: str, schema: Schema, definitions: Schema) -> Any:  # noqa: ANN401 - JSON
    """What a field of this name and schema holds."""
    if "$ref" in schema:
        return _value(name, definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return _value(name, schema["anyOf"][0], definitions)
    if name in WORDS and _fits(WORDS[name], schema):
        return WORDS[name]
    return _typed(name, schema, definitions)


def _fits(word: object, schema: Schema) -> bool:
    kind = schema.get("type")
    if isinstance(word, list):
        return kind == "array" and schema.get("items", {}).get("type") == "string"
    if isinstance(word, str | bool):
        return kind == ("string" if isinstance(word, str) else "boolean")
    return kind == "number" or (kind == "integer" and isinstance(word, int))


def _typed(name: str, schema: Schema, definitions: Schema) -> Any:  # noqa: ANN401 - JSON
    """What a field holds by its type alone."""
    match schema.get("type"):
        case "object":
            return {key: _value(key, part, definitions) for key, part in schema.get("properties", {}).items()}
        case "array":
            return [_value(name.removesuffix("s"), schema.get("items", {}), definitions)]
        case "boolean":
            return False
        case "integer" | "number" as kind:
            least = float(schema.get("minimum") or schema.get("exclusiveMinimum") or 0)
            return int(least) + 1 if kind == "integer" else min(least + 0.5, schema.get("maximum", least + 0.5))
        case _:
            return TIME if schema.get("format") == "date-time" else name.replace("_", "-")
