"""Where a running service listens and with which token: a file beside the journal, for commands on this machine."""

import json
from pathlib import Path


def token_path(journal: Path) -> Path:
    """The file beside the journal that says where the service listens and with which token."""
    return journal.with_name(journal.name + ".http")


def write_token(journal: Path, url: str, token: str) -> None:
    """Leave address and token for commands on this machine, readable by the same user only."""
    path = token_path(journal)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps({"url": url, "token": token}))
