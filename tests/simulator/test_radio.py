"""The air: path loss, spreading factor, who hears what."""

from random import Random

import pytest

from simulator.radio import LIMITS_DB, NOISE_DBM, Gateway, Link, hata_db

GATEWAY = Gateway("025354464bff0001", 51.68, 7.82, 30.0)


def _link(distance_km: float, extra_loss_db: float = 0, seed: int = 1) -> Link:
    return Link(Random(seed), (GATEWAY,), 51.68 + distance_km / 111.2, 7.82, extra_loss_db)


def test_hata() -> None:
    """Loss at 1 km is that of Hata's formula worked by hand, and grows by its slope with each decade."""
    assert hata_db(1.0, 30.0) == pytest.approx(125.993 - 9.848, abs=0.005)
    assert hata_db(10.0, 30.0) - hata_db(1.0, 30.0) == pytest.approx(35.22, abs=0.01)
    assert hata_db(1.0, 60.0) < hata_db(1.0, 30.0)


def test_spreading_factor_grows_with_distance() -> None:
    """Near devices send at SF7, far ones at SF12; a lid or the ground makes it no better."""
    assert _link(0.3).spreading_factor == 7
    assert _link(15).spreading_factor == 12
    factors = [_link(distance / 4).spreading_factor for distance in range(1, 60)]
    assert factors == sorted(factors)
    assert set(factors) == set(LIMITS_DB)
    assert _link(2, extra_loss_db=10).spreading_factor >= _link(2).spreading_factor


def test_near_and_far() -> None:
    """A near device is heard nearly always, one far outside never."""
    near, far = _link(0.3), _link(60)
    copies = [near.send().heard for _ in range(300)]
    assert sum(map(len, copies)) > 280
    assert any(not heard for heard in copies)
    assert not any(far.send().heard for _ in range(300))


def test_edge() -> None:
    """Where the level is about the demodulation limit, some uplinks are heard and none of them below it."""
    edge = next(link for link in map(_link, range(1, 60)) if 50 < _times_heard(link) < 250)
    found = [heard for _ in range(300) for heard in edge.send().heard]
    assert min(heard.snr for heard in found) >= LIMITS_DB[edge.spreading_factor] - 0.125
    assert all(heard.snr * 4 == round(heard.snr * 4) for heard in found)
    assert all(heard.rssi >= NOISE_DBM for heard in found)


def _times_heard(link: Link) -> int:
    return sum(bool(link.send().heard) for _ in range(300))


def test_channels() -> None:
    """Uplinks spread over the eight channels of EU868."""
    link = _link(0.3)
    sent = {(link.send().channel, link.send().frequency_hz) for _ in range(400)}
    assert {channel for channel, _ in sent} == set(range(8))
    assert {frequency % 100_000 for _, frequency in sent} == {0}
