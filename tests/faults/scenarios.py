"""The faults, one function each: it runs the real service through them and checks the books at the end.

Each takes a Run and returns a Result; it raises Imbalance (or whatever went wrong) when a promise was broken, and
NotHere where this machine lacks something.
"""

import signal
from collections.abc import Awaitable, Callable

from tests.doubles.influxd import executable
from tests.faults.balance import Imbalance
from tests.faults.broker_faults import cut_broker, kill_broker, stop_broker
from tests.faults.clock_steps import step_clock
from tests.faults.corruption import corrupt_journal
from tests.faults.database_faults import break_database, kill_database
from tests.faults.disk import full_disk
from tests.faults.harness import service
from tests.faults.stage import Result, Run, staged

HIGH_RATE = 500.0
Scenario = Callable[[Run], Awaitable[Result]]


async def kill_service(run: Run) -> Result:
    """SIGKILL at random moments under load, now and then while it starts; most of them with unacknowledged messages."""
    kills = looked = redelivering = 0
    async with staged(run, database=executable() is not None, rate=HIGH_RATE) as stage:
        async with stage.life() as first:
            stage.publish()
            await stage.pause(0.3, 0.8)
            await first.end(signal.SIGKILL)
            kills += 1
        while kills < run.faults:
            async with service(stage.installation) as life:
                if stage.rng.random() < 0.2:
                    await stage.pause(0.0, 1.0)
                else:
                    await life.connected()
                    await stage.pause(0.02, 0.5)
                    looked += 1
                    redelivering += (await life.status())["mqtt"]["redelivered"] > 0
                await life.end(signal.SIGKILL)
                kills += 1
        async with stage.life() as last:
            await stage.settle(last)
    if redelivering < looked / 2:
        raise Imbalance(f"only {redelivering} of {looked} kills left unacknowledged messages: the load was too low")
    return Result(kills, stage.traffic.sent, f"{redelivering} of {looked} looked at with redelivery")


SCENARIOS: dict[str, tuple[Scenario, int]] = {
    "kill_service": (kill_service, 100),
    "kill_database": (kill_database, 8),
    "break_database": (break_database, 25),
    "stop_broker": (stop_broker, 10),
    "kill_broker": (kill_broker, 10),
    "cut_broker": (cut_broker, 30),
    "full_disk": (full_disk, 4),
    "step_clock": (step_clock, 12),
    "corrupt_journal": (corrupt_journal, 8),
}
"""Each scenario with the faults of a full run."""
