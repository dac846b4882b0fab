"""What is said of containers and tours in German and English."""

from collections.abc import Iterable
from typing import Final, NamedTuple


class Words(NamedTuple):
    """The same in German and English; as a string the English, which errors and logs speak."""

    de: str = ""
    en: str = ""

    def __str__(self) -> str:
        return self.en


NO_WORDS: Final = Words()
FRACTION_NAMES: Final = {
    "residual": Words("Restabfall", "residual waste"),
    "organic": Words("Bioabfall", "organic waste"),
    "packaging": Words("Leichtverpackungen", "packaging"),
    "paper": Words("Papier", "paper"),
    "glass": Words("Glas", "glass"),
    "textile": Words("Textilien", "textiles"),
    "bulky": Words("Sperrmüll", "bulky waste"),
    "green": Words("Grünabfall", "green waste"),
}


def fraction_of(name: str) -> Words:
    """What people call a fraction; its name in the city's file where that is one of the city's own."""
    return FRACTION_NAMES.get(name, Words(name, name))


def joined(parts: Iterable[Words], between: str = "; ") -> Words:
    """All of it in a row."""
    listed = list(parts)
    return Words(between.join(part.de for part in listed), between.join(part.en for part in listed))
