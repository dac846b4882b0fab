"""The service keeps how it fares."""

from pathlib import Path

from tests.ingest.bench import city_settings, running


async def test_the_service_keeps_how_it_fares(tmp_path: Path) -> None:
    """One point of the service and one for each sink, among the lines that wait for sinks."""
    async with running(city_settings(tmp_path)) as bench:
        service = bench.service
        (sink,) = service._sinks()
        service.journal.register(sink.name)
        await service.upkeep.tell_figures([sink])
        await sink.close()
        lines = [line for line in await bench.lines() if line.startswith("service")]
    assert [line.partition(" ")[0] for line in lines] == ["service", "service,channel=store"]
    assert "problems=2.0" in lines[0]
    assert "backoff_s=0.0,behind_rows=0.0" in lines[1]
