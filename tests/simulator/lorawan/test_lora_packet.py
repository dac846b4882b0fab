"""Our frames read by an independent library, and its frames read by ours: lora-packet from npm."""

import json
import shutil
import subprocess
from pathlib import Path
from random import Random

import pytest

from decoders import catalog
from decoders.measurement import Measurement, Reading
from decoders.quantity import Quantity
from simulator.lorawan import frame
from simulator.lorawan.crypto import Direction, SessionKeys, session_keys
from simulator.lorawan.end_device import Credentials, EndDevice, Session
from simulator.lorawan.frame import Data, JoinAccept, JoinRequest

VERSION = "0.9.3"
SCRIPT = Path(__file__).with_name("lora_packet.cjs")
INSTALL_S = 90
DOWN = {Direction.UP: "Up", Direction.DOWN: "Down"}
Answer = dict[str, object]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with lora-packet in it."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("needs npm and node for lora-packet")
    place = tmp_path_factory.mktemp("npm")
    words = ["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(place)]
    try:
        subprocess.run([npm, *words, f"lora-packet@{VERSION}"], check=True, capture_output=True, timeout=INSTALL_S)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip(f"npm cannot install lora-packet {VERSION}")
    shutil.copy(SCRIPT, place)
    return place


def ask(folder: Path, questions: list[dict[str, object]]) -> list[Answer]:
    """What lora-packet says."""
    done = subprocess.run(
        ["node", folder / SCRIPT.name],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    answers: list[Answer] = json.loads(done.stdout)
    return answers


def some_frames(count: int) -> list[tuple[Data, SessionKeys]]:
    """Frames of all kinds, with keys."""
    rng = Random(9)
    return [
        (
            Data(
                rng.choice(list(Direction)),
                rng.randbytes(4).hex(),
                rng.choice((0, 1, 65_535, 65_536, 2**32 - 1, rng.getrandbits(32))),
                rng.choice((0, 1, 85, 223)),
                rng.randbytes(rng.choice((1, 15, 16, 17, 51, 222))),
                confirmed=rng.random() < 0.5,
                f_opts=b"",
                adr=rng.random() < 0.5,
                ack=rng.random() < 0.5,
            ),
            SessionKeys(rng.randbytes(16), rng.randbytes(16)),
        )
        for _ in range(count)
    ]


def high(data: Data) -> str:
    """The upper half of the counter, as lora-packet wants it."""
    return (data.f_cnt >> 16).to_bytes(2, "little").hex()


def kind(data: Data) -> str:
    """What lora-packet calls such a frame."""
    return f"{'Confirmed' if data.confirmed else 'Unconfirmed'} Data {DOWN[data.direction]}"


def test_reads_our_data_frames(folder: Path) -> None:
    """Kind, address, counter, port, options, flags, MIC and payload of 60 frames."""
    frames = some_frames(60)
    frames += [(data._replace(f_port=5, f_opts=bytes.fromhex("0307066407")), keys) for data, keys in frames[:10]]
    answers = ask(
        folder,
        [
            {
                "way": "readData",
                "phy": frame.write_data(data, keys).hex(),
                "nwk": keys.nwk_s_key.hex(),
                "app": keys.app_s_key.hex(),
                "high": high(data),
            }
            for data, keys in frames
        ],
    )
    for (data, _), answer in zip(frames, answers, strict=True):
        assert answer == {
            "m_type": kind(data),
            "dev_addr": data.dev_addr,
            "f_cnt": data.f_cnt & 0xFFFF,
            "f_port": data.f_port,
            "f_opts": data.f_opts.hex(),
            "adr": data.adr,
            "ack": data.ack,
            "mic_ok": True,
            "payload": data.payload.hex(),
        }


def test_reads_a_frame_of_earlier_readings(folder: Path) -> None:
    """What a device sends that asks whether it is heard: LinkCheckReq in the options, records that our codec reads."""
    codec, time_ms = catalog.codec("milesight/em300-th"), 1_795_000_000_000
    readings = Reading(Quantity.AIR_TEMPERATURE, 21.5), Reading(Quantity.AIR_HUMIDITY, 60.0)
    history = [Measurement.of(time_ms - ago, readings) for ago in (60_000, 120_000)]
    keys = SessionKeys(bytes(range(16)), bytes(range(16, 32)))
    device = EndDevice(
        Credentials("025354464b000001", "025354464b000000", b""), Random(1), session=Session("01020304", keys, 7)
    )
    phy = device.uplink(85, codec.encode_history(85, history, time_ms), link_check=True)
    question = {"way": "readData", "phy": phy.hex(), "nwk": keys.nwk_s_key.hex(), "app": keys.app_s_key.hex()}
    (answer,) = ask(folder, [{**question, "high": "0000"}])
    assert (answer["f_opts"], answer["mic_ok"], answer["f_cnt"]) == ("02", True, 7)
    found = codec.decode(85, bytes.fromhex(str(answer["payload"])), time_ms)
    assert [each.time_ms for each in found] == [time_ms - 60_000, time_ms - 120_000]


def test_we_read_its_data_frames(folder: Path) -> None:
    """The same fields written by lora-packet give the same bytes as ours, and are read."""
    frames = [(data._replace(adr=False, ack=False), keys) for data, keys in some_frames(40)]
    answers = ask(
        folder,
        [
            {
                "way": "writeData",
                "m_type": kind(data),
                "dev_addr": data.dev_addr,
                "f_cnt": data.f_cnt & 0xFFFF,
                "f_port": data.f_port,
                "payload": data.payload.hex(),
                "nwk": keys.nwk_s_key.hex(),
                "app": keys.app_s_key.hex(),
                "high": high(data),
            }
            for data, keys in frames
        ],
    )
    for (data, keys), answer in zip(frames, answers, strict=True):
        phy = bytes.fromhex(str(answer["phy"]))
        assert phy == frame.write_data(data, keys)
        assert frame.read_data(phy, keys, data.f_cnt) == data


def test_reads_our_joins(folder: Path) -> None:
    """Request and accept: EUIs, nonces, address, settings, MICs, and the session keys that follow."""
    rng = Random(9)
    key, request = rng.randbytes(16), JoinRequest(rng.randbytes(8).hex(), rng.randbytes(8).hex(), 0x1234)
    accept = JoinAccept(rng.getrandbits(24), rng.getrandbits(24), rng.randbytes(4).hex(), 2, 3, 5, (867_100_000,))
    asked, granted = ask(
        folder,
        [
            {"way": "readJoinRequest", "phy": frame.write_join_request(request, key).hex(), "key": key.hex()},
            {
                "way": "readJoinAccept",
                "phy": frame.write_join_accept(accept, key).hex(),
                "key": key.hex(),
                "dev_nonce": request.dev_nonce,
            },
        ],
    )
    assert asked == {**request._asdict(), "mic_ok": True}
    keys = session_keys(key, accept.app_nonce, accept.net_id, request.dev_nonce)
    assert granted == {
        "dev_addr": accept.dev_addr,
        "app_nonce": f"{accept.app_nonce:06x}",
        "rx1_delay_s": 5,
        "dl_settings": 0x23,
        "mic_ok": True,
        "nwk": keys.nwk_s_key.hex(),
        "app": keys.app_s_key.hex(),
    }
