"""The air: path loss, spreading factor, who hears what."""

from random import Random
from statistics import mean, stdev

import pytest

from simulator.radio import ADR_UNANSWERED, LIMITS_DB, NOISE_DBM, Gateway, Link, hata_db

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
    """A near device is heard always, one far outside never."""
    near, far = _link(0.3), _link(60)
    copies = [near.send().heard for _ in range(300)]
    assert sum(map(len, copies)) == 300
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


def test_adr_makes_a_near_device_faster_then_weaker() -> None:
    """Twenty uplinks with much to spare: up to SF7 first, then in steps of 2 dB for each 3 dB to spare."""
    link = _link(0.3)
    link.spreading_factor = 9
    for _ in range(19):
        link.answered(6.0)
    assert (link.spreading_factor, link.power_steps) == (9, 0)
    link.answered(0.0)
    assert (link.spreading_factor, link.power_steps) == (7, 0)
    for _ in range(20):
        link.answered(9.0)
    assert (link.spreading_factor, link.power_steps) == (7, 2)
    loud, soft = _link(0.3).send(), _mean(link)
    assert soft < loud.levels[0]


def test_adr_makes_a_weak_device_stronger() -> None:
    """Too little to spare gives power back, but no slower rate: that is for the device to do."""
    link = _link(0.3)
    link.power_steps = 5
    for _ in range(20):
        link.answered(LIMITS_DB[7] + 3.0)
    assert (link.spreading_factor, link.power_steps) == (7, 2)


def test_a_device_that_nobody_answers_sends_slower() -> None:
    """After 96 unanswered uplinks full power, then a step slower with every 32, until SF12."""
    link = _link(0.3)
    link.power_steps = 3
    found = []
    for _ in range(ADR_UNANSWERED + 32 * 7):
        link.missed()
        found.append((link.spreading_factor, link.power_steps))
    assert found[94] == (7, 3)
    assert found[95] == (7, 0)
    assert [found[95 + 32 * step][0] for step in range(1, 8)] == [8, 9, 10, 11, 12, 12, 12]
    link.answered(0.0)
    link.missed()
    assert link.spreading_factor == 12


def test_adr_has_a_weakest_step() -> None:
    """However much there is to spare, a device does not go below seven steps."""
    link = _link(0.05)
    for _ in range(20 * 8):
        link.answered(13.0)
    assert (link.spreading_factor, link.power_steps) == (7, 7)


def test_an_answer_forgets_all_that_was_missed() -> None:
    """Twice 95 unanswered uplinks with one answer between them change nothing; the 96th in a row does."""
    link = _link(0.3)
    link.power_steps = 3
    for _ in range(2):
        for _ in range(ADR_UNANSWERED - 1):
            link.missed()
        link.answered(LIMITS_DB[7] + 10)
    assert link.power_steps == 3
    for _ in range(ADR_UNANSWERED):
        link.missed()
    assert link.power_steps == 0


def test_what_can_be_demodulated() -> None:
    """The limits of Semtech's SX1276 data sheet, table 13."""
    assert LIMITS_DB == {7: -7.5, 8: -10, 9: -12.5, 10: -15, 11: -17.5, 12: -20}


def test_shadows_stay_and_fading_does_not() -> None:
    """Paths of one length differ by 6 dB from device to device, and by 3 dB from uplink to uplink."""
    of_each = [[link.send().levels[0] for _ in range(60)] for link in (_link(1, seed=seed) for seed in range(300))]
    assert stdev(mean(levels) for levels in of_each) == pytest.approx(6, rel=0.15)
    assert mean(stdev(levels) for levels in of_each) == pytest.approx(3, rel=0.05)
    assert mean(mean(levels) for levels in of_each) == pytest.approx(16 - hata_db(1.0, 30.0), abs=1)


def test_a_power_step_is_two_db() -> None:
    """Five steps weaker arrive 10 dB weaker."""
    link = _link(1)
    strong = mean(link.send().levels[0] for _ in range(2000))
    link.power_steps = 5
    assert mean(link.send().levels[0] for _ in range(2000)) == pytest.approx(strong - 10, abs=0.4)


def _mean(link: Link) -> float:
    return sum(link.send().levels[0] for _ in range(100)) / 100
