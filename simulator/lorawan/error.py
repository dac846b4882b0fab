"""The errors of this package.

FrameError      bytes that are no LoRaWAN frame, or none of this key's; the message says what is wrong
"""


class FrameError(ValueError):
    """No LoRaWAN frame, or none of this key's."""
