"""docs/ as a site: built as `make docs` builds it, read as a browser reads it."""

import importlib.util
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[2]
BUILD_S = 100
OWN = {"", "data"}
CLICKED = {("a", "href"), ("form", "action")}
"""What a browser follows only when its reader asks it to."""

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("mkdocs") is None, reason="needs MkDocs: `make docs` installs the extra docs"
    ),
    pytest.mark.xdist_group("site"),
]


class Page(HTMLParser):
    """What a browser fetches for a page without being asked, what its links lead to, its anchors, its policy."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.policy = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Sort what an element names."""
        named = {key: value or "" for key, value in attrs}
        if named.get("http-equiv") == "Content-Security-Policy":
            self.policy = named["content"]
        if "id" in named:
            self.anchors.add(named["id"])
        for key in ("src", "srcset", "href", "data", "poster", "action"):
            if key in named:
                (self.links if (tag, key) in CLICKED else self.fetched).append(named[key])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; building it gives no warning."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=BUILD_S, check=False
    )
    said = done.stdout + done.stderr
    assert (done.returncode, "WARNING" in said) == (0, False), said
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    """Every page by its file."""
    return {path: Page(path) for path in site.rglob("*.html")}


def test_every_document_is_a_page(site: Path, pages: dict[Path, Page]) -> None:
    """All of docs/ and the changelog are there; what programs read is there as it is."""
    documents = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")}
    assert len(documents) > 20
    assert {site / path.with_suffix(".html") for path in documents} | {site / "changelog.html"} <= set(pages)
    for path in (ROOT / "docs" / "events").iterdir():
        assert (site / "events" / path.name).read_bytes() == path.read_bytes()
    assert not list(site.rglob("*.py[co]"))
    assert not (site / "site_hooks.py").exists()


def test_no_document_stands_in_the_navigation_twice() -> None:
    """Neither by its name nor by its folder."""
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").split("\nnav:", 1)[1]
    named = re.findall(r"([\w-]+(?:\.md|/))$", text, re.MULTILINE)
    assert len(named) > 20
    assert sorted(set(named)) == sorted(named)


def test_no_page_asks_a_foreign_host(site: Path, pages: dict[Path, Page]) -> None:
    """Neither by what it names, nor by its style sheets, nor, thanks to its policy, by any script."""
    for path, page in pages.items():
        assert page.fetched, path
        assert [name for name in page.fetched if urlsplit(name).scheme not in OWN or urlsplit(name).netloc] == [], path
        sources = re.findall(r"default-src ([^;]*);", page.policy)
        assert sources == ["'self' file: data: blob: 'unsafe-inline'"], path
        assert not re.search(r"(script|connect|img|style|font|worker|frame)-src", page.policy)
    sheets = list(site.rglob("*.css"))
    assert sheets
    for sheet in sheets:
        text = sheet.read_text(encoding="utf-8")
        assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", text), sheet


def test_every_link_has_an_end(site: Path, pages: dict[Path, Page]) -> None:
    """A link into the site leads to a file that is there, and to a place that its page has."""
    checked = 0
    for path, page in pages.items():
        if path.name == "404.html":
            continue
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / parts.path).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            assert target.is_file(), (path.relative_to(site), link)
            if parts.fragment and target in pages:
                assert parts.fragment in pages[target].anchors, (path.relative_to(site), link)
            checked += 1
    assert checked > len(pages) * 10


def test_the_policy_stands_before_what_it_guards(pages: dict[Path, Page]) -> None:
    """A browser obeys a policy from where it stands: it is the first thing in the head."""
    for path in pages:
        head = path.read_text(encoding="utf-8").partition("<head>")[2]
        assert head.startswith('<meta http-equiv="Content-Security-Policy"')
