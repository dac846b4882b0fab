"""The InfluxDB sink against a double that keeps state; what a real server does is tested beside it."""

import asyncio
import contextlib
import math
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import trustme
from pydantic import SecretStr

from decoders.quantity import Privacy
from ingest.influx import InfluxSink
from ingest.settings import InfluxSettings
from ingest.sink import SinkUnavailable
from tests.doubles.influx import InfluxDouble, Scripted, serving

TOKEN = "s3cr3t:t0ken"
BUCKET = "stadtfunk_open"


@pytest.fixture(params=["1.8", "2.8"])
async def double(request: pytest.FixtureRequest) -> AsyncIterator[InfluxDouble]:
    """The double, once as each version."""
    async with serving(request.param) as server:
        yield server


@contextlib.asynccontextmanager
async def sink_of(double: InfluxDouble, **settings: object) -> AsyncIterator[InfluxSink]:
    """A sink that writes to the double."""
    given = {"url": double.url, "token": SecretStr(TOKEN), "organisation": "stadt", **settings}
    sink = InfluxSink(InfluxSettings.model_validate(given))
    try:
        yield sink
    finally:
        await sink.close()


def lines(count: int) -> list[bytes]:
    """Good lines: value and time count up."""
    return [b"environment,dev_eui=a value=%d.0 %d" % (number, 1000 + number) for number in range(count)]


async def refuse(sink: InfluxSink, body: bytes) -> SinkUnavailable:
    """Write and return the refusal that must follow."""
    with pytest.raises(SinkUnavailable) as caught:
        await sink.write(Privacy.OPEN, body)
    return caught.value


async def test_double_takes_lines_into_the_bucket_of_their_privacy(double: InfluxDouble) -> None:
    """Each class has its bucket; precision, organisation and token go along."""
    double.token = TOKEN
    async with sink_of(double) as sink:
        for privacy in Privacy:
            assert await sink.write(privacy, b"environment value=%d 7" % privacy) == []
    assert [double.values(f"stadtfunk_{name}", "value") for name in ("open", "internal", "personal")] == [[0], [1], [2]]
    assert all(seen.query["precision"] == "ms" and seen.query["org"] == "stadt" for seen in double.requests)


async def test_double_gets_no_request_for_nothing(double: InfluxDouble) -> None:
    """An empty body is stored already."""
    async with sink_of(double) as sink:
        assert await sink.write(Privacy.OPEN, b"\n\n") == []
    assert double.requests == []


@pytest.mark.parametrize("compressed", [False, True])
async def test_double_sees_compression_as_set(double: InfluxDouble, *, compressed: bool) -> None:
    """The setting decides whether bodies are compressed."""
    async with sink_of(double, gzip=compressed) as sink:
        assert await sink.write(Privacy.OPEN, b"\n".join(lines(20))) == []
    assert [seen.compressed for seen in double.requests] == [compressed]
    assert len(double.values(BUCKET, "value")) == 20


async def test_double_gets_large_batches_in_pieces(double: InfluxDouble) -> None:
    """No request holds more lines than the setting says."""
    async with sink_of(double, batch_lines=4) as sink:
        assert await sink.write(Privacy.OPEN, b"\n".join(lines(10))) == []
    assert [len(seen.lines) for seen in double.requests] == [4, 4, 2]


@pytest.mark.parametrize("at", [0, 3, 9])
@pytest.mark.parametrize(
    "guilty",
    [
        b"broken line here",
        b"environment value=NaN 2000",
        b'environment value="text" 2000',
        b"environment value=1 -5",
        b"environment,tag=\xff value=1 2000",
    ],
)
async def test_double_refuses_one_line_and_keeps_its_neighbours(double: InfluxDouble, guilty: bytes, at: int) -> None:
    """Only the guilty line is handed back, with InfluxDB's reason; all others are stored."""
    batch = [*lines(9)[:at], guilty, *lines(9)[at:]]
    async with sink_of(double) as sink:
        await sink.write(Privacy.OPEN, b"environment value=-1 999")
        rejected = await sink.write(Privacy.OPEN, b"\n".join(batch))
    assert [line for line, _ in rejected] == [guilty]
    assert "unable to parse" in rejected[0].reason or "partial write" in rejected[0].reason
    assert double.values(BUCKET, "value") == [-1, *range(9)]


async def test_double_names_unreadable_lines_so_two_requests_do(double: InfluxDouble) -> None:
    """Lines that the answer quotes are not searched for."""
    batch = lines(500)
    batch[7], batch[300] = b"broken", b"more broken"
    async with sink_of(double) as sink:
        rejected = await sink.write(Privacy.OPEN, b"\n".join(batch))
    assert {line for line, _ in rejected} == {b"broken", b"more broken"}
    assert len(double.requests) == 2
    assert len(double.values(BUCKET, "value")) == 498


async def test_double_is_asked_few_times_for_a_line_it_does_not_name(double: InfluxDouble) -> None:
    """Three guilty of a thousand cost some three times ten halvings, not a thousand requests."""
    batch = lines(1000)
    for at in (5, 500, 999):
        batch[at] = b'environment value="text" %d' % (1000 + at)
    async with sink_of(double) as sink:
        await sink.write(Privacy.OPEN, b"environment value=-1 999")
        rejected = await sink.write(Privacy.OPEN, b"\n".join(batch))
    assert len(rejected) == 3
    assert len(double.values(BUCKET, "value")) == 998
    assert len(double.requests) <= 2 + 3 * 2 * math.ceil(math.log2(1000))


async def test_double_drops_all_lines_so_one_request_does(double: InfluxDouble) -> None:
    """When as many were dropped as were sent, each of them is guilty."""
    double.retention_from_ms = 1_000_000
    async with sink_of(double) as sink:
        rejected = await sink.write(Privacy.OPEN, b"\n".join(lines(300)))
    assert [line for line, _ in rejected] == lines(300)
    assert len(double.requests) == 1


async def test_double_passes_over_comments_so_they_are_handed_back(double: InfluxDouble) -> None:
    """What InfluxDB would lose in silence is rejected before it is sent."""
    async with sink_of(double) as sink:
        rejected = await sink.write(Privacy.OPEN, b"#environment value=1 1\nenvironment value=2 2")
    assert [line for line, _ in rejected] == [b"#environment value=1 1"]
    assert double.values(BUCKET, "value") == [2]


async def test_double_with_a_small_limit_gets_halves(double: InfluxDouble) -> None:
    """413 halves; a line too large by itself is handed back."""
    large = b'event text="%s" 5' % (b"x" * 500)
    double.max_body_bytes = 400
    async with sink_of(double) as sink:
        rejected = await sink.write(Privacy.OPEN, b"\n".join([*lines(40), large]))
    assert [line for line, _ in rejected] == [large]
    assert double.values(BUCKET, "value") == [*range(40)]


async def test_double_rewritten_points_count_once(double: InfluxDouble) -> None:
    """Writing the same lines again changes nothing."""
    async with sink_of(double) as sink:
        for _ in range(2):
            await sink.write(Privacy.OPEN, b"\n".join(lines(5)))
    assert double.values(BUCKET, "value") == [*range(5)]


@pytest.mark.parametrize("status", [301, 307, 401, 403, 404, 408, 429, 500, 502, 503, 504])
async def test_double_that_cannot_now_means_later(double: InfluxDouble, status: int) -> None:
    """No line is to blame; the reason is one line with url, bucket and status, and without the token."""
    double.script = [Scripted(status, f"down\nfor {TOKEN}", {"Location": "/elsewhere"})]
    async with sink_of(double) as sink:
        error = await refuse(sink, b"\n".join(lines(3)))
        assert await sink.write(Privacy.OPEN, b"\n".join(lines(3))) == []
    assert all(part in str(error) for part in (double.url, BUCKET, str(status)))
    assert TOKEN not in str(error)
    assert "\n" not in str(error)
    assert len(double.requests) == 2


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"bucket_open": "nope"}, "404.*nope.*provision"),
        ({"token": SecretStr("wrong")}, "401 unauthorized access; set influxdb.token"),
    ],
)
async def test_double_refuses_the_settings(double: InfluxDouble, settings: dict[str, object], expected: str) -> None:
    """A missing bucket and a wrong token say what to do."""
    double.token = TOKEN
    async with sink_of(double, **settings) as sink:
        with pytest.raises(SinkUnavailable, match=expected):
            await sink.write(Privacy.OPEN, b"\n".join(lines(3)))


@pytest.mark.parametrize(
    "body",
    [
        '{"code":"invalid","message":"Please provide either orgID or org"}',
        "<html>400 The plain HTTP request was sent to HTTPS port</html>",
    ],
)
async def test_double_that_refuses_the_request_accuses_no_line(double: InfluxDouble, body: str) -> None:
    """A 400 that speaks of no line loses none; the one of a forgotten organisation names the setting."""
    double.script = [Scripted(400, body)]
    async with sink_of(double) as sink:
        error = await refuse(sink, b"\n".join(lines(3)))
    assert str(error).endswith("; set influxdb.organisation") is ("orgID" in body)


async def test_double_of_2_8_refuses_a_token_without_the_right() -> None:
    """A known one that may not write here is another thing than a wrong one."""
    async with serving("2.8") as double:
        double.token = TOKEN
        double.resources.authorizations["r"] = {"token": "reader", "status": "active", "permissions": []}
        async with sink_of(double, token=SecretStr("reader")) as sink:
            error = await refuse(sink, lines(1)[0])
    assert "403 insufficient permissions for write; give the token" in str(error)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "17"}, 17),
        (
            {
                "Date": format_datetime(datetime(2026, 3, 29, 1, 0, tzinfo=UTC), usegmt=True),
                "Retry-After": format_datetime(datetime(2026, 3, 29, 1, 2, tzinfo=UTC), usegmt=True),
            },
            120,
        ),
        ({"Retry-After": "99999999"}, 3600),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
async def test_double_says_when_to_come_again(
    double: InfluxDouble, headers: dict[str, str], seconds: float | None
) -> None:
    """Retry-After counts in seconds or names a date, which counts from the answer's own."""
    double.script = [Scripted(429, "slow down", headers)]
    async with sink_of(double) as sink:
        error = await refuse(sink, lines(1)[0])
    assert error.retry_after_s == seconds


async def test_double_says_a_date_long_past(double: InfluxDouble) -> None:
    """A date that is over means at once, never a negative wait."""
    past = format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)
    double.script = [Scripted(503, "", {"Retry-After": past})]
    async with sink_of(double) as sink:
        assert (await refuse(sink, lines(1)[0])).retry_after_s == 0


async def test_double_that_is_no_influxdb_stored_nothing(double: InfluxDouble) -> None:
    """A friendly 200 of whatever listens there is no answer of InfluxDB."""
    double.script = [Scripted(200, "welcome")]
    async with sink_of(double) as sink:
        assert "not as InfluxDB does" in str(await refuse(sink, lines(1)[0]))


async def test_double_too_slow_is_unavailable(double: InfluxDouble) -> None:
    """No answer within the timeout means later."""
    double.delay_s = 0.5
    async with sink_of(double, timeout_s=0.05) as sink:
        assert "no answer within 0.05 s" in str(await refuse(sink, lines(1)[0]))


async def test_nobody_there_is_unavailable() -> None:
    """A closed port means later."""
    async with serving("2.8") as gone:
        url = gone.url
    sink = InfluxSink(InfluxSettings(url=url))
    error = await refuse(sink, lines(1)[0])
    await sink.close()
    assert "no connection" in str(error)
    assert url in str(error)


async def test_state_is_told_once_per_change(double: InfluxDouble) -> None:
    """The callback hears the reason, then None, and nothing in between."""
    double.script = [Scripted(503, "down")] * 2
    heard: list[str | None] = []
    sink = InfluxSink(InfluxSettings(url=double.url), heard.append)
    for _ in range(4):
        with contextlib.suppress(SinkUnavailable):
            await sink.write(Privacy.OPEN, lines(1)[0])
    await sink.close()
    assert [state is None for state in heard] == [False, True]
    assert "503 down" in str(heard[0])


class Clock:
    """A clock that the test turns."""

    now = 0.0

    def __call__(self) -> float:
        """The time in seconds."""
        return self.now


async def test_double_failing_on_the_same_bytes_is_searched_after_a_while(double: InfluxDouble) -> None:
    """Before the time all wait, while more lines join them; after it the poisonous one is found, the others stored."""
    double.poison = b"poison"
    batch = b"\n".join([*lines(20), b"environment,poison=1 value=1 1", *lines(40)[20:]])
    clock = Clock()
    sink = InfluxSink(InfluxSettings(url=double.url, quarantine_after_s=900), clock=clock)
    for clock.now in (100, 500, 999):
        assert "500" in str(await refuse(sink, batch[: batch.index(b"\n", 900 + int(clock.now) // 10)]))
    assert double.values(BUCKET, "value") == []
    clock.now = 1000
    rejected = await sink.write(Privacy.OPEN, batch)
    await sink.close()
    assert [line for line, _ in rejected] == [b"environment,poison=1 value=1 1"]
    assert "500" in rejected[0].reason
    assert double.values(BUCKET, "value") == [*range(40)]


async def test_double_failing_on_other_bytes_starts_another_clock(double: InfluxDouble) -> None:
    """How long one batch has failed says nothing about the next."""
    double.poison = b"environment"
    clock = Clock()
    sink = InfluxSink(InfluxSettings(url=double.url, quarantine_after_s=900), clock=clock)
    await refuse(sink, lines(1)[0])
    clock.now = 2000
    await refuse(sink, lines(2)[1])
    assert [line for line, _ in await sink.write(Privacy.OPEN, lines(1)[0])] == lines(1)
    await sink.close()


async def test_double_failing_on_everything_accuses_no_line(double: InfluxDouble) -> None:
    """A server with a full disk fails on each line: they stay, and the next search is a quarantine time away."""
    double.poison = b"environment"
    clock = Clock()
    sink = InfluxSink(InfluxSettings(url=double.url, quarantine_after_s=900), clock=clock)
    batch = b"\n".join(lines(4))
    await refuse(sink, batch)
    clock.now = 900
    assert "fails on each of 4 lines" in str(await refuse(sink, batch))
    asked = len(double.requests)
    await refuse(sink, batch)
    assert len(double.requests) == asked + 1
    double.poison = None
    assert await sink.write(Privacy.OPEN, batch) == []
    await sink.close()


async def test_a_certificate_of_the_wrong_authority_is_refused_and_the_right_one_taken(tmp_path: Path) -> None:
    """`ca_file` decides whom we trust; a file that is none is said so."""
    ours, strangers = trustme.CA(), trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ours.issue_cert("127.0.0.1").configure_cert(context)
    for name, authority in (("ours.pem", ours), ("strangers.pem", strangers)):
        authority.cert_pem.write_to_path(str(tmp_path / name))
    (tmp_path / "none.pem").write_text("no certificate")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        for name, expected in (("strangers.pem", "certificate"), ("none.pem", "ca_file"), ("absent.pem", "ca_file")):
            sink = InfluxSink(InfluxSettings(url=url, ca_file=tmp_path / name))
            assert expected in str(await refuse(sink, lines(1)[0]))
            await sink.close()
        sink = InfluxSink(InfluxSettings(url=url, ca_file=tmp_path / "ours.pem"))
        assert await sink.write(Privacy.OPEN, lines(1)[0]) == []
        await sink.close()
