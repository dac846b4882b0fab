"""Writes the arterial's files: `python -m simulator.sumo.build FOLDER` (netconvert of eclipse-sumo must be on PATH)."""

import re
import subprocess
import sys
from pathlib import Path

from simulator.sumo.network import plain
from simulator.sumo.programmes import programmes

NETWORK = "arterial.net.xml"


def build(folder: Path) -> None:
    """The plain files, and the network that netconvert makes of them by the folder's `arterial.netccfg`."""
    for name, text in plain(programmes()).items():
        (folder / name).write_text(text, encoding="utf-8")
    subprocess.run(["netconvert", "-c", "arterial.netccfg"], cwd=folder, check=True)  # noqa: S607 - found on PATH
    network = folder / NETWORK
    network.write_text(without_comments(network.read_text(encoding="utf-8")), encoding="utf-8")


def without_comments(text: str) -> str:
    """XML without the comment that says when and from where it was made, so that the same input gives the same file."""
    return re.sub(r"\s*<!--.*?-->", "", text, flags=re.DOTALL)


if __name__ == "__main__":
    build(Path(sys.argv[1]))
