"""What there is to judge: a city, what was true of it, and what was heard; and what could not be judged."""

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rules.city import Asset, City
from simulator.device import Device
from simulator.score.course import Span
from simulator.score.hearing import Hearing
from simulator.score.loop import Loop
from simulator.score.report import Unscored
from simulator.score.truth import NotScored, Truth


class Case:
    """`devices` are the codec ids of the simulated devices of each asset; `unscored` grows while it is judged.

    `loop` is there where the service's tours emptied the containers.
    """

    def __init__(
        self,
        city: City,
        devices: Mapping[str, Sequence[str]],
        truth: Truth,
        hearing: Hearing,
        span: Span,
        loop: Loop | None = None,
    ) -> None:
        self.city = city
        self.devices = devices
        self.truth = truth
        self.hearing = hearing
        self.span = span
        self.loop = loop
        self.unscored: dict[Unscored, None] = {}

    def of_kind(self, kind: str) -> list[Asset]:
        """The assets of a kind."""
        return [asset for asset in self.city.assets.values() if asset.kind == kind]

    def simulated(self, kind: str) -> list[Asset]:
        """The assets of a kind that have simulated devices; without any that is said."""
        found = [asset for asset in self.of_kind(kind) if asset.id in self.devices]
        if not found:
            self.lacks(f"each {kind}", "none has a simulated device")
        return found

    def lacks(self, what: str, why: str) -> None:
        """Say that something is not scored; once."""
        self.unscored[Unscored(what, why)] = None

    @contextlib.contextmanager
    def trying(self, what: str) -> Iterator[None]:
        """Score something, or say why it cannot be scored."""
        try:
            yield
        except NotScored as error:
            self.lacks(what, str(error))


def devices_of(devices: Iterable[Device]) -> Mapping[str, Sequence[str]]:
    """The codec ids of the devices of each asset."""
    found: dict[str, list[str]] = defaultdict(list)
    for device in devices:
        tags = device.identity.tags
        if "asset" in tags and "codec" in tags:
            found[tags["asset"]].append(tags["codec"])
    return found
