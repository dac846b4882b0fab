"""Gateways that hear nothing, and a broker that cannot be reached."""

from collections import deque

from rules.city import City
from simulator.chirpstack import Up
from simulator.device import NS_PER_MS
from simulator.faults import NO_UPLINK, Message
from simulator.scenario.script import Script


class Outages:
    """What a script cuts off between devices and broker. `unpublished` counts uplinks that the server dropped."""

    def __init__(self, script: Script, city: City) -> None:
        self._script = script
        self._gateways = {
            asset.id: str(asset.properties.get("gateway_id", asset.id))
            for asset in city.assets.values()
            if asset.kind == "gateway"
        }
        self._kept: deque[Message] = deque()
        self.unpublished = 0

    def heard(self, up: Up) -> Up | None:
        """The uplink with the copies of the gateways that live; None when there are none."""
        ms = up.time_ns // NS_PER_MS
        down = {
            self._gateways[name]
            for outage in self._script.scenario.gateway_outage
            if self._script.weight(outage, ms)
            for name in outage.gateways
        }
        copies = tuple(copy for copy in up.copies if copy.gateway.gateway_id not in down) if down else up.copies
        return up._replace(copies=copies) if copies else None

    def held(self, message: Message) -> int | None:
        """When, in ns, the broker is back for a message that cannot be published now; else None."""
        ms = message.time_ns // NS_PER_MS
        back = self._script.broker_back_ms(ms)
        if back is None:
            return None
        self._kept.append(message)
        keeps = self._script.broker_keeps(ms)
        while len(self._kept) > keeps:
            dropped = self._kept.popleft()
            self.unpublished += dropped.outcome not in NO_UPLINK
        return back * NS_PER_MS

    def released(self, back_ns: int) -> list[Message]:
        """What the network server still has when the broker is back."""
        kept = [message._replace(time_ns=back_ns) for message in self._kept]
        self._kept.clear()
        return kept
