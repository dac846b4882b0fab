"""Draws dashboards from what their queries find in the simulated city, the same each time. Needs influxd.

`python -m tests.ingest.grafana.dashboards.pictures [FOLDER]`
"""

import asyncio
import itertools
import json
import sys
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from ingest.grafana.dashboards.build import dashboards
from ingest.grafana.dashboards.picture import Ask, drawn
from ingest.grafana.dashboards.picture_panels import Found
from ingest.grafana.dashboards.target import SOURCES
from tests.doubles.influxd import MISSING_PROCESS, Database, executable, running
from tests.ingest.grafana.dashboards.filled import Town, filled
from tests.ingest.grafana.dashboards.town import DAY, END

FOLDER = Path(__file__).parents[4] / "docs" / "pictures"


def asking(town: Town) -> Ask:
    """What queries find there, series by series."""

    def ask(query: str, uid: str) -> Sequence[Found]:
        bucket = next(town.buckets[name] for name, known in SOURCES.items() if known == uid)
        form = urllib.parse.urlencode({"q": query, "db": bucket, "epoch": "ms"}).encode()
        headers = {"Authorization": f"Token {town.server.token}"} if town.server.token else {}
        request = urllib.request.Request(f"{town.server.url}/query", form, headers)  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - the same
            (result,) = json.load(answer)["results"]
        series = result.get("series", [])
        return [Found(each.get("tags", {}), each["columns"], each["values"]) for each in series]

    return ask


async def fill(server: Database, folder: Path) -> Town:
    """The example city as it is shipped."""
    numbers = itertools.count()

    def new_bucket() -> str:
        name = f"pictures_{next(numbers)}"
        server.create(name)
        return name

    return await filled(server, new_bucket, folder, by_hand=False)


def main(folder: Path) -> None:
    """Write the pictures of all dashboards, the public one where there are two."""
    program = executable()
    if program is None:
        raise SystemExit(MISSING_PROCESS)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "influxd").mkdir()
        with running(program, Path(place) / "influxd") as server:
            ask = asking(asyncio.run(fill(server, Path(place))))
            for uid, board in {**dashboards("en", "internal"), **dashboards("en", "open")}.items():
                name = uid.removeprefix("stadtfunk-").removesuffix("-en")
                (folder / f"{name}.svg").write_text(drawn(board, ask, END - DAY, END), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
