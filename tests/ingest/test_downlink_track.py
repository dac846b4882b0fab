"""What becomes of a downlink by what ChirpStack says: whatever comes twice, late, of another or never."""

import json
from itertools import permutations
from typing import Any

import pytest

from decoders.quantity import Privacy
from ingest.chirpstack import Event, parse
from ingest.downlink import Downlink, DownlinkStatus, Named
from ingest.downlink_track import named, news, overdue, report
from tests.ingest.uplinks import LOT_DEVICES, NOW, event, rfc3339

DEVICE = LOT_DEVICES[0]
NAME = "0d7c1f3a-0000-5000-8000-000000005e21"


def downlink(status: DownlinkStatus = "queued", **changes: Any) -> Downlink:  # noqa: ANN401 - any field
    """A downlink on its way."""
    times = {"time_ms": NOW, "valid_until_ms": NOW + 60_000, "given_ms": NOW, "since_ms": NOW}
    what = {"f_port": 1, "size": 2, "confirmed": True, "privacy": Privacy.INTERNAL, "status": status}
    fields = {"id": NAME, "dev_eui": DEVICE, "rule": "custom.r", "subject": "a", **times, **what, **changes}
    return Downlink(**fields)


def heard(kind: str, dev_eui: str = DEVICE, time_ms: int = NOW + 1000, **fields: Any) -> Event:  # noqa: ANN401 - any field
    """An event as ChirpStack says it."""
    info = event(dev_eui)["deviceInfo"]
    if kind == "ack":
        fields = {"deduplicationId": "d", "acknowledged": True, **fields}
    said = {"time": rfc3339(time_ms), "deviceInfo": info, "queueItemId": NAME, **fields}
    return parse(kind, json.dumps(said).encode())


def log(code: str, name: str = NAME, **fields: Any) -> Event:  # noqa: ANN401 - any field
    """A line of ChirpStack's log."""
    context = {"queue_item_id": name} if name else {}
    return heard("log", **{"level": "ERROR", "code": code, "description": "so", "context": context, **fields})


def after(before: Downlink, *events: Event) -> Downlink:
    """The downlink after these."""
    known = {before.id: before}
    for item in events:
        known.update((one.id, one) for one in news(known, item, NOW + 60_000))
    return known[before.id]


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ([heard("txack")], "sent"),
        ([heard("txack"), heard("ack")], "acknowledged"),
        ([heard("ack", acknowledged=False)], "not_acknowledged"),
        ([heard("ack", acknowledged=False), heard("ack")], "acknowledged"),
        ([log("EXPIRED")], "expired"),
        ([log("DOWNLINK_PAYLOAD_SIZE")], "failed"),
        ([log("F_CNT_DOWN")], "failed"),
        ([log("DOWNLINK_GATEWAY")], "failed"),
        ([log("DOWNLINK_GATEWAY"), heard("txack")], "sent"),
        ([log("UPLINK_MIC")], "queued"),
        ([heard("txack", LOT_DEVICES[1])], "queued"),
        ([heard("txack", queueItemId="another")], "queued"),
        ([heard("txack", queueItemId="")], "queued"),
    ],
)
def test_each_event_says_its_own(events: list[Event], status: str) -> None:
    """By the id and the device; what a gateway or the device did is stronger than what ChirpStack gave up before."""
    assert after(downlink(), *events).status == status


def test_the_order_of_events_changes_nothing() -> None:
    """A gateway's word and the device's, twice each, in every order: acknowledged."""
    given = [heard("txack"), heard("ack"), heard("txack"), heard("ack")]
    assert {after(downlink(), *order).status for order in permutations(given)} == {"acknowledged"}


def test_the_same_news_counts_once() -> None:
    """What is delivered again, or is no news any more, changes nothing, the time neither."""
    sent = after(downlink(), heard("txack"))
    assert sent.since_ms == NOW + 1000
    assert news({NAME: sent}, heard("txack", time_ms=NOW + 5000), NOW + 60_000) == []
    assert news({NAME: sent}, log("EXPIRED"), NOW + 60_000) == []
    expired = after(downlink(), log("EXPIRED"))
    assert news({NAME: expired}, log("DOWNLINK_GATEWAY"), NOW + 60_000) == []


def test_an_event_from_the_future_is_of_now() -> None:
    """ChirpStack's clock being ahead makes no status later than now, one that was never set none before the request."""
    (sent,) = news({NAME: downlink()}, heard("txack", time_ms=NOW + 999_999), NOW + 10)
    assert sent.since_ms == NOW + 10
    (sent,) = news({NAME: downlink()}, heard("txack", time_ms=0), NOW + 10)
    assert sent.since_ms == NOW


def test_a_reason_of_any_length_can_be_reported() -> None:
    """Whatever names a city has, or ChirpStack says."""
    said = report(downlink("rejected", reason="x" * 5000))
    assert said is not None
    assert len(said.data.reason) == 600
    assert len(after(downlink(), log("EXPIRED", "", description="y" * 5000)).reason) == 0
    (noted,) = news({NAME: downlink()}, log("DOWNLINK_GATEWAY", "", description="y" * 5000), NOW)
    assert len(noted.reason) == 200


def test_a_gateway_that_refuses_without_naming_the_item_is_kept_as_the_reason() -> None:
    """ChirpStack tries again: the status stays, and when nothing follows the reason is there; other devices' do not."""
    assert named(log("DOWNLINK_GATEWAY", "")) == Named(DEVICE, "")
    assert named(log("EXPIRED", "")) is None
    other = downlink(id="other", dev_eui=LOT_DEVICES[1])
    known = {NAME: downlink(), "other": other, "sent": downlink("sent", id="sent")}
    (noted,) = news(known, log("DOWNLINK_GATEWAY", ""), NOW + 60_000)
    assert (noted.id, noted.status, noted.reason) == (NAME, "queued", "DOWNLINK_GATEWAY: so")
    assert news({NAME: noted}, log("DOWNLINK_GATEWAY", ""), NOW + 60_000) == []
    (ended,) = overdue({NAME: noted}, NOW + 61_000, 1000)
    assert ended.reason == "no gateway took it while it was valid; DOWNLINK_GATEWAY: so"


@pytest.mark.parametrize(("status", "then"), [("queued", "unanswered"), ("sending", "expired")])
def test_silence_ends_a_downlink(status: DownlinkStatus, then: str) -> None:
    """A margin after its validity, not before; what a gateway took never; late word is stronger."""
    assert overdue({NAME: downlink(status)}, NOW + 60_999, 1000) == []
    (ended,) = overdue({NAME: downlink(status)}, NOW + 61_000, 1000)
    assert ended.status == then
    assert overdue({NAME: ended}, NOW + 99_000, 1000) == []
    assert overdue({NAME: downlink("sent")}, NOW + 99_000, 1000) == []
    assert after(ended, heard("txack")).status == "sent"


def test_a_report_says_what_became_of_it() -> None:
    """With the ids of request, rule and device, on the request's topic; the same news has the same id."""
    said = report(after(downlink(), log("EXPIRED")))
    assert said is not None
    assert said.topic == "stadtfunk/v1/custom/r/a/downlink/status"
    assert (said.data.request_id, said.data.requested_by, said.data.dev_eui) == (NAME, "custom.r", DEVICE)
    assert (said.data.status, said.data.reason, said.retained, said.acting) == ("expired", "EXPIRED: so", False, False)
    again = report(after(downlink(), log("EXPIRED", time_ms=NOW + 9000)))
    assert again is not None
    assert again.id == said.id
    assert report(downlink()) is None


def test_recorded_events_are_recognised() -> None:
    """The shape of a txack that ChirpStack 4.20 published."""
    payload = (
        b'{"downlinkId":3423902824,"time":"2026-11-22T19:35:48.282925876+00:00","deviceInfo":{"devEui":"70b3d57ed0000001"},'
        b'"queueItemId":"88b0177c-6733-4f57-bdc8-8b90b0232157","fCntDown":5,"gatewayId":"0016c001f153a101"}'
    )
    assert named(parse("txack", payload)) == Named("70b3d57ed0000001", "88b0177c-6733-4f57-bdc8-8b90b0232157")
