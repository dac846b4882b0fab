"""Replay in place on a real InfluxDB: what was wrong is gone there, too."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ingest.influx import InfluxSink
from ingest.replay.correction import Result
from ingest.replay.influx import from_influx
from tests.doubles.influxd import Database
from tests.doubles.influxd_fixtures import NewBucket
from tests.ingest.bench import Bench, running
from tests.ingest.replays import drained, note_codecs, order, replay_settings, replayed
from tests.ingest.test_replay import BEGIN, END, fix_codec, lots, month, wrong_codec
from tests.ingest.test_replay_choice import HOURS, SWAPPED, each_choice, swapped

pytestmark = pytest.mark.influxd


class Place(NamedTuple):
    """A bench with a bucket for each privacy class."""

    bench: Bench
    sink: InfluxSink
    server: Database
    buckets: tuple[str, str, str]

    def points(self, measurement: str, field: str = "*") -> list[list[object]]:
        """All points of an Influx measurement, whatever their class, sorted."""
        statement = f"SELECT {field} FROM {measurement}"  # noqa: S608 - a test's own names
        return sorted((row for name in self.buckets for row in self.server.query(statement, name)), key=repr)

    async def replayed(self, **choice: Any) -> Result:  # noqa: ANN401 - any field of the order
        """The whole month, in place."""
        async with from_influx(self.bench.service.settings.influxdb) as read_back:
            result = await replayed(self.bench, order(BEGIN, END, **choice), read_back=read_back)
        await drained(self.bench, self.sink)
        return result


@asynccontextmanager
async def placed(tmp_path: Path, server: Database, new_bucket: NewBucket) -> AsyncIterator[Place]:
    """A bench whose journal knows the database."""
    buckets = (new_bucket(), new_bucket(), new_bucket())
    named = dict(zip(("bucket_open", "bucket_internal", "bucket_personal"), buckets, strict=True))
    access = {"url": server.url, "token": server.token or None, "organisation": server.organisation}
    settings = replay_settings(tmp_path, influxdb={**access, **named})
    async with running(settings, BEGIN) as bench:
        note_codecs(bench)
        sink = InfluxSink(settings.influxdb)
        bench.service.journal.register(sink.name)
        yield Place(bench, sink, server, buckets)
        await sink.close()


async def test_a_month_replayed_leaves_every_point_where_it_was(
    tmp_path: Path, influxdb: Database, new_bucket: NewBucket
) -> None:
    """Moved, renamed, swapped: the database holds the same points in the same series, and the counts know it."""
    async with placed(tmp_path, influxdb, new_bucket) as place:
        await month(place.bench)
        await drained(place.bench, place.sink)
        before = {name: place.points(name) for name in ("parking", "waste", "device", "link")}
        result = await place.replayed()
        assert {name: place.points(name) for name in before} == before
    assert len(before["parking"]) == 90
    assert result.counts["points_before"] == result.counts["points_after"]
    assert result.counts["readings_changed"] in {0, None}


async def test_a_wrong_field_is_gone_after_the_codec_is_fixed(
    tmp_path: Path, influxdb: Database, new_bucket: NewBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A field that the old codec invented is gone from the database, and the right one is there."""
    async with placed(tmp_path, influxdb, new_bucket) as place:
        wrong_codec(monkeypatch)
        note_codecs(place.bench)
        await lots(place.bench, 0, 10)
        await drained(place.bench, place.sink)
        wrong = place.points("parking", "tilted")
        fix_codec(place.bench, monkeypatch)
        result = await place.replayed()
        assert (len(wrong), place.points("parking", "tilted"), len(place.points("parking", "occupied"))) == (20, [], 20)
    assert result.counts["readings_changed"] in {20, None}


@each_choice
async def test_what_is_outside_the_filter_keeps_its_points(
    tmp_path: Path, influxdb: Database, new_bucket: NewBucket, choice: dict[str, Any]
) -> None:
    """A device changed profile and application: whichever is chosen, the database holds the batteries of both."""
    async with placed(tmp_path, influxdb, new_bucket) as place:
        await swapped(place.bench)
        await drained(place.bench, place.sink)
        before = {name: place.points(name) for name in ("environment", "waste", "parking", "device", "link")}
        result = await place.replayed(devices=(SWAPPED,), **choice)
        assert {name: place.points(name) for name in before} == before
        assert len(place.points("device", "battery_level")) == HOURS
    assert result.counts["messages"] == HOURS
    assert result.counts["readings_changed"] in {0, None}
