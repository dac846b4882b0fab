"""Values as a panel would show them: units, words for codes, colours of thresholds."""

from collections.abc import Mapping
from typing import Any, Final
from xml.sax.saxutils import escape

COLOURS: Final = {
    "green": "#37872d",
    "yellow": "#e0b400",
    "orange": "#fa6400",
    "red": "#c4162a",
    "purple": "#8f3bb8",
    "blue": "#1f60c4",
    "light-blue": "#8ab8ff",
}
"""What Grafana's names of colours look like on a light ground."""
PLAIN: Final = "#24292e"
UNITS: Final = {
    "percent": " %",
    "humidity": " %",
    "velocitykmh": " km/h",
    "velocityms": " m/s",
    "celsius": " °C",
    "conμgm3": " µg/m³",
    "lengthmm": " mm",
    "lengthm": " m",
    "pressurekpa": " kPa",
    "dB": " dB",
    "dBm": " dBm",
    "volt": " V",
    "s": " s",
    "h": " h",
    "d": " d",
}
WHOLE: Final = 100
"""From here on digits behind the point say nothing."""
Field = Mapping[str, Any]


def field_of(panel: Mapping[str, Any], name: str) -> Field:
    """How a field is shown: what its own rules say, else those of the panel."""
    found = dict(panel["fieldConfig"]["defaults"])
    for override in panel["fieldConfig"]["overrides"]:
        if override["matcher"]["options"] == name:
            found |= {item["id"]: item["value"] for item in override["properties"]}
    return found


def shown(value: object, field: Field) -> str:
    """The value in words."""
    code = _code(value, field)
    if code is not None:
        return str(code["text"])
    if value is None:
        return ""
    if not isinstance(value, int | float):
        return str(value)
    unit = str(field.get("unit", "none"))
    if unit == "percentunit":
        return f"{value * 100:.0f} %"
    digits = int(field.get("decimals", 0 if abs(value) >= WHOLE or float(value).is_integer() else 1))
    behind = unit.removeprefix("suffix:") if unit.startswith("suffix:") else UNITS.get(unit, "")
    return f"{value:.{digits}f}{behind}"


def coloured(value: object, field: Field, otherwise: str = PLAIN) -> str:
    """The colour of the value: of its code, else of the highest threshold that it reaches."""
    code = _code(value, field)
    if code is not None:
        return _hex(str(code["color"]))
    steps = field.get("thresholds", {}).get("steps", ())
    if not isinstance(value, int | float) or (len(steps) < 2 and otherwise != PLAIN):  # noqa: PLR2004 - a base and one more
        return otherwise
    reached = [step["color"] for step in steps if step["value"] is None or value >= step["value"]]
    return _hex(reached[-1]) if reached else otherwise


def worded(name: str, value: object, field: Field) -> str:
    """A name with its value, for the inside of an SVG element."""
    return escape(f"{name}: {shown(value, field)}")


def _code(value: object, field: Field) -> Mapping[str, Any] | None:
    key = f"{value:g}" if isinstance(value, int | float) else str(value)
    found = (mapping["options"].get(key) for mapping in field.get("mappings", ()))
    return next((code for code in found if code is not None), None)


def _hex(name: str) -> str:
    return COLOURS.get(name, name)
