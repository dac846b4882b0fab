"""Play all scenes, and write their scores over the committed ones: `python -m tests.simulator.score.renew [NAME …]`."""

import json
import sys
import tempfile
from pathlib import Path

import typer

from tests.simulator.score.compared import worse
from tests.simulator.score.scenes import COMMITTED, SCENES, played


def main(names: list[str]) -> None:
    """Play the scenes of these names, without names all, and say what became worse."""
    known = json.loads(COMMITTED.read_text(encoding="utf-8")) if COMMITTED.exists() else {}
    for scene in SCENES:
        if names and scene.name not in names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            score = played(scene, Path(folder))
        for complaint in worse(known[scene.name], score) if scene.name in known else ():
            typer.echo(f"{scene.name}: {complaint}")
        typer.echo(f"{scene.name} scored")
        known[scene.name] = score
    COMMITTED.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
