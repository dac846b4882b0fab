"""Faults of the broker and of the way to it."""

import asyncio
import json
import random
import signal
from collections import Counter

from tests.doubles.tcp_proxy import PASS
from tests.faults.balance import Imbalance, Pair, check_events, check_uplinks, published
from tests.faults.stage import Result, Run, Stage, cut_somewhere, staged
from tests.faults.witness import Witness
from tests.ingest.uplinks import LOT_DEVICES


async def stop_broker(run: Run) -> Result:
    """Mosquitto gets SIGTERM, saves what it holds, and starts again: nothing is lost anywhere."""
    async with staged(run) as stage, stage.life() as life:
        stage.publish()
        for _ in range(run.faults):
            await stage.moving()
            await stage.pause(0.0, 0.5)
            await stage.broker.stop()
            await stage.pause(0.05, 0.5)
            await stage.broker.start()
        await stage.settle(life)
        return Result(run.faults, stage.traffic.sent)


async def kill_broker(run: Run) -> Result:
    """Mosquitto gets SIGKILL: what it had acknowledged and not saved is its own loss, and only that may be missing.

    A witness reads the wire between broker and service. Everything that the service acknowledged is stored, each once;
    nothing is stored that was not published; what is missing was never acknowledged by the service.
    """
    witness = Witness()
    every = random.Random(run.seed).choice([1, 60])
    saving = ("autosave_on_changes true", f"autosave_interval {every}")
    async with staged(run, tap=witness.tap, broker_settings=saving) as stage, stage.life() as life:
        stage.publish()
        for _ in range(run.faults):
            await stage.moving()
            await stage.pause(0.0, 0.5)
            await stage.broker.kill()
            await stage.pause(0.05, 0.5)
            await stage.broker.start()
        await asyncio.sleep(1)
        await stage.quiet()
        await stage.calm(life)
        if await life.end(signal.SIGTERM) != 0:
            raise Imbalance("the service did not end in order")
        lost = _check_witnessed(stage, witness)
        unheard = check_events(stage.installation, stage.listener, lossy=True)
        note = f"saving every {every} changes the broker lost {lost} uplinks and {unheard} events of its own"
        return Result(run.faults, stage.traffic.sent, note)


def _check_witnessed(stage: Stage, witness: Witness) -> int:
    expected, found = published(stage.traffic), stage.points.links()
    acknowledged = Counter(pair for payload in witness.acknowledged if (pair := pair_of(payload)))
    check_uplinks(found & acknowledged, acknowledged)
    check_uplinks(found, expected & found)
    query = "SELECT payload FROM dead_letter WHERE source LIKE 'application/%'"
    letters = Counter(bytes(row[0]) for row in stage.installation.journal_rows(query))
    taken = stage.traffic.unreadable & witness.acknowledged
    if not taken <= letters.keys() <= stage.traffic.unreadable or letters.total() != len(letters):
        raise Imbalance(f"{len(taken)} unreadable messages acknowledged, {letters.total()} dead letters")
    return (expected - found).total()


def pair_of(payload: bytes) -> Pair | None:
    """Device and counter of an uplink's message; None for what is no uplink of the traffic."""
    try:
        uplink = json.loads(payload)
    except ValueError:
        return None
    dev_eui = str(uplink["deviceInfo"]["devEui"])
    return (dev_eui, int(uplink["fCnt"])) if dev_eui in LOT_DEVICES else None


async def cut_broker(run: Run) -> Result:
    """The way to the broker is cut at random bytes in either direction, goes silent, or is open on one side only."""
    async with staged(run) as stage, stage.life() as life:
        proxy = stage.broker_proxy
        stage.publish()
        await stage.moving(100)
        proxy.plan = lambda: cut_somewhere(stage.rng)
        proxy.cut_all()
        before = proxy.faults
        async with asyncio.timeout(30 + 10 * run.faults):
            while proxy.faults < before + run.faults:
                await asyncio.sleep(0.1)
        faults = proxy.faults - before
        proxy.plan = lambda: PASS
        proxy.cut_all()
        await stage.settle(life)
        return Result(faults, stage.traffic.sent)
