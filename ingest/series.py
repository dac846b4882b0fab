"""The names of a device's series: its escaped tags, made once for all Influx measurements and channels."""

from functools import lru_cache

from ingest.line_protocol import escaped
from rules.device.record import About


class DeviceTags:
    """The tags of a device at an asset, in the order of their keys; `channel` has its place in the middle."""

    __slots__ = ("_head", "_tail")

    def __init__(self, dev_eui: str, about: About) -> None:
        self._head = _before_channel(about.application, about.asset)
        place = _after_device(about.district, about.model)
        self._tail = f",dev_eui={dev_eui}{_tag('device', about.name)}{place}"

    def series(self, measurement: str, channel: str = "") -> str:
        """What the lines of one series begin with; measurements are our own words and need no escaping."""
        middle = _tag("channel", channel) if channel else ""
        return f"{measurement}{self._head}{middle}{self._tail}"


@lru_cache(8192)
def _before_channel(application: str, asset: str) -> str:
    return _tag("application", application) + _tag("asset", asset)


@lru_cache(8192)
def _after_device(district: str, model: str) -> str:
    return _tag("district", district) + _tag("model", model)


def _tag(key: str, value: str) -> str:
    text = escaped(value)
    return f",{key}={text}" if text else ""
