"""The canary's codec: identity, fixed length, and a place in the reserved range."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.catalog import BY_ID
from decoders.devices.canary import CODEC, DEV_EUI, F_PORT
from decoders.error import DecodeError
from decoders.measurement import Measurement, Reading
from decoders.quantity import Privacy, Quantity
from decoders.simulated import is_simulated


@given(number=st.integers(0, 2**32 - 1))
def test_decode_after_encode_is_identity(number: int) -> None:
    """Every number of 32 bits comes back as it was."""
    payload = CODEC.encode(F_PORT, [Reading(Quantity.UPLINK_COUNT_TOTAL, number)])
    (measurement,) = CODEC.decode(F_PORT, payload, 7)
    assert measurement == Measurement.of(7, [Reading(Quantity.UPLINK_COUNT_TOTAL, number)])


@pytest.mark.parametrize("length", [0, 1, 3, 5, 64])
def test_every_other_length_is_rejected(length: int) -> None:
    """Each truncation and each extension of the frame is a DecodeError."""
    with pytest.raises(DecodeError):
        CODEC.decode(F_PORT, bytes(length), 0)


def test_it_is_no_vendor_device() -> None:
    """It is offered as no codec; an ordinary uplink under its name is refused as simulated; its point is internal."""
    assert CODEC.id not in BY_ID
    assert is_simulated(DEV_EUI, {})
    assert CODEC.privacy is Privacy.INTERNAL
    assert all(field.quantity.diagnostic for field in CODEC.fields())
