"""LoRaWAN frames against published ones, there and back, and broken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.lorawan import frame, keys
from simulator.lorawan.crypto import Direction, Place, SessionKeys, cipher, session_keys
from simulator.lorawan.error import FrameError
from simulator.lorawan.frame import Data, JoinAccept, JoinRequest, MType

KEYS = SessionKeys(bytes.fromhex("44024241ed4ce9a68c6a8bc055233fd3"), bytes.fromhex("ec925802ae430ca77fd3dd73cb2cc588"))
APP_KEY = bytes.fromhex("98929b92c49edba9676d646d3b612456")
ADDRESS = "49be7df1"
UPLINK = bytes.fromhex("40f17dbe4900020001954378762b11ff0d")
EMPTY = bytes.fromhex("40f17dbe49000300012a3518af")
ACKNOWLEDGEMENT = bytes.fromhex("60f17dbe4920020001f9d65d27")
JOIN_REQUEST = bytes.fromhex("0039363463336913aa05693574323831330489c65b1304")
"""Of lora-packet 0.9.3, `README.md` and `__tests__/mic_test.ts` (https://github.com/anthonykirby/lora-packet)."""

ACCEPT = bytes.fromhex("204dd85ae608b87fc4889970b7d2042c9e72959b0057aed6094b16003df12de145")
ACCEPT_KEY = bytes.fromhex("b6b53f4a168a7a88bdf7ea135ce9cfca")
ACCEPT_NONCE = 0xCC85
ACCEPTED = JoinAccept(
    0xE5063A, 0x13, "26012e43", 0, 3, 1, (867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000)
)
ACCEPTED_KEYS = SessionKeys(
    bytes.fromhex("2c96f7028184bb0be8aa49275290d4fc"), bytes.fromhex("f3a5c8f0232a38c144029c165865802c")
)
"""A join in a live EU868 network, https://github.com/anthonykirby/lora-packet/issues/10."""

datas = st.builds(
    Data,
    st.sampled_from(Direction),
    st.binary(min_size=4, max_size=4).map(bytes.hex),
    st.integers(0, 2**32 - 1),
    st.integers(0, 255),
    st.binary(max_size=242),
    confirmed=st.booleans(),
    f_opts=st.binary(max_size=15),
    adr=st.booleans(),
    ack=st.booleans(),
    adr_ack_req=st.just(value=False),
    f_pending=st.just(value=False),
)


def test_published_uplink() -> None:
    """Decrypted it says `test`; the same fields give the same bytes."""
    found = frame.read_data(UPLINK, KEYS, 0)
    assert found == Data(Direction.UP, ADDRESS, 2, 1, b"test")
    assert frame.write_data(found, KEYS) == UPLINK


def test_published_frames_without_payload() -> None:
    """An empty payload on a port, and an acknowledgement: read, and written alike."""
    for phy, expected in (
        (EMPTY, Data(Direction.UP, ADDRESS, 3, 1)),
        (ACKNOWLEDGEMENT, Data(Direction.DOWN, ADDRESS, 2, 1, ack=True)),
    ):
        assert frame.read_data(phy, KEYS, 0) == expected
        assert frame.write_data(expected, KEYS) == phy


def test_published_join_request() -> None:
    """EUIs and nonce come out in the order people write them; the same fields give the same bytes."""
    found = frame.read_join_request(JOIN_REQUEST, APP_KEY)
    assert found == JoinRequest("aa13693363343639", "3331383274356905", 0x8904)
    assert frame.write_join_request(found, APP_KEY) == JOIN_REQUEST


def test_published_join_accept() -> None:
    """A captured join accept gives address, channels and the session keys that others derived from it."""
    found = frame.read_join_accept(ACCEPT, ACCEPT_KEY)
    assert found == ACCEPTED
    assert session_keys(ACCEPT_KEY, found.app_nonce, found.net_id, ACCEPT_NONCE) == ACCEPTED_KEYS
    assert frame.write_join_accept(found, ACCEPT_KEY) == ACCEPT


@given(datas, st.booleans())
def test_data_frames_there_and_back(plain: Data, flag: bool) -> None:
    """What is written is read again, with the session's keys and a counter near enough."""
    up = plain.direction is Direction.UP
    data = plain._replace(adr_ack_req=flag and up, f_pending=flag and not up)
    phy = frame.write_data(data, KEYS)
    assert frame.read_data(phy, KEYS, data.f_cnt) == data
    assert frame.read_data(phy, KEYS, max(0, data.f_cnt - 65_535)) == data
    assert frame.peek_data(phy) == (data.dev_addr, data.f_cnt & 0xFFFF)


@given(
    st.builds(
        JoinAccept,
        st.integers(0, 2**24 - 1),
        st.integers(0, 2**24 - 1),
        st.binary(min_size=4, max_size=4).map(bytes.hex),
        st.integers(0, 7),
        st.integers(0, 15),
        st.integers(1, 15),
        st.lists(st.integers(8_630_000, 8_700_000).map(lambda step: step * 100), max_size=5).map(tuple),
    ),
    st.binary(min_size=16, max_size=16),
)
def test_join_accepts_there_and_back(accept: JoinAccept, key: bytes) -> None:
    """What is written is read again; with any other key it is somebody else's."""
    phy = frame.write_join_accept(accept, key)
    assert frame.read_join_accept(phy, key) == accept
    with pytest.raises(FrameError, match="MIC"):
        frame.read_join_accept(phy, bytes(reversed(key)) if key != key[::-1] else b"x" * 16)


@given(datas, st.data())
def test_every_bit_counts(data: Data, draw: st.DataObject) -> None:
    """One bit turned anywhere makes it a frame that is refused."""
    phy = bytearray(frame.write_data(data, KEYS))
    bit = draw.draw(st.integers(0, 8 * len(phy) - 1))
    phy[bit // 8] ^= 1 << bit % 8
    with pytest.raises(FrameError):
        frame.read_data(bytes(phy), KEYS, data.f_cnt)


@given(st.binary(max_size=64))
def test_any_bytes(phy: bytes) -> None:
    """Random bytes are refused by an error of ours, whatever they look like."""
    for read in (
        lambda: frame.read_data(phy, KEYS, 0),
        lambda: frame.read_join_accept(phy, APP_KEY),
        lambda: frame.read_join_request(phy, APP_KEY),
    ):
        with pytest.raises(FrameError):
            read()


def test_counter_rolls_over() -> None:
    """The 16 bits on the air continue the 32 of the session; a frame seen before fits no counter above it."""
    assert [frame.whole_f_cnt(low, 65_534) for low in (65_534, 65_535, 0, 1)] == [65_534, 65_535, 65_536, 65_537]
    assert frame.whole_f_cnt(5, 6) == 65_541
    late = Data(Direction.DOWN, ADDRESS, 65_536, 1, b"later")
    phy = frame.write_data(late, KEYS)
    assert frame.read_data(phy, KEYS, 65_530) == late
    with pytest.raises(FrameError, match="MIC"):
        frame.read_data(phy, KEYS, 65_537)
    with pytest.raises(FrameError, match="MIC"):
        frame.read_data(phy, KEYS, 0)


def test_port_zero_has_the_networks_key() -> None:
    """MAC commands as payload are encrypted with NwkSKey, data with AppSKey."""
    place = Place(Direction.UP, bytes.fromhex(ADDRESS), 7)
    for port, key in ((0, KEYS.nwk_s_key), (1, KEYS.app_s_key)):
        phy = frame.write_data(Data(Direction.UP, ADDRESS, 7, port, b"secret"), KEYS)
        assert phy[9:-4] == cipher(key, place, b"secret")


def test_what_does_not_fit() -> None:
    """More than 15 bytes of options or five channels are refused when writing."""
    with pytest.raises(FrameError, match="16 bytes of options"):
        frame.write_data(Data(Direction.UP, ADDRESS, 0, f_opts=bytes(16)), KEYS)
    with pytest.raises(FrameError, match="6 channels"):
        frame.write_join_accept(ACCEPTED._replace(channels=(868_100_000,) * 6), ACCEPT_KEY)


def test_other_kinds() -> None:
    """Frames of LoRaWAN 1.1 and proprietary ones are named as what they are not."""
    assert frame.m_type(UPLINK) is MType.UNCONFIRMED_UP
    for phy, named in ((b"", "nothing"), (b"\xc0", "type 6"), (b"\xe0", "type 7"), (b"\x41", "R1")):
        with pytest.raises(FrameError, match=named):
            frame.m_type(phy)


def test_keys_are_the_devices_own() -> None:
    """Test keys follow from seed and DevEUI, so that simulator and network server agree; no two are alike."""
    assert keys.credentials(1, "025354464b000001").app_key.hex() == "55c34e9234c604d442b434c702b76fbf"
    first = keys.personalised(1, "025354464b000001")
    assert (first.dev_addr, first.keys.nwk_s_key.hex()) == ("00f56540", "de4e96b32ce6012e1c3560cc8b170ad4")
    assert int(first.dev_addr, 16) >> 25 == 0
    made = {
        key
        for seed in (1, 2)
        for dev_eui in (f"025354464b{number:06x}" for number in range(50))
        for key in (keys.credentials(seed, dev_eui).app_key, *keys.personalised(seed, dev_eui).keys)
    }
    assert len(made) == 300
