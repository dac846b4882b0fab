"""Decentlab: missing sensors, device figures, and where the vendor's decoder gives a number that means nothing."""

from math import log

import pytest

from decoders.catalog import codec
from decoders.error import DecodeError, EncodeError, MissingParameter
from decoders.measurement import Reading
from decoders.quantity import Quantity

NOW_MS = 1_800_000_000_000


def decode(model: str, payload: str, **figures: float) -> dict[str, float]:
    """Readings by name."""
    (measurement,) = codec(f"decentlab/{model}").decode(1, bytes.fromhex(payload), NOW_MS, figures)
    return {
        f"{item.quantity.field}/{item.channel}" if item.channel else item.quantity.field: item.value
        for item in measurement.readings
    }


def encode(model: str, *readings: Reading, **figures: float) -> bytes:
    """The payload of readings."""
    return codec(f"decentlab/{model}").encode(1, readings, figures)


@pytest.mark.parametrize(
    ("model", "payload"), [("dl-mbx", "02012f000304d200000bb1"), ("dl-lid", "0211c90001" + "119b" * 9 + "00000199")]
)
def test_a_distance_without_samples_is_none(model: str, payload: str) -> None:
    """Zero valid samples: the distance beside them is left over from before and is no reading."""
    assert not any(name.startswith("distance") for name in decode(model, payload))
    with_samples = payload.replace("04d20000", "04d20001") if model == "dl-mbx" else payload[:-8] + "00010199"
    assert any(name.startswith("distance") for name in decode(model, with_samples))


def test_a_shorter_probe_has_fewer_depths() -> None:
    """Depths that the probe lacks give no reading, never -5 % or -327.68 °C."""
    readings = decode("dl-smtp", "020b500001" + "09018a8c" + "00000000" * 7)
    assert readings == {"soil_moisture/depth_0": -0.39, "soil_temperature/depth_0": 27.0}


def test_no_lightning_has_no_distance() -> None:
    """A station without strikes sends a distance of 0 km: no reading; a real distance is one."""
    calm = "025ef80001805c000080008000" + "8034" * 11 + "00000000"
    assert "lightning_distance" not in decode("dl-atm41g2", calm)
    assert decode("dl-atm41g2", calm)["lightning_count"] == 0
    near = calm.replace("80008000", "8002800c")
    assert decode("dl-atm41g2", near)["lightning_distance"] == 12


def test_totals_come_low_word_first() -> None:
    """70 mm is 0x11170 thousandths, sent 1170 0001."""
    frame = "025ef80001805c000080008000" + "8034" * 11 + "11700001"
    assert decode("dl-atm41g2", frame)["precipitation_total"] == 70
    assert decode("dl-tbrg", "0202f800010004025800010001", resolution=0.2)["precipitation_total"] == 13_107.4


@pytest.mark.parametrize(("resolution", "rain"), [(0.1, 0.4), (0.2, 0.8), (0.254, 1.016)])
def test_a_tip_has_the_size_of_its_bucket(resolution: float, rain: float) -> None:
    """Tips become millimetres by the device's resolution, without the dust of binary fractions."""
    assert decode("dl-tbrg", "0202f80001000402580001" + "0000", resolution=resolution)["precipitation"] == rain
    total = Reading(Quantity.PRECIPITATION_TOTAL, 10 * resolution)
    sent = encode("dl-tbrg", Reading(Quantity.PRECIPITATION, rain), total, resolution=resolution)
    assert sent.hex() == "02000000010004" + "0000" + "000a0000"


@pytest.mark.parametrize(
    ("model", "payload", "figures"),
    [
        ("dl-tbrg", "0202f800020c54", {}),
        ("dl-tbrg", "0202f800020c54", {"resolution": 0}),
        ("dl-pr26", "02016700020c7f", {"pmin": 0}),
        ("dl-pr26", "02016700020c7f", {"pmin": 1, "pmax": 1}),
        ("dl-pr36", "02032b00020c2b", {"kp": 0}),
        ("dl-pr36ctd", "020a1700020c2b", {"kp": 8192, "kec": -1}),
    ],
)
def test_a_figure_must_be_there_and_possible(model: str, payload: str, figures: dict[str, float]) -> None:
    """A figure of the device that is missing or cannot be is a clear error, not a wrong number."""
    with pytest.raises(MissingParameter, match=r"resolution|pm|k"):
        decode(model, payload, **figures)


def test_devices_with_other_figures_do_not_mix() -> None:
    """Two devices of one model, asked in turn, each keep their own range."""
    frame = "020167000180006017"
    for _ in range(2):
        assert decode("dl-pr26", frame, pmin=0, pmax=1)["water_pressure"] == 0.5
        assert decode("dl-pr26", frame, pmin=-1, pmax=10)["water_pressure"] == 4.5


def test_many_different_devices_are_decoded() -> None:
    """Tables of more devices than are kept at once stay right."""
    for factor in range(1, 600):
        assert decode("dl-pr36", "02032b0001c0008000", kp=factor)["water_pressure"] == 0x4000 / factor


def test_the_globe_follows_steinhart_and_hart() -> None:
    """22 °C by the data sheet's formula; a broken or missing thermistor is no reading."""
    ratio = (0x0081A40C / 8388608 - 1) / 2
    ohm = 1000 / ratio - 41000
    celsius = 1 / (0.0008271111 + 0.000208802 * log(ohm) + 0.000000080592 * log(ohm) ** 3) - 273.15
    assert decode("dl-blg", "0230c50001a40c0081")["globe_temperature"] == pytest.approx(celsius, abs=1e-4)
    assert decode("dl-blg", "0230c5000100000080") == {}
    assert decode("dl-blg", "0230c5000100000000") == {}
    assert decode("dl-blg", "0230c50001ffffffff") == {}
    with pytest.raises(EncodeError, match="globe_temperature"):
        encode("dl-blg", Reading(Quantity.GLOBE_TEMPERATURE, 400.0))


def test_light_without_counts_is_dark() -> None:
    """More infrared than light is rounding of the sensor: 0 lx, never a negative illuminance."""
    assert decode("dl-iam", "020bbd000800000005")["illuminance"] == 0


@pytest.mark.parametrize(
    "payload", ["02012f00030", "02012f0004", "03012f000304d200010bb1", "02012f000304d20001", "02012f000304d200010bb100"]
)
def test_broken_frames(payload: str) -> None:
    """Another protocol version, unknown groups, missing or extra words are errors."""
    with pytest.raises(DecodeError):
        codec("decentlab/dl-mbx").decode(1, bytes.fromhex(payload + "0" * (len(payload) % 2)), NOW_MS)


@pytest.mark.parametrize("counts", ["026b0069", "ffff0000", "00010000", "3fff2000", "ffffabcd", "00640001"])
def test_light_is_sent_as_it_was(counts: str) -> None:
    """One of the pairs of counts that give the same illuminance, in both of its formulas."""
    frame = "020bbd0008" + counts
    readings = codec("decentlab/dl-iam").decode(1, bytes.fromhex(frame), NOW_MS)[0].readings
    assert codec("decentlab/dl-iam").decode(1, encode("dl-iam", *readings), NOW_MS)[0].readings == readings
