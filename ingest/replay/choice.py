"""The devices that a replay is about: each one whole, for its points are erased whatever codec wrote them."""

from ingest.codecs.version import Version
from ingest.replay.correction import Order
from ingest.replay.decode_again import Message


class Choice:
    """What an order chooses: the devices that it names; `by_message` those of which any message matches, as found."""

    def __init__(self, order: Order) -> None:
        self.by_message = bool(order.models or order.application)
        self._devices = frozenset(order.devices)
        self._models = frozenset(order.models)
        self._application = order.application
        self._found: set[str] = set()

    def holds(self, dev_eui: str) -> bool:
        """Whether the device is chosen."""
        return dev_eui in self._found if self.by_message else self._named(dev_eui)

    def undecided(self, dev_eui: str) -> bool:
        """Whether a message of the device could make it a chosen one."""
        return self.by_message and dev_eui not in self._found and self._named(dev_eui)

    def matches(self, message: Message, before: Version | None, after: Version | None) -> bool:
        """Whether a message, read by these codecs, is what was asked for."""
        read_by = {version.id for version in (before, after) if version}
        return self._application in {"", message.device.application} and (
            not self._models or not self._models.isdisjoint(read_by)
        )

    def add(self, dev_eui: str) -> None:
        """A message of the device matches."""
        self._found.add(dev_eui)

    def _named(self, dev_eui: str) -> bool:
        return not self._devices or dev_eui in self._devices
