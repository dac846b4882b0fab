"""What a broker's settings lose or may lose, as a subscriber's figures since its start show it, each with its cure."""

from collections.abc import Mapping

QOS_0 = (
    "{count} events arrived at QoS 0, which the broker does not keep for an absent service: "
    "set qos = 1 in ChirpStack's [integration.mqtt]"
)
SESSION_LOST = (
    "the broker forgot our session {count} times, with whatever was queued in it: "
    "set `persistence true` in Mosquitto, and keep mqtt.client_id for this service alone"
)
SHORT_SESSION = (
    "the broker keeps our session for {granted} s only, we asked for {asked} s (mqtt.session_expiry_s): "
    "raise its limit (Mosquitto: persistent_client_expiration)"
)


def broker_warnings(figures: Mapping[str, int]) -> dict[str, str]:
    """What to change, by subject; `figures` are those of Subscriber.figures()."""
    found: dict[str, str] = {}
    if figures.get("at_most_once"):
        found["mqtt qos"] = QOS_0.format(count=figures["at_most_once"])
    if figures.get("sessions_lost"):
        found["mqtt session"] = SESSION_LOST.format(count=figures["sessions_lost"])
    granted, asked = figures.get("session_expiry_s"), figures.get("session_expiry_asked_s", 0)
    if granted is not None and granted < asked:
        found["mqtt session expiry"] = SHORT_SESSION.format(granted=granted, asked=asked)
    return found
