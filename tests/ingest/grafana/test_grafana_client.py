"""The client of Grafana's annotation API against a double that keeps state."""

import asyncio
import builtins
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme
from pydantic import SecretStr

from ingest.grafana.client import Denied, GrafanaClient, New, Refused, ServerFault
from ingest.settings import GrafanaSettings, SettingsError
from ingest.sink import SinkUnavailable
from tests.doubles.grafana import LOGIN_PAGE, TOKEN, Fault, GrafanaDouble, grafana

FIRE = New(1_800_000_000_000, "Feinstaub über 50 µg/m³ & mehr", ("stadtfunk", "event:1-2", "Straße"))


def client_of(double: GrafanaDouble, token: str = TOKEN, **changes: object) -> GrafanaClient:
    """A client of the double."""
    given = {"url": double.url, "token": SecretStr(token), "timeout_s": 20, **changes}
    return GrafanaClient(GrafanaSettings.model_validate(given))


@pytest.fixture
async def double() -> AsyncIterator[GrafanaDouble]:
    """A Grafana."""
    async with grafana() as found:
        yield found


async def test_what_is_added_is_found_by_its_tag(double: GrafanaDouble) -> None:
    """Time, text and tags arrive as they are; another tag finds nothing."""
    client = client_of(double)
    number = await client.add(FIRE)
    (found,) = await client.find("event:1-2")
    assert (found.id, found.text, found.tags) == (number, FIRE.text, FIRE.tags)
    assert double.kept[number].time == double.kept[number].time_end == FIRE.time_ms
    assert await client.find("event:1-3") == []
    client.close()


async def test_a_change_leaves_alone_what_it_does_not_name(double: GrafanaDouble) -> None:
    """An end makes a span of it and keeps text and tags; text and tags come later."""
    client = client_of(double)
    number = await client.add(FIRE)
    await client.change(number, end_ms=FIRE.time_ms + 5)
    kept = double.kept[number]
    assert (kept.time_end, kept.text, tuple(kept.tags)) == (FIRE.time_ms + 5, FIRE.text, FIRE.tags)
    await client.change(number, tags=["a"], text="b")
    assert (kept.time_end, kept.text, kept.tags) == (FIRE.time_ms + 5, "b", ["a"])
    client.close()


async def test_an_annotation_that_people_deleted_needs_no_change(double: GrafanaDouble) -> None:
    """404 to a PATCH is an answer."""
    client = client_of(double)
    await client.change(77, end_ms=1)
    assert double.requests == [("PATCH", 404)]
    client.close()


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault(400, body='{"message": "bad request data"}'), Refused, "bad request data"),
        (Fault(413), Refused, "413"),
        (Fault(401, body='{"message": "Invalid API key"}'), Denied, r"set grafana\.token"),
        (Fault(403), Denied, "annotations:create"),
        (Fault(404), SinkUnavailable, r"set grafana\.url"),
        (Fault(429), SinkUnavailable, "fewer requests"),
        (Fault(500, body='{"message": "database is locked"}'), ServerFault, "database is locked"),
        (Fault(502, body="<html>Bad\nGateway</html>"), ServerFault, "502"),
        (Fault(301, headers={"Location": "http://127.0.0.1:1/"}), SinkUnavailable, "elsewhere"),
        (Fault(200, body=LOGIN_PAGE, headers={"Content-Type": "text/html"}), SinkUnavailable, "not as Grafana"),
        (Fault(200, body="{}", headers={"Content-Type": "application/json"}), SinkUnavailable, "not as Grafana"),
        (Fault(200, body="{", headers={"Content-Type": "application/json"}), SinkUnavailable, "Grafana at http"),
        (Fault(), SinkUnavailable, "no connection"),
    ],
)
async def test_an_answer_says_whose_fault_it_is(
    double: GrafanaDouble, fault: Fault, kind: type[Exception], words: str
) -> None:
    """Refused for good, to be done again, or a person's affair; one line, with what to do, without the token."""
    client = client_of(double)
    double.faults = [fault]
    with pytest.raises(kind, match=words) as caught:
        await client.add(FIRE)
    assert type(caught.value) is kind
    assert TOKEN not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not double.kept
    assert await client.add(FIRE) == 1
    client.close()


async def test_a_search_that_is_refused_is_nobodys_fault_for_good(double: GrafanaDouble) -> None:
    """400 to a GET is a proxy's or a Grafana's trouble: no annotation can be to blame for it."""
    client = client_of(double)
    double.faults = [Fault(400)]
    with pytest.raises(SinkUnavailable):
        await client.find("a")
    client.close()


async def test_a_wrong_token_and_another_organisation_are_said(double: GrafanaDouble) -> None:
    """Neither appears in the message; with the right ones it goes."""
    for client in (client_of(double, "glsa_wrong"), client_of(double, organisation=2)):
        with pytest.raises(Denied, match="Unauthorized") as caught:
            await client.find("a")
        assert "glsa" not in str(caught.value)
        client.close()
    right = client_of(double, organisation=1)
    assert await right.find("a") == []
    right.close()


async def test_a_token_that_no_header_carries_stays_out_of_the_message(double: GrafanaDouble) -> None:
    """A line break in it is an error that names no secret."""
    client = client_of(double, "glsa_a\nb")
    with pytest.raises(SinkUnavailable) as caught:
        await client.find("a")
    assert "glsa" not in str(caught.value)
    client.close()


async def test_nobody_there_is_said_in_one_line() -> None:
    """The first cause, not urllib3's chain of them."""
    async with grafana() as double:
        pass
    client = client_of(double)
    with pytest.raises(SinkUnavailable, match=r"no connection: .*Connection refused"):
        await client.find("a")
    client.close()


async def test_a_slow_grafana_is_given_up_and_not_asked_twice_at_once(double: GrafanaDouble) -> None:
    """The wait until the next attempt is at least the time limit, for the request may yet be carried out."""
    client = client_of(double, timeout_s=0.2)
    double.delay_s = 1.0
    with pytest.raises(SinkUnavailable, match=r"no answer within 0\.2 s") as caught:
        await client.add(FIRE)
    assert caught.value.retry_after_s == 0.2
    client.close()


async def test_a_grafana_that_drips_is_given_up_as_a_whole() -> None:
    """Each byte in time and no end: the request ends all the same, and no other begins beside it."""

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
        try:
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)
        except OSError:
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = GrafanaClient(GrafanaSettings(url=f"http://127.0.0.1:{port}", timeout_s=0.2))
    with pytest.raises(SinkUnavailable, match="no answer"):
        await client.find("a")
    with pytest.raises(SinkUnavailable, match="has not ended"):
        await client.find("a")
    server.close()


async def test_a_client_that_is_cancelled_holds_nobody_up(double: GrafanaDouble) -> None:
    """The wait ends at once; what became of the request nobody hears."""
    client = client_of(double)
    double.delay_s = 5
    asking = asyncio.create_task(client.find("a"))
    await double.begun.wait()
    begun_s = time.monotonic()
    asking.cancel()
    await asyncio.wait([asking])
    assert asking.cancelled()
    assert time.monotonic() - begun_s < 3
    client.close()


async def test_certificates_are_checked(tmp_path: Path) -> None:
    """Ours are trusted when they are set, strangers' never, and a file of no use is named."""
    ours, strangers = trustme.CA(), trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ours.issue_cert("127.0.0.1").configure_cert(server)
    files = {}
    for name, authority in (("ours", ours), ("strangers", strangers)):
        files[name] = tmp_path / f"{name}.pem"
        authority.cert_pem.write_to_path(str(files[name]))
    files["empty"] = tmp_path / "empty.pem"
    files["empty"].touch()
    async with grafana(tls=server) as double:
        client = client_of(double, ca_file=files["ours"])
        assert await client.find("a") == []
        client.close()
        for given, words in (("strangers", "no connection: .*CERT"), ("empty", r"grafana\.ca_file.*empty\.pem")):
            client = client_of(double, ca_file=files[given])
            with pytest.raises(SinkUnavailable, match=words):
                await client.find("a")
            client.close()
        client = client_of(double)
        with pytest.raises(SinkUnavailable, match="CERT"):
            await client.find("a")
        client.close()


async def test_a_path_in_the_url_is_kept_and_proxies_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Grafana behind a path, with and without a slash at its end, whatever proxy the environment names."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with grafana(path="/ops/grafana") as double:
        for url in (double.url, f"{double.url}/"):
            client = GrafanaClient(GrafanaSettings(url=url, token=SecretStr(TOKEN)))
            assert await client.find("a") == []
            client.close()
    assert double.requests == [("GET", 200), ("GET", 200)]


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that names the key, and no traceback of an import."""
    usual = builtins.__import__

    def refuse(name: str, *parts: object, **named: object) -> object:
        if name.startswith("grafana_client"):
            raise ImportError(name)
        return usual(name, *parts, **named)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(SettingsError, match=r"grafana\.url: the extra `grafana` is not installed"):
        GrafanaClient(GrafanaSettings(url="http://127.0.0.1:3000"))
