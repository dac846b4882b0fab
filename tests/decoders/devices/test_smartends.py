"""SmartEnds BrighterBins: bits, markers, kinds of frames."""

import pytest

from decoders.error import DecodeError, MalformedPayload
from tests.decoders.named import decode, named


def test_markers_are_no_readings() -> None:
    """63 is no battery level, 127 no fill level, 510 and 511 no distance."""
    assert named("smartends/brighterbins", 1, "3f8ffc") == {"air_temperature": 31}
    assert named("smartends/brighterbins", 1, "fe07fd") == {"air_temperature": 24}
    assert named("smartends/brighterbins", 1, "fe07f9") == {"air_temperature": 24}


def test_the_dev_eui_is_not_kept() -> None:
    """The upper bytes of a system frame, whatever they are, give nothing."""
    frame = "{}380163d06808013c63c2"
    assert decode("smartends/brighterbins", 1, frame.format("ffd2")) == decode(
        "smartends/brighterbins", 1, frame.format("0000")
    )


@pytest.mark.parametrize("event", [2, 3, 4, 6, 7])
def test_events_of_unknown_form_are_refused(event: int) -> None:
    """The kind of event has three bits."""
    with pytest.raises(MalformedPayload, match=f"kind of event is {event}"):
        decode("smartends/brighterbins", 1, "00" * 8 + f"{event << 2 | 3:02x}")


@pytest.mark.parametrize("payload", ["", "30", "308e", "0031", "308e3130", "63c2", "00" * 8 + "07"])
def test_other_lengths_are_refused(payload: str) -> None:
    """Each kind of frame has its own length."""
    with pytest.raises(DecodeError):
        decode("smartends/brighterbins", 1, payload)
