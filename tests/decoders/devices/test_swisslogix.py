"""Swisslogix SLX-1307: lines of ASCII."""

import pytest

from decoders.error import MalformedPayload
from tests.decoders.named import decode, named


def test_leading_zeros_are_decimal() -> None:
    """The third party's decoder stumbles over 0000: here it is 0 mm."""
    assert named("swisslogix/slx-1307", 3, b"C0:0300".hex()) == {"distance": 300}
    assert named("swisslogix/slx-1307", 3, b"C0:0000".hex()) == {"distance": 0}


@pytest.mark.parametrize(
    "line", [b"", b"C0:", b"C0:182", b"C0:-182", b"C0:182700", b"C0:99999", b"?B:ABCD", b"?X:1", b"\x137"]
)
def test_other_lines_are_refused(line: bytes) -> None:
    """Lines that are cut, of no number, beyond the range, unknown."""
    with pytest.raises(MalformedPayload):
        decode("swisslogix/slx-1307", 3, line.hex())
