"""Which InfluxDB answers: asked once for each connection, never guessed; and what can be deleted where."""

import pytest

from decoders.quantity import Privacy
from ingest.influx import InfluxSink
from ingest.influxdb.delete import CannotDelete, delete_body
from ingest.influxdb.http import HttpAnswer
from ingest.influxdb.search import ServerFault
from ingest.influxdb.version import UnknownVersion, Version, detect, version_of
from ingest.settings import InfluxSettings
from ingest.sink import SinkUnavailable
from tests.doubles.influx import Release, Scripted, serving

LINE = b"environment,dev_eui=a value=1 1000"
VERSIONS: list[tuple[Release, Version]] = [("1.8", Version.V1_8), ("2.8", Version.V2), ("3.0", Version.V3)]


@pytest.mark.parametrize(
    ("header", "body", "expected"),
    [
        ("1.8.10", "", Version.V1_8),
        ("1.11.8", "", Version.V1_8),
        ("v2.8.0", "", Version.V2),
        ("2.7.1-nightly", "", Version.V2),
        ("3.0.1", "", Version.V3),
        ("", '{"version": "3.4.0", "revision": "abc"}', Version.V3),
    ],
)
def test_what_a_server_says_decides(header: str, body: str, expected: Version) -> None:
    """The header, else the JSON, with and without a v."""
    headers = {"x-influxdb-version": header} if header else {}
    assert version_of(HttpAnswer(200, headers, body)) is expected


@pytest.mark.parametrize(
    ("header", "body", "said"),
    [
        ("", "", "no version; set influxdb.version"),
        ("unknown", "", "'unknown'; set influxdb.version"),
        ("1.7.11", "", "too old"),
        ("4.0.0", "", "4.0.0 is not known"),
        ("", "[1]", "no version"),
        ("", "<html>hello</html>", "no version"),
    ],
)
def test_what_is_not_said_is_not_guessed(header: str, body: str, said: str) -> None:
    """The error says what to set."""
    with pytest.raises(UnknownVersion, match=said):
        version_of(HttpAnswer(200, {"x-influxdb-version": header}, body))


@pytest.mark.parametrize(("release", "expected"), VERSIONS)
async def test_double_is_asked_once_for_a_connection_and_again_after_it(release: Release, expected: Version) -> None:
    """Many writes ask once; after a failure the next one asks again."""
    async with serving(release) as double:
        sink = InfluxSink(InfluxSettings(url=double.url))
        for _ in range(3):
            await sink.write(Privacy.OPEN, LINE)
        assert (sink.version, double.asked) == (expected, 1)
        double.script = [Scripted(503)]
        with pytest.raises(SinkUnavailable):
            await sink.write(Privacy.OPEN, LINE)
        await sink.write(Privacy.OPEN, LINE)
        assert double.asked == 2
        await sink.close()


async def test_double_replaced_by_another_version_is_known_as_that() -> None:
    """After a reconnection the version is the new server's."""
    async with serving("1.8") as old:
        sink = InfluxSink(InfluxSettings(url=old.url))
        await sink.write(Privacy.OPEN, LINE)
    with pytest.raises(SinkUnavailable, match="no connection"):
        await sink.write(Privacy.OPEN, LINE)
    async with serving("2.8", int(old.url.rsplit(":", 1)[1])):
        await sink.write(Privacy.OPEN, LINE)
        assert sink.version is Version.V2
    await sink.close()


@pytest.mark.parametrize("answer", [Scripted(404, "no such page"), Scripted(401), Scripted(200, "hello")])
async def test_double_that_hides_its_version_is_written_to_and_not_deleted_from(answer: Scripted) -> None:
    """All versions take line protocol at the same path; what they do not share needs the setting."""
    async with serving("2.8") as double:
        double.pings = [answer] * 2
        sink = InfluxSink(InfluxSettings(url=double.url))
        assert await sink.write(Privacy.OPEN, LINE) == []
        assert sink.version is None
        with pytest.raises(UnknownVersion, match=r"set influxdb\.version"):
            await sink.delete(["environment"], "a", 0, 5000)
        assert double.values("stadtfunk_open", "value") == [1]
        await sink.close()


async def test_nobody_there_is_no_version() -> None:
    """No answer means later, for the write and for the delete."""
    async with serving("2.8") as gone:
        settings = InfluxSettings(url=gone.url)
    sink = InfluxSink(settings)
    with pytest.raises(SinkUnavailable, match="no connection"):
        await sink.write(Privacy.OPEN, LINE)
    with pytest.raises(SinkUnavailable, match="no connection"):
        await sink.delete(["environment"], "a", 0, 5000)
    await sink.close()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_double_behind_a_proxy_in_trouble_has_no_version_yet(status: int) -> None:
    """A proxy answers `/ping` in its place: a fault that passes, whatever it names; later the version is known."""
    async with serving("2.8") as double:
        settings = InfluxSettings(url=double.url)
        double.pings = [Scripted(status, "try later"), Scripted(status, headers={"x-influxdb-version": "1.8.10"})]
        for _ in range(2):
            with pytest.raises(ServerFault, match=f"/ping answers {status}"):
                await detect(settings)
        assert await detect(settings) is Version.V2
        double.pings = [Scripted(status, "try later")]
        sink = InfluxSink(settings)
        with pytest.raises(SinkUnavailable):
            await sink.write(Privacy.OPEN, LINE)
        assert await sink.write(Privacy.OPEN, LINE) == []
        assert sink.version is Version.V2
        await sink.close()


async def test_a_version_that_is_set_is_not_asked_for() -> None:
    """The setting wins without a request."""
    settings = InfluxSettings(url="http://127.0.0.1:1", version="2")
    assert await detect(settings) is Version.V2


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", None])
async def test_double_of_3_cannot_delete(url: str | None) -> None:
    """Said before anything is asked, when the setting says so, and after asking otherwise."""
    async with serving("3.0") as double:
        settings = InfluxSettings(url=url or double.url, version="3" if url else "auto")
        sink = InfluxSink(settings)
        with pytest.raises(CannotDelete, match="InfluxDB 3 cannot delete"):
            await sink.delete(["environment"], "a", 0, 5000)
        await sink.close()


async def test_double_of_2_8_deletes_a_span_of_a_device_in_every_class() -> None:
    """Begin included, end not; other devices and other Influx measurements stay, whatever marks a name holds."""
    device = 'a" OR dev_eui="b'
    async with serving("2.8") as double:
        sink = InfluxSink(InfluxSettings(url=double.url, organisation="stadt"))
        points = double.buckets
        for bucket in points.values():
            for measurement in ("environment", "waste"):
                for dev_eui in (device, "b"):
                    for time_ms in (999, 1000, 1999, 2000):
                        bucket[measurement, (("dev_eui", dev_eui),), time_ms] = {"value": 1.0}
        await sink.delete(["environment"], device, 1000, 2000)
        await sink.close()
        for bucket in points.values():
            left = {(measurement, dict(tags)["dev_eui"], time_ms) for measurement, tags, time_ms in bucket}
            assert len(left) == 14
            assert ("environment", device, 1000) not in left
            assert ("environment", device, 1999) not in left


async def test_double_of_2_8_that_refuses_a_delete_says_why() -> None:
    """An organisation that is not there, and a token without the right."""
    async with serving("2.8") as double:
        sink = InfluxSink(InfluxSettings(url=double.url))
        double.resources.organisation = "stadt"
        with pytest.raises(SinkUnavailable, match=r"404 organization name \S+ not found"):
            await sink.delete(["environment"], "a", 0, 5000)
        double.resources.organisation = ""
        double.token = "admin"
        with pytest.raises(SinkUnavailable, match="401 unauthorized"):
            await sink.delete(["environment"], "a", 0, 5000)
        await sink.close()


def test_a_span_ends_a_nanosecond_before_its_end() -> None:
    """2.x takes a stop that some releases include; our times are whole milliseconds."""
    body = delete_body("link", "0102", 1_700_000_000_123, 1_700_000_001_000)
    assert (body["start"], body["stop"]) == ("2023-11-14T22:13:20.123000000Z", "2023-11-14T22:13:20.999999999Z")
