"""What a device does and answers when the network server asks; expected bytes by LoRaWAN 1.0.3, §5."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.lorawan import mac, region
from simulator.lorawan.frame import JoinAccept
from simulator.lorawan.mac import Command, DeviceStatus, commands, obey
from simulator.lorawan.region import Tuned
from simulator.lorawan.settings import Channel, RadioSettings

STATUS = DeviceStatus(200, -3)
PLAIN = RadioSettings()
CHANNELS = (867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000)
JOINED = PLAIN.joined(JoinAccept(1, 0, "01020304", 2, 3, 5, CHANNELS))


def answered(settings: RadioSettings, options: str) -> tuple[RadioSettings, str]:
    """Settings and answers in hex."""
    after, answers = obey(settings, bytes.fromhex(options), STATUS)
    return after, b"".join(bytes((answer.cid,)) + answer.body for answer in answers).hex()


def test_a_session_begins_with_what_the_join_accept_says() -> None:
    """Eight channels, RX1 after 5 s two rates lower, RX2 at data rate 3; RX1 on the uplink's own frequency."""
    assert sorted(channel.frequency_hz for channel in JOINED.channels.values()) == sorted(
        (*region.DEFAULT_CHANNELS_HZ, *CHANNELS)
    )
    assert JOINED.enabled == frozenset(range(8))
    assert (JOINED.rx1_delay_s, JOINED.rx2) == (5, Tuned(869_525_000, 9))
    assert JOINED.rx1(Tuned(867_500_000, 7)) == Tuned(867_500_000, 9)
    assert JOINED.rx1(Tuned(867_500_000, 12)) == Tuned(867_500_000, 12)


def test_link_adr() -> None:
    """Rate 5, power 3, eight channels, three repetitions: all taken, 0x07."""
    after, answer = answered(JOINED, "03" + "53ff0003")
    assert answer == "0307"
    assert (after.data_rate, after.power, after.transmissions) == (5, 3, 3)
    assert after.enabled == frozenset(range(8))


@pytest.mark.parametrize(
    ("body", "bits"),
    [
        ("63ff0001", "05"),  # rate 6: this device has none
        ("59ff0001", "03"),  # power 9: there is none
        ("53ff0101", "06"),  # channel 8: not known
        ("53000001", "04"),  # no channel at all, so that no rate has one either
        ("53ff0021", "06"),  # a control that the region does not have
        ("69ff0101", "00"),
    ],
)
def test_link_adr_refused(body: str, bits: str) -> None:
    """What cannot be is refused by its bit, and nothing of the command is done."""
    assert answered(JOINED, "03" + body) == (JOINED, "03" + bits)


def test_link_adr_keeps() -> None:
    """0xF for rate and power keeps them; control 6 turns on every channel; 0 repetitions are one."""
    before = replace(JOINED, data_rate=4, power=2, enabled=frozenset({0}))
    after, answer = answered(before, "03" + "ff000060")
    assert answer == "0307"
    assert (after.data_rate, after.power, after.transmissions, after.enabled) == (4, 2, 1, frozenset(range(8)))


def test_link_adr_in_blocks() -> None:
    """Several in a row are one command: each gets the same answer, the last one's rate counts."""
    after, answer = answered(JOINED, "03" + "11070001" + "03" + "41030001")
    assert answer == "03070307"
    assert (after.data_rate, after.enabled) == (4, frozenset({0, 1}))
    assert answered(JOINED, "03" + "11000201" + "03" + "41030001") == (JOINED, "03060306")


def test_status() -> None:
    """Battery and margin, six bits with sign."""
    assert answered(PLAIN, "06") == (PLAIN, "06c83d")


def test_receive_windows() -> None:
    """RX parameters, delay and duty cycle are taken; each answer has the form that the network waits for."""
    after, answer = answered(PLAIN, "05" + "23" + "d2ad84" + "08" + "03" + "04" + "02")
    assert answer == "05" + "07" + "08" + "04"
    assert (after.rx1_dr_offset, after.rx2, after.rx1_delay_s) == (2, Tuned(869_525_000, 9), 3)
    assert after.duty_cycle == 2
    assert answered(PLAIN, "08" + "00")[0].rx1_delay_s == 1


@pytest.mark.parametrize(
    ("body", "bits"), [("63d2ad84", "03"), ("27d2ad84", "05"), ("23000000", "06"), ("67ffffff", "00")]
)
def test_receive_windows_refused(body: str, bits: str) -> None:
    """An offset, a rate or a frequency that the region does not have changes nothing."""
    assert answered(PLAIN, "05" + body) == (PLAIN, "05" + bits)


def test_new_channels() -> None:
    """A channel comes and goes; the default ones stay what they are."""
    after, answer = answered(PLAIN, "07" + "03" + "184f84" + "50")
    assert answer == "0703"
    assert after.channels[3] == Channel(867_100_000, 0, 5)
    assert after.enabled == frozenset({0, 1, 2, 3})
    gone, answer = answered(after, "07" + "03" + "000000" + "50")
    assert answer == "0703"
    assert gone == PLAIN
    alone = replace(after, enabled=frozenset({3}))
    assert answered(alone, "07" + "03" + "000000" + "50")[0].enabled == frozenset({0, 1, 2})
    assert answered(PLAIN, "07" + "00" + "184f84" + "50") == (PLAIN, "0702")
    assert answered(PLAIN, "07" + "10" + "184f84" + "50") == (PLAIN, "0702")
    assert answered(PLAIN, "07" + "03" + "184f84" + "70") == (PLAIN, "0701")
    assert answered(PLAIN, "07" + "03" + "010000" + "05") == (PLAIN, "0700")


def test_downlink_channel() -> None:
    """RX1 moves to another frequency, for a channel that there is."""
    after, answer = answered(PLAIN, "0a" + "01" + "184f84")
    assert answer == "0a03"
    assert after.rx1(Tuned(868_300_000, 7)) == Tuned(867_100_000, 7)
    assert after.rx1(Tuned(868_100_000, 7)) == Tuned(868_100_000, 7)
    assert answered(PLAIN, "0a" + "07" + "184f84") == (PLAIN, "0a01")
    assert answered(PLAIN, "0a" + "01" + "000000") == (PLAIN, "0a02")


def test_what_needs_no_answer() -> None:
    """Answers to a device's own questions, and a command that the region does not have, are passed over."""
    assert answered(PLAIN, "02" + "0a01" + "0d" + "0102030405" + "09" + "05" + "06") == (PLAIN, "06c83d")


def test_the_answer_to_a_link_check() -> None:
    """It is found behind other commands; cut, or as another command's body, it is none."""
    told = [mac.checks_link(bytes.fromhex(options)) for options in ("020a01", "06" + "0a0002026d" + "020001", "020a")]
    assert told == [True, True, False]
    assert not mac.checks_link(bytes.fromhex("0d" + "0202020202"))


def test_unknown_commands_end_the_list() -> None:
    """Behind an unknown or cut command nothing can be told apart any more."""
    assert list(commands(bytes.fromhex("06ff06"))) == [Command(mac.DEV_STATUS, b"")]
    assert list(commands(bytes.fromhex("0603ff"))) == [Command(mac.DEV_STATUS, b"")]


@given(st.binary(max_size=60))
def test_any_options(options: bytes) -> None:
    """Whatever comes, the device can still be reached: rate, channels and windows are ones that it has."""
    after, _ = obey(JOINED, options, STATUS)
    assert 0 <= after.data_rate <= region.FASTEST
    assert after.enabled
    assert after.enabled <= after.channels.keys()
    assert after.rx2.spreading_factor in region.SPREADING_FACTORS
    assert 1 <= after.rx1_delay_s <= 15
    assert all(region.usable(after.rx1(Tuned(c.frequency_hz, 7)).frequency_hz) for c in after.channels.values())


@pytest.mark.parametrize(("spreading_factor", "seconds"), [(7, 0.0617), (8, 0.1132), (9, 0.2058), (12, 1.4828)])
def test_time_on_air(spreading_factor: int, seconds: float) -> None:
    """23 bytes take as long as Semtech's and The Things Network's calculators say."""
    assert region.airtime_s(23, spreading_factor) == pytest.approx(seconds, abs=0.00005)


def test_long_payloads_need_a_faster_rate() -> None:
    """51 bytes fit the slowest rate, 52 do not; nothing makes 223 bytes fit."""
    assert [region.fitting(0, size) for size in (51, 52, 115, 116, 222, 223)] == [0, 3, 3, 4, 4, 5]
    assert region.fitting(5, 10) == 5
