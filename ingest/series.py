"""The names of a device's series: its escaped tags, made once for all Influx measurements and channels."""

from ingest.line_protocol import escaped
from rules.device.record import About


class DeviceTags:
    """The tags of a device at an asset, in the order of their keys; `channel` has its place in the middle."""

    __slots__ = ("_head", "_tail")

    def __init__(self, dev_eui: str, about: About) -> None:
        self._head = _tag("application", about.application) + _tag("asset", about.asset)
        place = _tag("district", about.district) + _tag("model", about.model)
        self._tail = _tag("dev_eui", dev_eui) + _tag("device", about.name) + place

    def series(self, measurement: str, channel: str = "") -> str:
        """What the lines of one series begin with; measurements are our own words and need no escaping."""
        middle = _tag("channel", channel) if channel else ""
        return f"{measurement}{self._head}{middle}{self._tail}"


def _tag(key: str, value: str) -> str:
    text = escaped(value)
    return f",{key}={text}" if text else ""
