"""Frames behind which something follows."""

import pytest

from decoders.error import WrongLength
from decoders.field import Field
from decoders.layout import Layout
from decoders.leading import Leading
from decoders.measurement import Measurement, Reading
from decoders.quantity import Quantity

T = Quantity.AIR_TEMPERATURE
WHOLE = Layout(">", Field(T, "h", divisor=10))


@pytest.mark.parametrize("payload", ["00e2", "00e2aabb", "00e2aabbccdd"])
def test_what_follows_is_not_read(payload: str) -> None:
    """The same readings, whatever follows, if its length is one of those that may."""
    frame = Leading(WHOLE, WHOLE.size, (0, 2, 4))
    (measurement,) = frame.decode(bytes.fromhex(payload), 5, {})
    assert measurement == Measurement.of(5, (Reading(T, 22.6),))


@pytest.mark.parametrize("payload", ["", "00", "00e2aa", "00e2aabbccddee", "00e2aabbccddeeff"])
def test_other_lengths_are_refused(payload: str) -> None:
    """A frame cut short, or with half of what follows."""
    with pytest.raises(WrongLength):
        Leading(WHOLE, WHOLE.size, (0, 2, 4)).decode(bytes.fromhex(payload), 5, {})


@pytest.mark.parametrize(("behind", "sent"), [((0, 2), "00e2"), ((2, 4), "00e20000")])
def test_the_least_is_sent(behind: tuple[int, ...], sent: str) -> None:
    """Nothing, or zeros where something must follow."""
    frame = Leading(WHOLE, WHOLE.size, behind)
    assert frame.encode(Measurement.of(0, (Reading(T, 22.6),)), {}).hex() == sent
    assert frame.fields() == WHOLE.fields()
