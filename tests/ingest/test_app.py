"""The wiring: which clock, which store, which bucket, and what is said at start."""

from pathlib import Path

import pytest

from decoders.quantity import Privacy
from ingest.app import influx_settings, read_city, service_clock, store_path
from ingest.clock import simulated_clock, wall_clock
from ingest.settings import SettingsError, load


def test_readings_go_beside_the_journal_without_a_database(tmp_path: Path) -> None:
    """Without InfluxDB the embedded store is used, and with it only when asked for."""
    journal = {"path": tmp_path / "journal.db"}
    assert store_path(load(journal=journal)) == tmp_path / "stadtfunk.db"
    assert store_path(load(journal=journal, influxdb={"url": "http://127.0.0.1:8086"})) is None
    both = load(journal=journal, influxdb={"url": "http://127.0.0.1:8086"}, store={"path": tmp_path / "mine.db"})
    assert store_path(both) == tmp_path / "mine.db"


def test_simulated_readings_are_kept_apart(tmp_path: Path) -> None:
    """A service that accepts simulated devices writes to a bucket and store of its own; the demo is all simulation."""
    journal, store = {"path": tmp_path / "journal.db"}, {"path": tmp_path / "mine.db"}
    accepting = load(journal=journal, store=store, simulation={"accept": True})
    assert store_path(accepting) == tmp_path / "mine-simulated.db"
    assert {influx_settings(accepting).bucket(privacy) for privacy in Privacy} == {"stadtfunk_simulated"}
    acting = load(journal=journal, store=store, simulation={"accept": True, "acting": True})
    assert store_path(acting) == tmp_path / "mine.db"
    assert influx_settings(acting).bucket(Privacy.OPEN) == "stadtfunk_open"


def test_a_simulated_clock_runs_faster() -> None:
    """It shows its start when made and runs so many times as fast as the wall."""
    now_s = [10.0]
    clock = simulated_clock(1_000_000, 60, lambda: now_s[0])
    assert clock() == 1_000_000
    now_s[0] += 2
    assert clock() == 1_120_000
    assert service_clock(load()) is wall_clock


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "line 1"),
        ('{"type": "FeatureCollection", "features": [{"type": "Feature"}]}', "id"),
        ("\udcff", "UTF-8"),
    ],
    ids=["no JSON", "no id", "not UTF-8"],
)
def test_a_bad_city_is_named(tmp_path: Path, text: str, message: str) -> None:
    """File, place and reason of what is wrong with the city."""
    path = tmp_path / "city.geojson"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(SettingsError, match=message) as caught:
        read_city(load(city={"file": path}))
    assert str(path) in str(caught.value)


def test_a_missing_city_is_named(tmp_path: Path) -> None:
    """A file that is not there is an error, not an empty city."""
    with pytest.raises(SettingsError, match=r"nowhere\.geojson: No such file"):
        read_city(load(city={"file": tmp_path / "nowhere.geojson"}))
