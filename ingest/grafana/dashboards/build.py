"""All dashboards of a language and an organisation, as Grafana's JSON, and the files that hold them."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ingest.grafana.dashboards.catalog import DASHBOARDS, INTERNAL_ONLY
from ingest.grafana.dashboards.panels import Look
from ingest.grafana.dashboards.render import rendered
from ingest.grafana.dashboards.spec import LANGUAGES, ORGANISATIONS, Language, Organisation


def dashboards(language: Language, organisation: Organisation, tiles: str | None = None) -> dict[str, dict[str, Any]]:
    """The models of the dashboards that this organisation may see, by uid; `tiles` is an address with {z}, {x}, {y}.

    Without one maps have no ground, and no browser asks a foreign host.
    """
    look = Look(language, organisation, tiles)
    chosen = (each for each in DASHBOARDS if organisation == "internal" or each.name not in INTERNAL_ONLY)
    return {look.uid(each.name): rendered(each, look) for each in chosen}


def files(languages: tuple[Language, ...] = LANGUAGES, tiles: str | None = None) -> Iterator[tuple[Path, str]]:
    """Where each dashboard stands below the folder of dashboards, and what the file says."""
    for language in languages:
        for organisation in ORGANISATIONS:
            for uid, model in dashboards(language, organisation, tiles).items():
                name = uid.removeprefix("stadtfunk-").removesuffix(f"-{language}")
                yield Path(language, organisation, f"{name}.json"), written(model)


def written(model: dict[str, Any]) -> str:
    """A model as its file has it."""
    return json.dumps(model, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def pages() -> Iterator[tuple[str, Callable[[], str]]]:
    """The files as generated documents: name below the folder of dashboards, and what makes the text."""
    for path, text in files():
        yield str(path), partial(str, text)
