"""Faults of the database and of the way to it."""

import asyncio
from collections.abc import Callable

from tests.doubles.tcp_proxy import PASS, Plan
from tests.faults.stage import Result, Run, Stage, staged

UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy"
INTERNAL = b'HTTP/1.1 500 Internal Server Error\r\nContent-Length: 21\r\n\r\n{"error": "internal"}'
TOO_MANY = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
HALF = b"HTTP/1.1 204 No Content\r\nX-Influxdb-Ver"
LIE = b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<html>hi</html>"


async def kill_database(run: Run) -> Result:
    """InfluxDB gets SIGKILL or SIGTERM while it is written to, and starts again on its data."""
    async with staged(run, database=True) as stage, stage.life() as life:
        server = stage.database
        assert server is not None
        stage.publish()
        for _ in range(run.faults):
            await stage.moving(100)
            await stage.pause(0.0, 0.7)
            await asyncio.to_thread(stage.rng.choice([server.kill, server.kill, server.stop]))
            await stage.pause(0.1, 0.8)
            await asyncio.to_thread(server.start)
        await stage.settle(life)
        return Result(run.faults, stage.traffic.sent)


def ways(stage: Stage) -> list[Callable[[], Plan]]:
    """What can become of a connection to the database; `down=0` loses the answer to what was written."""
    rng = stage.rng
    return [
        lambda: Plan(answer=rng.choice([UNAVAILABLE, INTERNAL, TOO_MANY])),
        lambda: Plan(answer=rng.choice([HALF, LIE])),
        lambda: Plan(down=0),
        lambda: Plan(down=rng.randrange(1, 150)),
        lambda: Plan(up=int(10 ** rng.uniform(0, 5))),
        lambda: Plan(up=int(10 ** rng.uniform(0, 5)), then="stall"),
        lambda: Plan(delay_s=0.3),
    ]


async def break_database(run: Run) -> Result:
    """InfluxDB behind a proxy: 500, 429, 503, lies, half answers, slow, silent, cut anywhere, the answer lost."""
    async with staged(run, database=True) as stage, stage.life() as life:
        proxy = stage.database_proxy
        assert proxy is not None
        stage.publish()
        await stage.moving(100)
        for _ in range(run.faults):
            proxy.plan = stage.rng.choice(ways(stage))
            proxy.cut_all()
            await stage.pause(0.4, 1.2)
            proxy.plan = lambda: PASS
            proxy.cut_all()
            await stage.pause(0.0, 0.4)
        await stage.settle(life)
        return Result(run.faults, stage.traffic.sent, f"{proxy.connections} connections, {proxy.faults} broken")
