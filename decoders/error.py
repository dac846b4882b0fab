"""The errors of this package.

DecodeError
├── UnknownPort         the codec has no frame on this f_port
├── WrongLength         the frame is shorter or longer than its layout
├── MalformedPayload    a type, version or value that the format does not know
└── MissingParameter    the codec needs a figure of the device (range, height …) that is not set
EncodeError             readings that the format cannot carry
UnknownCodec            no codec has this id
"""


class DecodeError(ValueError):
    """A payload that its codec cannot read; the message names the value and what was expected."""


class UnknownPort(DecodeError):
    """The codec has no frame on this f_port."""


class WrongLength(DecodeError):
    """The frame is shorter or longer than its layout."""


class MalformedPayload(DecodeError):
    """A type, version or value that the format does not know."""


class MissingParameter(DecodeError):
    """The codec needs a figure of the device that is not set."""


class EncodeError(ValueError):
    """Readings that the format cannot carry."""


class UnknownCodec(KeyError):
    """No codec has this id."""

    def __str__(self) -> str:
        return str(self.args[0])
