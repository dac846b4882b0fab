"""What `check` says of InfluxDB."""

import pytest

from ingest import check_influx
from ingest.settings import given
from tests.doubles.influx import Release, serving
from tests.doubles.influxd import Database
from tests.doubles.influxd_fixtures import NewBucket


@pytest.mark.parametrize("release", ["2.7", "2.8"])
async def test_double_of_2_says_whether_it_takes_what_we_write(release: Release) -> None:
    """All is well, a wrong token, a bucket that is not there, a token without the right; nothing is changed."""
    async with serving(release) as double:
        double.token = "admin"
        bucket = {"action": "read", "resource": {"id": double.resources.bucket_id("stadtfunk_open")}}
        double.resources.authorizations["r"] = {"token": "reader", "status": "active", "permissions": [bucket]}
        for token, said, level in (
            ("admin", "InfluxDB 2, writes are allowed in every bucket", "ok"),
            ("wrong", "401 unauthorized access; set influxdb.token", "error"),
            ("reader", "403 insufficient permissions to delete", "error"),
        ):
            found = await check_influx.finding(given(influxdb={"url": double.url, "token": token}))
            assert (found.level, found.subject) == (level, "influxdb.url")
            assert said in found.text
            assert double.url in found.text
        del double.buckets["stadtfunk_personal"]
        found = await check_influx.finding(given(influxdb={"url": double.url, "token": "admin"}))
        assert (found.level, "bucket stadtfunk_personal is not there" in found.text) == ("error", True)
        assert double.resources.changes == []
        assert double.requests == []


async def test_double_of_2_8_is_asked_for_the_bucket_of_simulated_devices() -> None:
    """Where everything goes while they are accepted."""
    async with serving("2.8") as double:
        settings = given(influxdb={"url": double.url}, simulation={"accept": True})
        found = await check_influx.finding(settings)
        assert "bucket stadtfunk_simulated is not there" in found.text
        double.buckets["stadtfunk_simulated"] = {}
        assert (await check_influx.finding(settings)).level == "ok"


async def test_double_of_3_is_not_asked_for_what_it_has_not() -> None:
    """3 Core deletes nothing, so its rights are not known before the first write, and that is said."""
    async with serving("3.0") as double:
        found = await check_influx.finding(given(influxdb={"url": double.url}))
    assert (found.level, found.text.endswith("InfluxDB 3, rights and databases are not looked at")) == ("ok", True)


async def test_a_server_that_is_away_is_an_error() -> None:
    """One line, with its address."""
    async with serving("2.8") as double:
        url = double.url
    found = await check_influx.finding(given(influxdb={"url": url}))
    assert (found.level, found.text.startswith(f"{url}: no connection")) == ("error", True)


@pytest.mark.influxd
async def test_a_real_server_says_whether_it_takes_what_we_write(influxdb: Database, new_bucket: NewBucket) -> None:
    """All is well, then one of the three buckets is not there."""
    bucket = new_bucket()
    place = {"url": influxdb.url, "token": influxdb.token or "any:thing", "organisation": influxdb.organisation}
    buckets = dict.fromkeys(("bucket_open", "bucket_internal", "bucket_personal"), bucket)
    found = await check_influx.finding(given(influxdb={**place, **buckets}))
    assert (found.level, f"InfluxDB {influxdb.release}" in found.text) == ("ok", True), found
    found = await check_influx.finding(given(influxdb={**place, **buckets, "bucket_internal": "nope"}))
    assert (found.level, "bucket nope is not there" in found.text) == ("error", True), found
