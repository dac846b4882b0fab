# ruff: noqa: INP001 - MkDocs loads this file by its path
"""What MkDocs does beyond mkdocs.yml: folders in the navigation, the changelog as a page, no word to foreign hosts."""

from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

POLICY = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'self' file: data: blob: 'unsafe-inline'; object-src 'none'; base-uri 'self'\">"
)
"""Whatever a theme's script would fetch, a browser asks nobody but the place that the page came from."""
CHANGELOG = "CHANGELOG.md"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Write out the folders of the navigation."""
    config.nav = _written_out(config.nav or [], Path(config.docs_dir))
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """The changelog stands beside docs/, where people look for it."""
    path = Path(config.docs_dir).parent / CHANGELOG
    files.append(File.generated(config, CHANGELOG.lower(), content=path.read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Links to the changelog lead to its page."""
    return markdown.replace(f"](../{CHANGELOG})", f"]({CHANGELOG.lower()})")


def on_post_page(output: str, **_: object) -> str:
    """Each page tells the browser whom it may ask."""
    return _guarded(output)


def on_post_template(output_content: str, *, template_name: str, **_: object) -> str:
    """So does what is no page, as 404.html."""
    return _guarded(output_content) if template_name.endswith(".html") else output_content


def _guarded(html: str) -> str:
    head, found, rest = html.partition("<head>")
    if not found:
        raise ValueError("a page without <head>")
    return f"{head}{found}{POLICY}{rest}"


def _written_out(nav: list[Any], docs: Path) -> list[Any]:
    """The navigation with each `folder/` as the list of its pages; a folder without pages is left out."""
    found = []
    for entry in nav:
        if not isinstance(entry, dict):
            found.append(entry)
            continue
        ((title, value),) = entry.items()
        inner: Any = value
        if isinstance(value, list):
            inner = _written_out(value, docs)
        elif value.endswith("/"):
            inner = [f"{value}{page.name}" for page in sorted((docs / value).glob("*.md"))]
        if inner:
            found.append({title: inner})
    return found
