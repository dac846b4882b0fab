"""Annotations through the whole service: an uplink, a rule, Grafana; and a service that has none, or a bad one."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from ingest import app
from ingest.app import Service
from ingest.broker import EmbeddedBroker
from ingest.clock import wall_clock
from ingest.grafana import annotations
from ingest.settings import Settings, SettingsError, load
from rules.catalog import RULES
from rules.rule import Input, Observation, Outputs, Rule
from tests.doubles.grafana import TOKEN, Fault, grafana
from tests.ingest.grafana.events import condition
from tests.ingest.uplinks import CITY, LOT_DEVICES, PROFILES, event, occupied, topic

ID = "custom.crowded"
WAIT_S = 60.0


def step(asset: str, occupied_before: bool, given: Input) -> tuple[bool, Outputs]:
    """A condition that holds as long as the first space is taken."""
    if not isinstance(given, Observation) or given.dev_eui != LOT_DEVICES[0]:
        return occupied_before, Outputs()
    taken = any(value for quantity, value, _ in given.readings if quantity.field == "occupied")
    if taken == occupied_before:
        return occupied_before, Outputs()
    said = condition("raised" if taken else "cleared", given.now_ms, asset=asset, rule=ID, text="voll <b>& eng")
    return taken, Outputs((said,))


CROWDED = Rule(
    id=ID,
    version=1,
    kind="lot",
    configure=lambda asset: asset.id,
    initial=lambda _: False,
    step=step,
    wake=lambda _asset, _state: None,
    dump=lambda state: state,
    load=lambda _asset, _version, kept: bool(kept),
)


@pytest.fixture(autouse=True)
def crowded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Services of these tests have the rule, too, and look often."""
    monkeypatch.setattr(app, "RULES", (*RULES, CROWDED))
    monkeypatch.setattr(annotations, "LOOK_S", 0.02)


def settings_of(tmp_path: Path, port: int, url: str, **changes: Any) -> Settings:  # noqa: ANN401 - sections as given
    """A service with the small city, a broker and a Grafana."""
    city = tmp_path / "city.geojson"
    city.write_text(json.dumps(CITY))
    fast = {"reconnect_min_s": 0.05, "reconnect_max_s": 0.2}
    return load(
        city={"file": city},
        mqtt={"port": port, **fast},
        journal={"path": tmp_path / "journal.db"},
        codecs={"profiles": PROFILES},
        http={"enabled": False},
        telemetry={"heartbeat_s": 0},
        grafana={"url": url, "token": TOKEN, "backoff_min_s": 0.05, "backoff_max_s": 0.2},
        **changes,
    )


@contextlib.asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Service]:
    """A service that runs."""
    service = Service(settings)
    task = asyncio.create_task(service.run())
    await until(lambda: task.done() or (service.subscriber.connected and service.annotator is not None))
    try:
        yield service
    finally:
        service.stop()
        async with asyncio.timeout(WAIT_S):
            await task


async def until(condition: Callable[[], object]) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.01)


def sensor(broker: EmbeddedBroker) -> aiomqtt.Client:
    """Who publishes uplinks, and hears events."""
    return aiomqtt.Client("127.0.0.1", broker.port, protocol=aiomqtt.ProtocolVersion.V5)


async def ready(service: Service) -> None:
    """Wait until it knows where annotations go on."""
    await until(lambda: service.annotator is not None and service.annotator._progress is not None)


def seen(service: Service) -> int:
    """The newest event that annotations have looked at."""
    annotator = service.annotator
    return annotator._progress.seq if annotator is not None and annotator._progress is not None else -1


async def send(client: aiomqtt.Client, number: int, *, taken: bool) -> int:
    """The first space says something; returns when."""
    time_ms = wall_clock()
    said = event(LOT_DEVICES[0], payload=occupied(yes=taken), f_cnt=number, time_ms=time_ms)
    await client.publish(topic(LOT_DEVICES[0]), json.dumps(said), qos=1)
    return time_ms


async def test_an_uplink_leads_to_an_annotation_and_another_ends_it(
    embedded_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    """From the broker through rule and journal to Grafana; a stop and a start lie in between, Grafana's trouble too."""
    async with grafana() as double, sensor(embedded_broker) as client:
        settings = settings_of(tmp_path, embedded_broker.port, double.url)
        double.faults = [Fault(), Fault(500)]
        async with serving(settings) as service:
            await ready(service)
            begin_ms = await send(client, 1, taken=True)
            await until(lambda: "sink grafana" in service.problems())
            await until(lambda: double.kept)
            await until(lambda: "sink grafana" not in service.problems())
        async with serving(settings):
            end_ms = await send(client, 2, taken=False)
            await until(lambda: [kept for kept in double.kept.values() if kept.time_end > kept.time])
    (kept,) = double.kept.values()
    assert (kept.time, kept.time_end, kept.text) == (begin_ms, end_ms, "voll <b>& eng")
    assert {"stadtfunk", f"rule:{ID}", "asset:lot-markt", "severity:severe"} < set(kept.tags)


async def test_a_rule_in_shadow_leaves_no_annotation(embedded_broker: EmbeddedBroker, tmp_path: Path) -> None:
    """What is not let out is not said in Grafana either."""
    async with grafana() as double, sensor(embedded_broker) as client:
        modes = {"modes": {ID: "shadow"}}
        async with serving(settings_of(tmp_path, embedded_broker.port, double.url, rules=modes)) as service:
            await ready(service)
            await send(client, 1, taken=True)
            await until(lambda: service.telemetry.totals.stored)
            newest = "SELECT max(seq) FROM event"
            seq = await service.journal.query(lambda c: c.execute(newest).fetchone()[0])
            await until(lambda: seen(service) >= seq)
            statuses = "SELECT DISTINCT status FROM event WHERE topic LIKE '%/custom/%'"
            assert await service.journal.query(lambda c: [row[0] for row in c.execute(statuses)]) == ["shadow"]
    assert double.count("POST") == 0


async def test_a_grafana_that_does_not_answer_holds_up_neither_events_nor_the_end(
    embedded_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    """The event goes out meanwhile, and the service stops at once though a request is under way."""
    async with grafana() as double, sensor(embedded_broker) as client:
        await client.subscribe("stadtfunk/v1/custom/#")
        double.delay_s = 100
        async with serving(settings_of(tmp_path, embedded_broker.port, double.url)) as service:
            await ready(service)
            await send(client, 1, taken=True)
            async with asyncio.timeout(WAIT_S):
                heard = await anext(aiter(client.messages))
            assert isinstance(heard.payload, bytes)
            assert json.loads(heard.payload)["data"]["status"] == "raised"
            await double.begun.wait()
            begun_s = time.monotonic()
        assert time.monotonic() - begun_s < 20


@pytest.mark.parametrize(
    ("changes", "annotates"),
    [
        ({}, True),
        ({"simulation": {"accept": True}}, False),
        ({"simulation": {"accept": True, "acting": True}}, True),
        ({"grafana": {"url": "http://127.0.0.1:1", "annotations": False}}, False),
        ({"grafana": {"token": "a"}}, False),
    ],
)
async def test_who_annotates(tmp_path: Path, changes: dict[str, Any], *, annotates: bool) -> None:
    """A service with a url, unless it is told not to; never what simulated devices cause in a real city."""
    base: dict[str, Any] = {"journal": {"path": tmp_path / "j.db"}, "grafana": {"url": "http://127.0.0.1:1"}}
    service = Service(load(**{**base, **changes}))
    found = service._annotator()
    assert (found is not None) == annotates
    await service.journal.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("grafana.example", "expected http"),
        ("ftp://grafana.example", "expected http"),
        ("http://", "expected http"),
        ("https://admin:admin@grafana.example", "set grafana.token"),
        ("http://grafana.example:99999", "[Pp]ort"),
        ("http://grafana.example/?orgId=1", "expected http"),
    ],
)
def test_a_url_that_is_none_is_refused(url: str, words: str) -> None:
    """In one line that names the key."""
    with pytest.raises(SettingsError, match=rf"grafana\.url: .*{words}"):
        load(grafana={"url": url})
