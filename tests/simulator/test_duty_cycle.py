"""Time on air, and the hour that no device exceeds."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.duty_cycle import BAND_L, BAND_M, DutyCycle, airtime_ns, band, fitting
from simulator.lorawan.region import airtime_s
from simulator.radio import CHANNELS_HZ

S = 1_000_000_000
HOUR = 3600 * S
LIMIT_NS = 36 * S
# The Things Network's airtime spreadsheet: 24 bytes of payload, LoRaWAN header of 13, EU868.
OF_37_BYTES_MS = {7: 82.176, 8: 143.872, 9: 267.264, 10: 493.568, 11: 1069.056, 12: 1974.272}
# loratools.nl, cut to whole ms: PHY bytes, spreading factor.
OTHERS_MS = {(7, 12): 991, (51, 12): 2465, (7, 11): 495, (51, 11): 1314, (7, 10): 247, (51, 10): 616, (51, 9): 328}


@pytest.mark.parametrize(("spreading_factor", "expected"), OF_37_BYTES_MS.items())
def test_time_on_air(spreading_factor: int, expected: float) -> None:
    """24 bytes take what the published spreadsheet says, at each spreading factor."""
    assert airtime_ns(24, spreading_factor) / 1e6 == pytest.approx(expected, abs=0.001)


@pytest.mark.parametrize(("frame", "expected"), OTHERS_MS.items())
def test_time_on_air_of_short_and_long_frames(frame: tuple[int, int], expected: int) -> None:
    """Frames without LoRaWAN's header take what another published calculator says."""
    assert int(airtime_s(*frame) * 1000) == expected


def test_longest_payloads() -> None:
    """A payload too long for a slow rate goes at the nearest rate that takes it."""
    assert [fitting(12, size) for size in (51, 52, 115, 116, 222, 300)] == [12, 9, 9, 8, 8, 7]
    assert fitting(7, 10) == 7


def test_bands() -> None:
    """Three of the eight channels lie in 868.0-868.6 MHz, five in 865-868 MHz."""
    assert [band(frequency_hz) for frequency_hz in CHANNELS_HZ] == [BAND_M] * 3 + [BAND_L] * 5


@given(
    frames=st.lists(
        st.tuples(st.floats(0, 40), st.integers(40, 222), st.sampled_from((12, 12, 12, 10, 7))),
        min_size=30,
        max_size=90,
    )
)
def test_no_hour_exceeds_the_share(frames: list[tuple[float, int, int]]) -> None:
    """However a device asks, no hour of one sub-band holds more than 1 % of airtime; nothing begins too soon."""
    duty, now, sent = DutyCycle(), 0, []
    for gap_s, wanted, factor in frames:
        size = min(wanted, 51) if factor > 9 else min(wanted, 115) if factor == 9 else wanted
        now += int(gap_s * S)
        airtime = airtime_ns(size, factor)
        start = duty.free_ns(BAND_M, airtime, now)
        assert start >= now
        duty.take(BAND_M, airtime, start)
        now = start + airtime
        sent.append((start, now))
    for begin, _ in sent:
        assert _within(sent, begin, begin + HOUR) <= LIMIT_NS
    for _, end in sent:
        assert _within(sent, end - HOUR, end) <= LIMIT_NS


def _within(sent: list[tuple[int, int]], begin: int, end: int) -> int:
    return sum(max(0, min(end, last) - max(begin, first)) for first, last in sent)


def test_a_busy_device_uses_most_of_its_share() -> None:
    """A device that always has something to say sends for at least 0.7 % of the time, on each sub-band by itself."""
    duty, rng = DutyCycle(), Random(1)
    for of_band in (BAND_L, BAND_M):
        now = total = 0
        while now < 24 * HOUR:
            airtime = airtime_ns(rng.randint(1, 51), rng.choice(range(7, 13)))
            now = duty.free_ns(of_band, airtime, now)
            duty.take(of_band, airtime, now)
            now, total = now + airtime, total + airtime
        assert 0.007 < total / now < 0.01
