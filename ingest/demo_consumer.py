"""Who carries requests out in the demo: the traffic computer and the parking signs of a simulated city.

Each request is answered with `active`, at the time at which it was made, as a controller does that has the plan.
"""

import json
from typing import Any

import aiomqtt

TOPICS = ("stadtfunk/v1/traffic/group/+/signal-plan", "stadtfunk/v1/parking/zone/+/guidance")
SOURCE = "/demo/controllers"
CONNECT_S = 10.0


class Controllers:
    """Answers requests on a broker of this machine; `running` is what they do now, by the topic of the request."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self.running: dict[str, str] = {}

    async def run(self) -> None:
        """Answer until cancelled or the broker is gone."""
        try:
            async with aiomqtt.Client(
                self._host,
                self._port,
                identifier="stadtfunk-demo-controllers",
                protocol=aiomqtt.ProtocolVersion.V5,
                timeout=CONNECT_S,
            ) as client:
                for topic in TOPICS:
                    await client.subscribe(topic, qos=1)
                async for message in client.messages:
                    await self._take(client, str(message.topic), message.payload)
        except aiomqtt.MqttError:
            return

    async def _take(self, client: aiomqtt.Client, topic: str, payload: object) -> None:
        if not isinstance(payload, bytes | bytearray) or not payload:
            self.running.pop(topic, None)
            return
        event = json.loads(payload)
        data = event["data"]
        self.running[topic] = data.get("plan") or data.get("reason")
        await client.publish(f"{topic}/status", answer(event), qos=1)


def answer(event: dict[str, Any]) -> bytes:
    """The answer to a request: done, since it was asked for."""
    data = {"request_id": event["id"], "status": "active", "plan": event["data"].get("plan")}
    about = {"specversion": "1.0", "id": f"{event['id']}-active", "source": SOURCE, "type": "demo.status"}
    return json.dumps({**about, "time": event["time"], "data": data}).encode()
