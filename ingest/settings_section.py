"""What all sections of the settings have in common: frozen, and refused with the key and what was expected."""

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, model_validator

LARGEST = 2**63 - 1
"""Of whole numbers: what SQLite can hold."""
UNWRITABLE = re.compile("[\0\ud800-\udfff]")


def known_keys(model: type[BaseModel], given: Any) -> Any:  # noqa: ANN401 - whatever a source holds
    """`given` as it is, or a ValueError that names an unknown key and the nearest known one."""
    known = list(model.model_fields)
    for key in given if isinstance(given, dict) else ():
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            raise ValueError(f"unknown key {key!r}; {hint}")
    return given


class Section(BaseModel):
    """Base of all sections: frozen, unknown keys refused with the nearest known one, numbers finite, texts writable."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown(cls, given: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        return known_keys(cls, given)

    @model_validator(mode="after")
    def _refuse_unusable(self) -> Self:
        for key, value in self:
            for item in _parts(value):
                if isinstance(item, int) and abs(item) > LARGEST:
                    raise ValueError(f"{key}: expected a number of at most 64 bits")
                if isinstance(item, str) and UNWRITABLE.search(item):
                    raise ValueError(f"{key}: expected text in UTF-8 without zero bytes")
        return self


def _parts(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from value
        yield from value.values()
    elif isinstance(value, SecretStr):
        yield value.get_secret_value()
    else:
        yield str(value) if isinstance(value, Path) else value


def http_url(url: str, instead: str) -> str:
    """The address of a server; raises ValueError, `instead` says what to do in place of a name and a password in it."""
    if "@" in url:
        raise ValueError(f"expected no name and password in it; {instead}")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("expected http://host or https://host, with a port and a path if need be")
    parts.port  # noqa: B018 - raises ValueError for a port that is none
    return url
