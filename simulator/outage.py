"""Gateways that hear nothing, and a broker that cannot be reached."""

from collections import deque

from rules.city import City
from simulator.device import NS_PER_MS
from simulator.faults import NO_UPLINK, Message
from simulator.scenario.model import GatewayOutage
from simulator.scenario.script import Script


class Outages:
    """What a script cuts off between devices and broker. `unpublished` counts uplinks that the server dropped."""

    def __init__(self, script: Script, city: City) -> None:
        self._script = script
        self._of_gateway: dict[str, list[GatewayOutage]] = {}
        for outage in script.scenario.gateway_outage:
            for name in outage.gateways:
                gateway_id = str(city.assets[name].properties.get("gateway_id", name))
                self._of_gateway.setdefault(gateway_id, []).append(outage)
        self._kept: deque[Message] = deque()
        self.unpublished = 0

    def listens(self, gateway_id: str, time_ns: int) -> bool:
        """Whether a gateway is up."""
        outages = self._of_gateway.get(gateway_id)
        return outages is None or not any(self._script.weight(each, time_ns // NS_PER_MS) for each in outages)

    def answers(self, time_ns: int) -> bool:
        """Whether the network server's answers reach gateways: by the broker that carries its events, as is usual."""
        return self._script.broker_back_ms(time_ns // NS_PER_MS) is None

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
