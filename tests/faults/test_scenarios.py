"""Each fault once and briefly; `make faults` runs the same scenarios at length."""

from pathlib import Path

import pytest

from tests.faults.run import FIRST_SEED
from tests.faults.scenarios import SCENARIOS
from tests.faults.stage import NotHere, Run

BRIEFLY = {
    "kill_service": 5,
    "kill_database": 1,
    "break_database": 3,
    "stop_broker": 2,
    "kill_broker": 2,
    "cut_broker": 4,
    "full_disk": 1,
    "step_clock": 3,
    "corrupt_journal": 2,
}
SIDE_BY_SIDE = {"kill_service", "corrupt_journal", "cut_broker", "stop_broker"}
"""About half of the time; the others run beside them."""
NEED_INFLUXD = {"kill_database", "break_database"}


def cases() -> list[object]:
    """Two groups, so that at most two loads run side by side."""
    return [
        pytest.param(
            name,
            marks=[
                pytest.mark.xdist_group("faults-1" if name in SIDE_BY_SIDE else "faults-2"),
                *([pytest.mark.influxd(process=True)] if name in NEED_INFLUXD else []),
            ],
        )
        for name in SCENARIOS
    ]


@pytest.mark.mosquitto
@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", cases())
async def test_every_promise_holds(tmp_path: Path, name: str) -> None:
    """Published is stored, each once, or a dead letter; events published, heard and known are the same."""
    scenario, _ = SCENARIOS[name]
    try:
        result = await scenario(Run(tmp_path, FIRST_SEED, BRIEFLY[name]))
    except NotHere as missing:
        pytest.skip(str(missing))
    assert result.faults >= BRIEFLY[name]
    assert result.uplinks > 100
