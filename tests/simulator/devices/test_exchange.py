"""Confirmed uplinks, repeats, and what is told after an outage."""

from itertools import pairwise

import pytest

from ingest.chirpstack import LogEvent, parse
from simulator.chirpstack import Encoding, payload
from simulator.device import NS_PER_S, TRANSMISSIONS
from simulator.devices import answers
from simulator.devices.transmitter import WINDOWS_NS
from simulator.lorawan.region import LONGEST_PAYLOADS
from tests.simulator.devices.single import HOUR_NS, MINUTE_NS, START_NS, Played, always, device, never

MODEL = "milesight/em300-th"


def test_an_answered_uplink_is_sent_once() -> None:
    """A confirmed uplink that is answered goes out once, and says in its event that it was confirmed."""
    made = device("bosch/tps110")
    made.confirmed = True
    played = Played(made, always, always)
    played.report(START_NS + MINUTE_NS)
    played.run()
    assert len(played.sent) == len(played.heard) == 1
    event = parse("up", payload(played.heard[0], "json"))
    assert getattr(event, "confirmed", None) is True
    assert (played.repeated, played.unanswered) == (0, 0)


@pytest.mark.parametrize("reached", [True, False])
def test_an_unanswered_uplink_is_repeated(reached: bool) -> None:
    """Eight times in all, with one counter and payload, slower after each two, a second or more behind the windows."""
    made = device("bosch/tps110", reached=reached)
    made.confirmed = True
    first = made.link.spreading_factor
    played = Played(made, never, always)
    played.report(START_NS + MINUTE_NS)
    played.run()
    assert len(played.sent) == TRANSMISSIONS
    assert len({(up.f_cnt, up.data, up.confirmed) for up in played.sent}) == 1
    assert [up.attempt for up in played.sent] == list(range(1, 9))
    wanted = [min(12, first + number // 2) for number in range(TRANSMISSIONS)]
    assert [up.spreading_factor for up in played.sent] == wanted
    assert len({up.deduplication_id for up in played.sent}) == TRANSMISSIONS
    flights = [up.flight for up in played.sent if up.flight is not None]
    for before, after in pairwise(flights):
        pause_ns = after.start_ns - before.start_ns - before.airtime_ns - WINDOWS_NS
        assert pause_ns >= NS_PER_S
    assert (played.repeated, played.unanswered, played.heard) == (TRANSMISSIONS - 1, 1, [])


@pytest.mark.parametrize("encoding", ["json", "protobuf"])
def test_a_repeat_is_logged_and_no_uplink(encoding: Encoding) -> None:
    """When only the answers are lost, the first frame is the uplink, and each of the others a warning in the log."""
    made = device("bosch/tps110")
    made.confirmed = True
    played = Played(made, always, never)
    played.report(START_NS + MINUTE_NS)
    played.run()
    assert len(played.heard) == 1
    repeats = [up for up in played.sent if up.attempt > 1 and up.copies]
    assert len(played.logs) == len(repeats) > 3
    event = parse("log", answers.payload(played.logs[0], encoding))
    assert isinstance(event, LogEvent)
    assert (event.level, event.code) == ("WARNING", "UPLINK_F_CNT_RETRANSMISSION")
    assert event.context == {"deduplication_id": repeats[0].deduplication_id, "f_cnt_up": "0"}


def test_something_newer_ends_the_repeats() -> None:
    """A frame that came up meanwhile goes out in place of further repeats, so that counters never go back."""
    made = device("bosch/tps110")
    made.confirmed = True
    played = Played(made, never, always)
    played.report(START_NS + MINUTE_NS)
    played.report(START_NS + MINUTE_NS + 8 * NS_PER_S)
    played.run()
    counters = [up.f_cnt for up in played.sent]
    assert counters == sorted(counters)
    assert 1 < counters.count(0) < TRANSMISSIONS
    assert counters.count(1) == TRANSMISSIONS
    starts = [up.flight.start_ns for up in played.sent if up.flight is not None]
    assert starts == sorted(starts)


@pytest.mark.parametrize("confirmed", [True, False])
@pytest.mark.parametrize("reached", [True, False])
def test_an_outage_is_told_afterwards(confirmed: bool, reached: bool) -> None:
    """Readings of two hours without a gateway come once it is back, each with the second in which it was taken."""
    made, near = device(MODEL, reached=reached), device(MODEL)
    made.confirmed = confirmed
    back_ns = START_NS + 2 * HOUR_NS
    played = Played(made, lambda time_ns: time_ns >= back_ns, always)
    times = [START_NS + number * 10 * MINUTE_NS for number in range(1, 20)]
    for time_ns in times:
        played.report(time_ns)
    played.at(back_ns - 1, lambda _: setattr(made, "_link", near.link))
    played.at(back_ns - 1, lambda _: setattr(made._transmitter, "_link", near.link))
    played.run()
    missed = [time_ns for time_ns in times if time_ns < back_ns]
    told = [
        measurement.time_ms
        for up in played.heard
        if up.history
        for measurement in made.codec.decode(up.f_port, up.data, up.time_ns // 1_000_000)
    ]
    assert sorted(told) == [made.clock.shows_ns(time_ns) // NS_PER_S * 1000 for time_ns in missed]
    assert played.history == sum(bool(up.history) for up in played.sent) > 0
    assert not made.remembers
    assert min(up.made_ns for up in played.heard if up.history) >= back_ns
    assert (played.unanswered > 0) is confirmed


def test_a_history_that_does_not_fit_is_no_frame() -> None:
    """While the data rate has no room for what is kept nothing is sent, nothing is counted, and it stays."""
    made = device(MODEL)
    made._keep(85, bytes.fromhex("0367fa00046870"), START_NS)
    played = Played(made, always, always)
    room = (4,) * len(LONGEST_PAYLOADS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("simulator.device.LONGEST_PAYLOADS", room)
        played.report(START_NS + MINUTE_NS)
        played.run()
    assert (len(played.sent), played.history, made.remembers) == (1, 0, True)
    played.report(START_NS + 2 * MINUTE_NS)
    played.run()
    assert (len(played.sent), played.history, made.remembers) == (3, 1, False)


def test_who_cannot_tell_later_does_not_ask() -> None:
    """A device whose format has no earlier times, and that does not confirm, sends once and forgets."""
    made = device("bosch/tps110")
    played = Played(made, never, always)
    played.report(START_NS + MINUTE_NS)
    played.run()
    assert (len(played.sent), made.asks, made.remembers) == (1, False, False)


def test_what_is_lost_again_is_told_again() -> None:
    """Earlier readings stay until somebody has them: a frame that is lost is built anew, and nothing comes twice."""
    made = device(MODEL)
    dark = ((0, 65 * MINUTE_NS), (70.1 * MINUTE_NS, 75 * MINUTE_NS))
    played = Played(made, lambda time_ns: not any(begin <= time_ns - START_NS < end for begin, end in dark), always)
    for number in range(1, 20):
        played.report(START_NS + number * 10 * MINUTE_NS)
    played.run()
    lost = [up for up in played.sent if up.history and up not in played.heard]
    told = [time_ms for up in played.heard for time_ms in up.history]
    assert len(lost) == 1
    assert sorted(told) == sorted(set(told))
    assert len(told) == 6
    assert not made.remembers


def test_a_repeat_is_not_answered() -> None:
    """When the first answer is lost, repeats get none, though answers could go out: the device gives up."""
    made = device("bosch/tps110")
    made.confirmed = True
    asked: list[int] = []

    def later(time_ns: int) -> bool:
        asked.append(time_ns)
        return len(asked) > 1

    played = Played(made, always, later)
    played.report(START_NS + MINUTE_NS)
    played.run()
    assert (len(played.sent), played.unanswered, len(asked)) == (TRANSMISSIONS, 1, 1)
