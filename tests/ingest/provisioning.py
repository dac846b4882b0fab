"""Provisioning as the tests do it: everything that is planned, with nothing printed."""

from collections.abc import Collection

from ingest.influxdb.provision import provisioner
from ingest.influxdb.provision_plan import Step, wanted
from ingest.settings import InfluxSettings

BERLIN = "Europe/Berlin"


async def provision(
    settings: InfluxSettings, token: str | None = None, readers: Collection[str] = ()
) -> tuple[list[str], dict[str, str]]:
    """Plan and do; what was done and which tokens came of it. What was planned is what was done."""
    done: list[Step] = []
    tokens: dict[str, str] = {}
    noted: list[Step] = []
    async with provisioner(settings, wanted(settings, BERLIN, readers), token) as found:
        await found.run(done.append, tokens.__setitem__, noted.extend)
        assert tuple(done) == tuple(noted) == found.plan.steps
    return [step.describe() for step in done], tokens
