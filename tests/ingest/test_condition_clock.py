"""Times that cannot be, inside the service: logs of devices whose clock was never set, gateways without a clock."""

from pathlib import Path

import pytest

from decoders.quantity import Privacy
from ingest import journal_raw
from ingest.journal_records import RawMessage
from ingest.replay.decode_again import Decoder
from ingest.settings import Settings, load
from tests.ingest.bench import Bench, running
from tests.ingest.replays import reading
from tests.ingest.thermometer import DAY, MINUTE, PRESENT, record, thermometer_settings, uplink
from tests.ingest.uplinks import NOW


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The thermometer's city."""
    return thermometer_settings(tmp_path)


async def points(bench: Bench) -> dict[int, tuple[str, str]]:
    """Asset and fields of the readings by their time, from now, in ms."""
    found = {}
    for line in await bench.lines():
        series, values, time_ms = line.split(" ")
        if series.startswith("environment,"):
            found[int(time_ms) - NOW] = series.partition("asset=")[2].partition(",")[0], values
    return found


LATER = NOW + 500 * MINUTE
"""What time it is when uplinks are taken: a backlog."""
DOUBTFUL = "air_temperature={},air_temperature_quality=5,air_humidity=60.0,air_humidity_quality=5"


async def test_a_log_of_1970_stands_beside_its_uplink_with_a_flag(settings: Settings) -> None:
    """Nothing is lost, nothing looks true, nothing is written over another; what has a time is where it belongs."""
    log = record(3_600_000, 1) + record(946_684_800_000, 2) + record(NOW - DAY, 3) + record(NOW + 2 * DAY, 4)
    async with running(settings, LATER) as bench:
        await bench.send(uplink(PRESENT + log))
        assert await points(bench) == {
            0: ("roof", "air_temperature=23.0,air_humidity=50.0"),
            -DAY: ("roof", "air_temperature=3.0,air_humidity=60.0"),
            -1: ("roof", DOUBTFUL.format("4.0")),
            -2: ("roof", DOUBTFUL.format("2.0")),
            -3: ("roof", DOUBTFUL.format("1.0")),
        }
        assert await bench.letters() == []


async def test_a_log_without_a_present_is_kept_likewise(settings: Settings) -> None:
    """One record alone, and nothing of it is remembered."""
    async with running(settings, LATER) as bench:
        await bench.send(uplink(record(3_600_000, 60)), uplink(PRESENT, f_cnt=1))
        assert await points(bench) == {
            -1: ("roof", DOUBTFUL.format("60.0")),
            MINUTE: ("roof", "air_temperature=23.0,air_humidity=50.0"),
        }


async def test_the_limit_is_a_setting(settings: Settings) -> None:
    """A log of two years, for those who keep one; nothing is older than 2015."""
    rules = load(rules={"condition": {"oldest_days": 800}}).rules
    log = record(NOW - 700 * DAY, 5) + record(3_600_000, 1)
    async with running(settings.model_copy(update={"rules": rules}), LATER) as bench:
        await bench.send(uplink(log))
        found = await points(bench)
        assert found == {
            -700 * DAY: ("cellar", "air_temperature=5.0,air_humidity=60.0"),
            -1: ("roof", DOUBTFUL.format("1.0")),
        }


async def test_a_gateway_without_a_clock_is_not_asked_for_the_time(settings: Settings) -> None:
    """Its uplink is of now, as the network server says, and its values are sound."""
    async with running(settings, LATER) as bench:
        await bench.send(uplink(PRESENT, gateway_ms=3_600_000))
        assert await points(bench) == {0: ("roof", "air_temperature=23.0,air_humidity=50.0")}
        assert [line.split(" ")[2] for line in await bench.lines() if line.startswith("link,")] == [str(NOW)]


async def test_a_replay_says_the_same(settings: Settings) -> None:
    """Times, flags and places are those of the first time; so are they in what was never taken (a backfill)."""
    log = record(3_600_000, 1) + record(NOW - DAY, 3) + record(946_684_800_000, 2)
    messages = [uplink(PRESENT + log), uplink(record(0, 4), f_cnt=1), uplink(PRESENT, f_cnt=2, gateway_ms=3_600_000)]
    async with running(settings, LATER) as bench:
        await bench.send(*messages)
        written = {line for line in await bench.lines() if line.startswith("environment,")}
        assert len(written) == 6
        with reading(settings) as connection:
            decoder = Decoder(settings, bench.service.city)
            kept = [item.message for item in journal_raw.read(connection, 0, journal_raw.LAST, lambda _: None)]
            assert [decoder.parse(each).time_ms for each in kept] == [NOW, NOW + MINUTE, NOW + 2 * MINUTE]
            assert {line.text for each in kept for line in decoder.lines(decoder.parse(each))} == written
        decoder = Decoder(settings, bench.service.city)
        again: set[str] = set()
        for number, message in enumerate(messages):
            parsed = decoder.parse(RawMessage(message.topic, message.payload, NOW + number * MINUTE, Privacy.INTERNAL))
            again |= {line.text for line in decoder.lines(decoder.settled(parsed))}
        assert again == written
