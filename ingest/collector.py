"""Python's garbage collector, kept from looking again and again at what lives long.

A device that is heard leaves some thirty objects that stay for hours and hold no cycles; looking at each of them even
once costs a tenth of what an uplink costs. So what is there is set aside every second, and looked at as a whole once an
hour, for the few cycles that were among it. References are counted all the same: most of what goes, goes at once.
"""

import asyncio
import gc

SETTLE_S = 1.0
SWEEP_S = 3600.0
THRESHOLDS = (500_000, 50, 100)
"""New objects until a look at them: more than a second brings."""


def spare() -> None:
    """What is there at the start stays for good, and a batch is no garbage: look seldom, and at what is new."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


def sweep() -> None:
    """Look at everything once; a second's pause at a hundred thousand devices."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


async def attend() -> None:
    """Set aside and sweep, until cancelled."""
    loop = asyncio.get_running_loop()
    swept = loop.time()
    while True:
        await asyncio.sleep(SETTLE_S)
        if loop.time() - swept >= SWEEP_S:
            sweep()
            swept = loop.time()
        else:
            gc.freeze()
