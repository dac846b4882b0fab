"""The errors of this package.

DecodeError
├── UnknownPort         the codec has no frame on this f_port
├── WrongLength         the frame is shorter or longer than its layout
├── MalformedPayload    a type, version or value that the format does not know
├── MissingParameter    the codec needs a figure of the device (range, height …) that is not set
├── MappingError        a decoded object in which nothing is known, or a table that is none
└── ScriptError         a vendor's JavaScript that cannot be loaded, or failed on a payload
    ├── ScriptTimeout   it did not answer in time
    │   └── ScriptHung  it did not even heed its time limit, and was ended from outside
    └── ScriptRefused   it did not answer in time too often, and is not asked for a while
EncodeError             readings that the format cannot carry
UnknownCodec            no codec has this id

Messages may quote what a device or a vendor's file said; in them everything that is not printable is escaped, so that
they are one line that can be stored and shown.
"""


def printable(text: str) -> str:
    """The text with line ends, control characters, lone surrogates and the like written as escapes."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


class DecodeError(ValueError):
    """A payload that its codec cannot read; the message names the value and what was expected."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


class UnknownPort(DecodeError):
    """The codec has no frame on this f_port."""


class WrongLength(DecodeError):
    """The frame is shorter or longer than its layout."""


class MalformedPayload(DecodeError):
    """A type, version or value that the format does not know."""


class MissingParameter(DecodeError):
    """The codec needs a figure of the device that is not set."""


class MappingError(DecodeError):
    """A decoded object in which nothing is known, or a mapping table that is none."""


class ScriptError(DecodeError):
    """A vendor's JavaScript that cannot be loaded, or failed on a payload."""


class ScriptTimeout(ScriptError):
    """A vendor's JavaScript that did not answer in time."""


class ScriptHung(ScriptTimeout):
    """A vendor's JavaScript that did not heed its time limit, and had to be ended from outside."""


class ScriptRefused(ScriptError):
    """A vendor's JavaScript that is not asked for a while, for it did not answer in time too often."""


class EncodeError(ValueError):
    """Readings that the format cannot carry."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


class UnknownCodec(KeyError):
    """No codec has this id."""

    def __str__(self) -> str:
        return str(self.args[0])
