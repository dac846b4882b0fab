"""The dashboards that are kept in the repository, and the command that writes them."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner

from ingest.commands.error import CommandError
from ingest.commands.provision_grafana import grafana
from ingest.grafana.dashboards.build import files, pages
from ingest.grafana.dashboards.target import SOURCES

GRAFANA = Path(__file__).parents[4] / "deploy" / "grafana"
KEPT = GRAFANA / "dashboards"
IN_CONTAINER = "/var/lib/dashboards/"
app = typer.Typer()
app.command()(grafana)


def run(*words: str) -> tuple[int, str]:
    """Exit code and output of the command."""
    result = CliRunner().invoke(app, list(words))
    if isinstance(result.exception, CommandError):
        raise result.exception
    return result.exit_code, result.output


def provisioned(name: str) -> dict[str, Any]:
    """A file of Grafana's provisioning."""
    found: dict[str, Any] = yaml.safe_load((GRAFANA / "provisioning" / name / "stadtfunk.yaml").read_text("utf-8"))
    return found


def test_what_is_kept_is_fresh() -> None:
    """The files are as the code writes them; `stadtfunk provision grafana --build deploy/grafana/dashboards` does."""
    wanted = {KEPT / path: text for path, text in files()}
    stale = [str(path) for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
    assert stale == []
    assert sorted(KEPT.rglob("*.json")) == sorted(wanted)


def test_pages_are_the_files() -> None:
    """As generated documents they have the same names and texts."""
    assert [(name, page()) for name, page in pages()] == [(str(path), text) for path, text in files()]


def test_the_command_writes_what_differs(tmp_path: Path) -> None:
    """All at first, nothing the second time, and again the one that somebody changed."""
    code, said = run("--build", str(tmp_path), "--json")
    assert (code, len(json.loads(said)["written"])) == (0, 26)
    assert run("--build", str(tmp_path)) == (0, "0 dashboards written, 26 as they should be\n")
    changed = tmp_path / "de" / "open" / "waste.json"
    changed.write_text("{}")
    code, said = run("--build", str(tmp_path))
    assert said == "written: de/open/waste.json\n1 dashboards written, 25 as they should be\n"
    assert json.loads(changed.read_text("utf-8"))["uid"] == "stadtfunk-waste-de"


def test_one_language_alone(tmp_path: Path) -> None:
    """Only its folder is made, and tiles that are set stand in the maps."""
    tiles = "https://tiles.example/{z}/{x}/{y}.png"
    assert run("--build", str(tmp_path), "--language", "en", "--map-tiles", tiles)[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["en"]
    assert tiles in (tmp_path / "en" / "open" / "overview.json").read_text("utf-8")


@pytest.mark.parametrize("tiles", ["tiles.example", "https://tiles.example/{z}/{x}.png", "javascript:{z}{x}{y}"])
def test_an_address_without_places_is_wrong_usage(tmp_path: Path, tiles: str) -> None:
    """Exit code 2, and nothing is written."""
    assert run("--build", str(tmp_path), "--map-tiles", tiles)[0] == 2
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    """The error names the path."""
    (tmp_path / "de").write_text("in the way")
    with pytest.raises(CommandError, match=r"--build .*de/open/overview.json: "):
        run("--build", str(tmp_path))


def test_provisioning_names_what_is_there() -> None:
    """Every folder that Grafana is told of holds dashboards, and all data sources that they ask are provided."""
    for provider in provisioned("dashboards")["providers"]:
        path = provider["options"]["path"]
        assert path.startswith(IN_CONTAINER)
        assert list((KEPT / path.removeprefix(IN_CONTAINER)).glob("*.json"))
        assert provider["allowUiUpdates"] is False
    sources = provisioned("datasources")["datasources"]
    assert {source["uid"] for source in sources} == set(SOURCES.values())
    for source in sources:
        assert source["jsonData"]["version"] == "InfluxQL"
        assert source["jsonData"]["dbName"] == source["uid"].replace("-", "_")
        assert source["secureJsonData"] == {"httpHeaderValue1": "Token $__file{/run/state/reader}"}
