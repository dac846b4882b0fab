"""README.md is true: its figures, its links, and the settings that it and other pages propose."""

import json
import re
from pathlib import Path

import pytest

from ingest.settings import load
from tests.docs.follow import steps
from tests.docs.pages import ROOT, documents

README = (ROOT / "README.md").read_text(encoding="utf-8")
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMED = re.compile(r"`((?:decoders|rules|ingest|simulator|deploy|docs|tests|benchmarks)/[\w./*-]*)`")
MADE = {"deploy/state", "deploy/.env", "deploy/state/accounts"}
"""What the first start makes."""
PAGES_WITH_SETTINGS = ("README.md", "docs/privacy.md", "docs/security.md", "docs/rules.md")


def anchors(text: str) -> set[str]:
    """The places in a page that a link can name."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_demo_has_as_many_sensors_as_it_says() -> None:
    """Those of the example city."""
    city = json.loads((ROOT / "deploy" / "city" / "hamm.geojson").read_text(encoding="utf-8"))
    devices = sum(len(feature["properties"].get("devices", [])) for feature in city["features"])
    for path in ("README.md", "docs/index.md"):
        assert f"{devices} simulated sensors" in (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file_of_the_repository(path: Path) -> None:
    """As one reads it without building the site: each file, and each place in a page, is there."""
    for link in LINK.findall(path.read_text(encoding="utf-8")):
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link


@pytest.mark.parametrize("page", PAGES_WITH_SETTINGS)
def test_the_settings_of_a_page_are_taken(page: str, tmp_path: Path) -> None:
    """Every block of settings that it shows is read without complaint."""
    blocks = re.findall(r"```toml\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    ours = [text for text in blocks if not text.startswith("[integration")]
    assert ours
    for text in ours:
        (tmp_path / "stadtfunk.toml").write_text(text, encoding="utf-8")
        load(tmp_path / "stadtfunk.toml")


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_a_page_names_are_there(path: Path) -> None:
    """A path or pattern of the repository's own folders, wherever it stands in the text; or the page makes it."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    made = MADE | {step.subject for step in steps(path) if step.kind == "file"}
    for name in NAMED.findall(text):
        assert name in made or list(ROOT.glob(name.rstrip("/"))), name
