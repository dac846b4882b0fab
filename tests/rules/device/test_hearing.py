"""What uplinks say of their device: lost frames, restarts, intervals, margins, the ledger of the day."""

import json
from typing import Any

import pytest

from decoders.quantity import Privacy
from rules.device.config import DeviceRules
from rules.device.health import PROBLEMS, found, names
from rules.device.hearing import MAX_GAP, Heard, hear
from rules.device.record import About, Battery, Record, dump, dump_one, load, load_one

RULES = DeviceRules()
ABOUT = About("device 1", "bosch/tps110", "city", "lot-1", "", "", Privacy.OPEN)
MINUTE = 60_000
T0 = 1_800_000_000_000


def heard(minute: float, f_cnt: int, **changes: Any) -> Heard:  # noqa: ANN401 - any field of Heard
    """An uplink so many minutes after the first."""
    fields: dict[str, Any] = {
        "about": ABOUT,
        "ns_time_ms": T0 + int(minute * MINUTE),
        "day": 20_000,
        "day_begin_ms": T0,
        "f_cnt": f_cnt,
        "dev_addr": "01020304",
        "gateway": "g1",
        "margin_db": 10.0,
        "offset_ms": 0,
        "level": None,
        "volts": False,
        "low": None,
        "empty": None,
        "stored": True,
        "counts": True,
    }
    return Heard(**{**fields, **changes})


def after(*uplinks: Heard) -> Record:
    """The record after these uplinks."""
    record = None
    for uplink in uplinks:
        record = hear(RULES, record, uplink).record
    assert record is not None
    return record


def test_a_gap_of_the_counter_is_lost_frames() -> None:
    """Counters 0, 1, 4: two frames lost just before the third uplink."""
    record = after(heard(0, 0), heard(10, 1))
    record, lost = hear(RULES, record, heard(40, 4))
    assert lost == 2
    assert record.day[1:6] == (3, 2, 0, 0, 3)


def test_a_late_frame_was_not_lost() -> None:
    """Counter 2 arrives after 3, taken by the network server before it: nothing was lost, time does not go back."""
    record = after(heard(0, 0), heard(10, 1), heard(30, 3), heard(20, 2))
    assert record.day.lost == 0
    assert (record.last_ms, record.f_cnt) == (T0 + 30 * MINUTE, 3)


def test_lost_frames_do_not_stretch_the_interval() -> None:
    """A device of ten minutes that loses every second frame has an interval of ten minutes."""
    record = after(*(heard(20 * n, 2 * n) for n in range(20)))
    assert record.interval_ms == 10 * MINUTE


@pytest.mark.parametrize(("f_cnt", "reset"), [(0, True), (9, True), (10, False), (10 + MAX_GAP, False)])
def test_a_counter_that_begins_again_is_noticed(f_cnt: int, reset: bool) -> None:
    """The same address with the same or a smaller counter: a restart without a join; a huge jump is no loss."""
    record, lost = hear(RULES, after(*(heard(n, n) for n in range(10))), heard(10, f_cnt))
    assert ("f_cnt_reset" in names(found(RULES, record))) is reset
    assert lost == 0


def test_a_join_lets_the_counter_begin_again() -> None:
    """After a join, or with another address, a small counter is expected; frames before it were lost."""
    before = after(heard(0, 100), heard(10, 101))
    joined = before._replace(joined_ms=T0 + 15 * MINUTE)
    for record, lost in (
        hear(RULES, joined, heard(20, 1)),
        hear(RULES, before, heard(20, 1, dev_addr="0a0b0c0d")),
    ):
        assert not record.reset_ms
        assert lost == 1


def test_a_quiet_night_is_learned_and_slowly_forgotten() -> None:
    """A parking sensor with forty events by day and eight hours of night: the night is no silence."""
    record, minute, f_cnt = after(heard(0, 0)), 0.0, 0
    for _ in range(10):
        for gap in [*[20.0] * 40, 480.0]:
            minute, f_cnt = minute + gap, f_cnt + 1
            record = hear(RULES, record, heard(minute, f_cnt)).record
    for n in range(1, 41):
        record = hear(RULES, record, heard(minute + 20 * n, f_cnt + n)).record
    assert RULES.silent_factor * record.interval_ms > 480 * MINUTE


def test_an_outage_is_not_learned_as_the_interval() -> None:
    """After five days off a device of ten minutes is expected within the hour or so."""
    record = after(*(heard(10 * n, n) for n in range(20)), heard(7400, 20))
    assert record.interval_ms <= 25 * MINUTE


def test_the_clock_is_held_against_the_network_server() -> None:
    """Six minutes off either way is implausible, four are not."""
    for minutes, implausible in ((6, True), (-6, True), (4, False)):
        record = after(heard(0, 0, offset_ms=minutes * MINUTE))
        assert (names(found(RULES, record)) == ("clock_implausible",)) is implausible


def test_a_weak_link_needs_ten_uplinks_and_clears_later() -> None:
    """2 dB of mean margin is weak from the tenth uplink on; it is said until the mean is 5 dB."""
    weak = [heard(n, n, margin_db=2.0) for n in range(10)]
    assert names(found(RULES, after(*weak[:9]))) == ()
    record = after(*weak)
    assert names(found(RULES, record)) == ("link_weak",)
    said = record._replace(problems=found(RULES, record))
    four = hear(RULES, said._replace(margin_db=4.0), heard(11, 11, margin_db=4.0)).record
    assert names(found(RULES, four)) == ("link_weak",)
    six = hear(RULES, said._replace(margin_db=6.0), heard(11, 11, margin_db=6.0)).record
    assert names(found(RULES, six)) == ()


def test_dead_letters_and_devices_that_do_not_count() -> None:
    """What could not be decoded was received; a device that does not count has no ledger, but is followed."""
    record = after(heard(0, 0), heard(1, 1, stored=False))
    assert record.day[1:6] == (2, 0, 0, 1, 1)
    record = after(heard(0, 0, counts=False), heard(1, 5, counts=False))
    assert record.day[1:6] == (0, 0, 0, 0, 0)
    assert record.f_cnt == 5


def test_a_short_look_never_hides_a_problem() -> None:
    """Whatever one check alone finds is found among all."""
    well = after(*(heard(n, n) for n in range(12)))
    assert found(RULES, well) == 0
    worn = Battery(5.0, None, None, volts=False, first_day=0, day=0, total=5.0, readings=1)
    troubles: dict[str, Record] = {
        "silent": well._replace(silent=True),
        "battery_low": well._replace(battery=worn),
        "link_weak": well._replace(margin_db=1.0),
        "f_cnt_reset": well._replace(reset_ms=well.last_ms),
        "clock_implausible": well._replace(offset_ms=-10 * MINUTE),
    }
    assert tuple(troubles) == tuple(problem.name for problem in PROBLEMS)
    for name, record in troubles.items():
        assert names(found(RULES, record)) == (name,)


def test_frames_lost_before_midnight_are_not_expected_of_the_new_day() -> None:
    """Away from six hours before midnight to two hours after: three quarters of the loss belong to the day before."""
    record = after(*(heard(10 * n, n) for n in range(10)))
    midnight_ms = record.last_ms + 360 * MINUTE
    record, lost = hear(RULES, record, heard(570, 57, day_begin_ms=midnight_ms))
    assert lost == 47
    assert (record.day.lost, record.day.earlier) == (47, 35)


@pytest.mark.parametrize(("unread", "lost"), [(0, 3), (2, 1), (5, 0)])
def test_frames_that_nobody_could_read_are_not_lost(unread: int, lost: int) -> None:
    """A gap of three frames less those that came unread; never below nothing, and the next gap is whole."""
    before = after(heard(0, 0), heard(10, 1))._replace(unread=unread)
    record, found_lost = hear(RULES, before, heard(50, 5))
    assert (found_lost, record.day.lost, record.unread) == (lost, lost, 0)
    assert hear(RULES, record, heard(80, 8)).lost == 2


def test_a_day_has_the_name_it_began_with() -> None:
    """Renamed twice, and back: the first name stays; an uplink overtaken by a newer one changes none."""
    second, third = ABOUT._replace(name="device 2"), ABOUT._replace(name="device 3")
    record = after(heard(0, 0), heard(10, 1, about=second))
    assert (record.about, record.day_about) == (second, ABOUT)
    for about in (third, ABOUT):
        record = hear(RULES, record, heard(20, 2, about=about)).record
        assert (record.about, record.day_about) == (about, ABOUT)
    assert after(heard(0, 0), heard(10, 1)).day_about is None


def test_a_record_without_the_newer_fields_is_read() -> None:
    """As it was written before there were any; and one with all of them comes back whole."""
    record = after(heard(0, 0), heard(10, 1, level=80.0))
    form, fields = json.loads(dump_one(record))
    assert load_one(json.dumps([form, fields[:20]]).encode()) == record
    whole = record._replace(unread=2, day_about=ABOUT._replace(name="device 0"))
    assert load_one(dump_one(whole)) == whole
    assert load(dump({"a": whole})) == {"a": whole}


def test_where_and_how_it_was_heard_last_is_known() -> None:
    """Application and data rate are the newest uplink's; one that comes late changes neither."""
    record = after(heard(0, 0, application_id="a", data_rate=0))
    assert (record.application_id, record.data_rate) == ("a", 0)
    record = hear(RULES, record, heard(10, 1, application_id="b", data_rate=5, stored=False)).record
    record = hear(RULES, record, heard(5, 1, application_id="a", data_rate=0)).record
    assert (record.application_id, record.data_rate) == ("b", 5)
    assert load_one(dump_one(record)) == record
    assert load(dump({"d": record})) == {"d": record}


def test_a_record_of_before_knows_no_application() -> None:
    """A record that was kept without these fields has none of them; the next uplink brings them."""
    form, fields = json.loads(dump_one(after(heard(0, 0, application_id="a", data_rate=5))))
    record = load_one(json.dumps([form, fields[:-2]]).encode())
    assert (record.application_id, record.data_rate) == ("", None)
    assert record._replace(application_id="a", data_rate=5) == after(heard(0, 0, application_id="a", data_rate=5))
