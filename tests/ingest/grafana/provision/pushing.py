"""The command that pushes, as tests run it: beside the double's loop, with files for every secret."""

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import typer
from typer.testing import CliRunner

from ingest.commands.error import CommandError
from ingest.commands.provision_grafana import grafana
from tests.doubles.grafana_server import PASSWORD, TOKEN, GrafanaServer

TOKENS = {name: f"influx-token-of-{name}" for name in ("open", "internal", "personal")}
WEBHOOK = "https://alarm.example/hook/a-secret-in-it"
app = typer.Typer()
app.command()(grafana)


class Said(NamedTuple):
    """How a run ended: exit code, lines of standard output, and the one line of an error."""

    code: int
    lines: list[str]
    error: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - what was said as JSON
        """The object that was printed."""
        return json.loads("\n".join(self.lines))


class Pusher:
    """Runs the command in a folder of its own."""

    def __init__(self, folder: Path, server: GrafanaServer) -> None:
        self.folder = folder
        self._write("password", PASSWORD)
        self._write("token", TOKEN)
        self._write("webhook", WEBHOOK)
        for name, token in TOKENS.items():
            self._write(name, token)
        self.settings = folder / "stadtfunk.toml"
        self.settings.write_text(
            f'[grafana]\nurl = "{server.url}"\ntimeout_s = 20\n[influxdb]\nurl = "http://influxdb.example:8086"\n'
            f'[journal]\npath = "{folder / "journal.db"}"\n[http]\nenabled = false\n',
            encoding="utf-8",
        )

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(f"{text}\n", encoding="utf-8")

    async def __call__(
        self, *words: str, classes: Iterable[str] = ("open", "internal"), who: str = "password", language: str = "de"
    ) -> Said:
        """Run it with the secrets of these classes; `who` is password or token."""
        files = [f"--admin-{who}-file", str(self.folder / who)]
        for name in classes:
            files += [f"--{name}-token-file", str(self.folder / name)]
        given = ["-c", str(self.settings), "--language", language, *files, *words]
        result = await asyncio.to_thread(CliRunner().invoke, app, given)
        if result.exception is not None and not isinstance(result.exception, CommandError | SystemExit):
            raise result.exception
        error = str(result.exception) if isinstance(result.exception, CommandError) else ""
        return Said(result.exit_code, result.stdout.splitlines(), error)
