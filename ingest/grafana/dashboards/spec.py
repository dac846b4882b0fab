"""What a dashboard is made of, before it is rendered: panels, queries, words in both languages.

Queries are InfluxQL with Grafana's macros. `text_@` in one stands for the text field of the reader's language.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, TypeAlias

Language = Literal["de", "en"]
Organisation = Literal["open", "internal"]
"""Whose eyes: an organisation of Grafana each, for whoever may look at a data source may send it any query."""
Kind = Literal["lines", "bars", "stat", "table", "map", "states", "history", "levels"]
LANGUAGES: tuple[Language, ...] = ("de", "en")
ORGANISATIONS: tuple[Organisation, ...] = ("open", "internal")


class Text(NamedTuple):
    """Words for people, in both languages."""

    de: str
    en: str


def text(de: str, en: str) -> Text:
    """The same in German and English."""
    return Text(de, en)


def said(words: Text | str, language: Language) -> str:
    """The words in a language; a plain string is the same in all."""
    if isinstance(words, str):
        return words
    return words.de if language == "de" else words.en


Step: TypeAlias = tuple[float | None, str]
"""From which value on which colour; the first has None."""
Steps: TypeAlias = tuple[Step, ...]


class Code(NamedTuple):
    """What a number or word in the data means."""

    words: Text
    colour: str


@dataclass(frozen=True, slots=True)
class Query:
    """One InfluxQL query; `source` is the class of the bucket that it asks, `alias` how its series are called.

    `tags` are those that stand beside what it finds.
    """

    ask: str
    source: Organisation = "open"
    alias: Text | str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """How a field of a table or map is shown."""

    name: str
    title: Text
    unit: Text | str = "none"
    decimals: int | None = None
    steps: Steps = ()
    codes: Mapping[str, Code] = field(default_factory=dict)
    hidden: bool = False


DAILY: Final = "1d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel; `unit` is Grafana's id of a unit, `every` the shortest interval that makes sense for its data.

    Its organisation is that of its most private query. `values` are the fields that a map's layers are coloured by.
    What is known once a day (`every` is DAILY) is shown for the last 30 days, whatever span the reader looks at.
    """

    kind: Kind
    title: Text
    description: Text
    queries: tuple[Query, ...]
    unit: Text | str
    steps: Steps
    width: int = 12
    height: int = 8
    decimals: int | None = None
    low: float | None = None
    high: float | None = None
    every: str = "5m"
    codes: Mapping[str, Code] = field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    values: tuple[str, ...] = ()
    stacked: bool = False
    rename: tuple[str, str] | None = None
    """A regular expression for names of series, and what to show in its place."""
    calm: Text | None = None
    """What stands there when nothing is found, where that is no fault."""

    @property
    def organisation(self) -> Organisation:
        """Whose eyes it is for."""
        return "internal" if any(query.source == "internal" for query in self.queries) else "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """An annotation query on the Influx measurement `event`."""

    title: Text
    condition: str
    colour: str
    source: Organisation = "open"
    shown: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A template variable; its values are those of a query: all of them at first where `everything`, else the first."""

    name: str
    title: Text
    ask: str
    source: Organisation = "open"
    everything: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """One dashboard; `name` is part of its uid, which never changes."""

    name: str
    title: Text
    description: Text
    panels: tuple[Panel, ...]
    variables: tuple[Variable, ...]
    notes: tuple[Notes, ...] = ()
    span: str = "now-24h"
