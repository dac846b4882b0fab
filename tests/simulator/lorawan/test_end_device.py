"""One device on the air: joins, counts, answers, repeats, and helps itself when it hears nothing."""

from random import Random

import pytest

from simulator.lorawan import frame, region
from simulator.lorawan.crypto import Direction, SessionKeys, session_keys
from simulator.lorawan.end_device import Credentials, EndDevice, Session
from simulator.lorawan.error import FrameError
from simulator.lorawan.frame import Data, JoinAccept
from simulator.lorawan.mac import DeviceStatus
from simulator.lorawan.region import Tuned

KEY = bytes(range(16))
WHO = Credentials("025354464b000001", "025354464b000000", KEY)
KEYS = SessionKeys(b"n" * 16, b"a" * 16)
ADDRESS = "01020304"


def personalised(f_cnt_up: int = 0, next_down: int = 0) -> EndDevice:
    """A device with a session from its maker."""
    session = Session(ADDRESS, KEYS, f_cnt_up, next_down)
    return EndDevice(WHO, Random(1), session=session, status=lambda: DeviceStatus(100, 7))


def sent(phy: bytes, f_cnt: int = 0) -> Data:
    """What the network reads."""
    return frame.read_data(phy, KEYS, f_cnt)


def down(
    f_cnt: int,
    f_port: int | None = None,
    payload: bytes = b"",
    *,
    f_opts: bytes = b"",
    confirmed: bool = False,
    ack: bool = False,
) -> bytes:
    """A frame of the network's."""
    plain = Data(Direction.DOWN, ADDRESS, f_cnt, f_port, payload, confirmed=confirmed, f_opts=f_opts, ack=ack)
    return frame.write_data(plain, KEYS)


def sent_down(f_cnt: int) -> Data:
    """An acknowledgement as the device reads it."""
    return Data(Direction.DOWN, ADDRESS, f_cnt, ack=True)


def test_joins() -> None:
    """Request, accept, and a first uplink with keys that the network works out by itself."""
    device = EndDevice(WHO, Random(1), data_rate=3)
    with pytest.raises(FrameError, match="has not joined"):
        device.uplink(1, b"")
    request = frame.read_join_request(device.join_request(), KEY)
    assert (request.dev_eui, request.join_eui) == WHO[:2]
    assert device.windows(Tuned(868_100_000, 9)) == (
        (5, Tuned(868_100_000, 9)),
        (6, Tuned(869_525_000, 12)),
    )
    accept = frame.write_join_accept(JoinAccept(7, 0, ADDRESS, rx2_data_rate=3, rx1_delay_s=2), KEY)
    assert device.joining
    received = device.receive(accept)
    assert received is not None
    assert received.joined
    assert not device.joining
    keys = session_keys(KEY, 7, 0, request.dev_nonce)
    found = frame.read_data(device.uplink(5, b"hello"), keys, 0)
    assert (found.dev_addr, found.f_cnt, found.f_port, found.payload) == (ADDRESS, 0, 5, b"hello")
    assert device.windows(Tuned(868_100_000, 9)) == ((2, Tuned(868_100_000, 9)), (3, Tuned(869_525_000, 9)))
    assert device.settings.data_rate == 3
    assert device.receive(accept) is None


def test_joins_again_with_another_nonce() -> None:
    """Each request has the next nonce; an answer to another key or an old nonce's session does not fit."""
    device = EndDevice(WHO, Random(1))
    nonces = [frame.read_join_request(device.join_request(), KEY).dev_nonce for _ in range(3)]
    assert [(nonce - nonces[0]) & 0xFFFF for nonce in nonces] == [0, 1, 2]
    assert device.receive(frame.write_join_accept(JoinAccept(7, 0, ADDRESS), b"x" * 16)) is None
    assert device.joining


def test_nonces_wrap() -> None:
    """Behind the highest nonce comes 0."""
    device = EndDevice(WHO, Random(1))
    nonces = {frame.read_join_request(device.join_request(), KEY).dev_nonce for _ in range(0x1_0000)}
    assert len(nonces) == 0x1_0000


def test_counts_over_16_bits() -> None:
    """Both counters go on over the 16 bits that are on the air."""
    device = personalised(65_535, 65_536)
    assert sent(device.uplink(1, b"x"), 65_535).f_cnt == 65_535
    assert sent(device.uplink(1, b"y"), 65_535).f_cnt == 65_536
    device.missed()
    assert sent(device.uplink(1, b"z"), 65_535).f_cnt == 65_538
    received = device.receive(down(65_536, 9, b"do"))
    assert received is not None
    assert received.data is not None
    assert (received.data.f_cnt, received.data.payload) == (65_536, b"do")


def test_hears_each_downlink_once_and_only_its_own() -> None:
    """A repetition, another address, another key, an uplink, rubbish: not for this device."""
    device = personalised()
    first = down(3, 9, b"once")
    assert device.receive(first) is not None
    assert device.receive(first) is None
    assert device.receive(down(2, 9, b"older")) is None
    strange = Data(Direction.DOWN, "0a0b0c0d", 4)
    assert device.receive(frame.write_data(strange, KEYS)) is None
    assert (
        device.receive(frame.write_data(strange._replace(dev_addr=ADDRESS), SessionKeys(b"o" * 16, b"a" * 16))) is None
    )
    assert device.receive(frame.write_data(Data(Direction.UP, ADDRESS, 4), KEYS)) is None
    assert device.receive(b"\xff") is None
    assert device.receive(down(4, 9, b"twice")) is not None


def test_acknowledges_confirmed_downlinks() -> None:
    """The next uplink carries the acknowledgement, the one after that does not."""
    device = personalised()
    device.receive(down(0, 9, b"sure?", confirmed=True))
    assert [sent(device.uplink(1, b"")).ack for _ in range(2)] == [True, False]


def test_answers_travel_with_the_next_uplink() -> None:
    """DevStatusAns in the options, once; RXTimingSetupAns until the next downlink; settings are in force."""
    device = personalised()
    device.receive(down(0, f_opts=bytes.fromhex("06" + "0804")))
    assert [sent(device.uplink(1, b"x")).f_opts.hex() for _ in range(2)] == ["08" + "066407", "08"]
    assert device.windows(Tuned(868_100_000, 7))[0] == (4, Tuned(868_100_000, 7))
    device.receive(down(1))
    assert sent(device.uplink(1, b"x")).f_opts == b""


def test_commands_on_port_zero() -> None:
    """A payload on port 0 is commands, too; options beside it are none."""
    device = personalised()
    device.receive(down(0, 0, bytes.fromhex("06")))
    assert sent(device.uplink(1, b"x")).f_opts.hex() == "066407"


def test_answers_that_do_not_fit_wait() -> None:
    """15 bytes of options, never more; the others follow in order."""
    device = personalised()
    device.receive(down(0, 0, bytes.fromhex("06" * 7)))
    assert [len(sent(device.uplink(1, b"x")).f_opts) for _ in range(3)] == [15, 6, 0]


def test_asks_whether_it_is_heard() -> None:
    """LinkCheckReq in the options; LinkCheckAns, in options or on port 0, is its answer and wants none itself."""
    device = personalised()
    for f_cnt, answer in enumerate((down(0, f_opts=b"\x02\x0a\x01"), down(1, 0, b"\x02\x00\x01"))):
        assert sent(device.uplink(1, b"x", link_check=True), f_cnt).f_opts == b"\x02"
        received = device.receive(answer)
        assert received is not None
        assert (received.heard, received.answers) == (True, ())
    assert sent(device.uplink(1, b"x"), 2).f_opts == b""


def test_what_answers_an_uplink() -> None:
    """LinkCheckAns who asked by LinkCheckReq, an acknowledgement who is confirmed; nothing else does."""
    for confirmed, asked, told, heard in (
        (False, True, down(0, 9, b"do"), False),
        (False, True, down(0, ack=True), False),
        (False, False, down(0, f_opts=b"\x02\x0a\x01"), False),
        (True, False, down(0, f_opts=b"\x02\x0a\x01"), False),
        (True, False, down(0, ack=True), True),
    ):
        device = personalised()
        device.uplink(1, b"x", confirmed=confirmed, link_check=asked)
        received = device.receive(told)
        assert received is not None
        assert received.heard is heard
    assert device.receive(down(1, ack=True)) == (False, sent_down(1), (), False)


def test_a_question_goes_before_answers() -> None:
    """It is in its own uplink even when answers fill the options; these wait."""
    device = personalised()
    device.receive(down(0, 0, bytes.fromhex("06" * 5)))
    assert (device.options_size(), device.options_size(link_check=True)) == (15, 15)
    assert sent(device.uplink(1, b"x", link_check=True)).f_opts.hex() == "02" + "066407" * 4
    assert (device.options_size(), device.options_size(link_check=True)) == (3, 4)
    assert sent(device.uplink(1, b"x", link_check=True)).f_opts.hex() == "02066407"


def test_repeats_confirmed_uplinks() -> None:
    """Eight times the same bytes without an answer; an acknowledgement ends it, any other downlink does not."""
    device = personalised()
    phy = device.uplink(1, b"x", confirmed=True)
    assert sent(phy).confirmed
    assert [device.again() for _ in range(8)] == [phy] * 7 + [None]
    device.uplink(1, b"y", confirmed=True)
    device.receive(down(0))
    assert device.again() is not None
    device.receive(down(1, ack=True))
    assert device.again() is None


def test_repeats_as_often_as_told() -> None:
    """LinkADRReq asks for three transmissions; any downlink is reason enough to stop."""
    device = personalised()
    assert device.uplink(1, b"x")
    assert device.again() is None
    device.receive(down(0, f_opts=bytes.fromhex("03" + "50070003")))
    phy = device.uplink(1, b"y")
    assert device.settings.data_rate == 5
    assert [device.again(), device.again(), device.again()] == [phy, phy, None]
    device.uplink(1, b"z")
    device.receive(down(1))
    assert device.again() is None


def test_helps_itself_when_it_hears_nothing() -> None:
    """After 64 silent uplinks it asks for an answer, after 96 and then each 32 it sends stronger, then slower."""
    device = personalised()
    device.receive(down(0, f_opts=bytes.fromhex("03" + "22030001")))
    asked = [sent(device.uplink(1, b"x")).adr_ack_req for _ in range(96)]
    assert asked == [False] * 64 + [True] * 32
    assert (device.settings.data_rate, device.settings.power) == (2, 0)
    for expected in (1, 0, 0):
        for _ in range(32):
            assert sent(device.uplink(1, b"x")).adr_ack_req
        assert device.settings.data_rate == expected
    assert device.settings.enabled == frozenset({0, 1, 2})
    device.receive(down(1))
    assert not sent(device.uplink(1, b"x")).adr_ack_req


def test_long_payloads_go_faster() -> None:
    """A payload that the rate cannot carry goes at the slowest one that can."""
    device = personalised()
    assert [device.rate_for(size) for size in (10, 52, 200)] == [12, 9, 8]
    assert region.data_rate(8) == 4
