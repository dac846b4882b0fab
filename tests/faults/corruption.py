"""Pages of the journal are damaged while the service is away: the next start saves the rest and says what is lost."""

import contextlib
import random
import re
import shutil
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import aiohttp

from ingest.journal_salvage import Salvage, read_report
from tests.faults.balance import Imbalance, Pair, check_uplinks, published
from tests.faults.harness import service
from tests.faults.stage import Result, Run, Stage, staged

PAGE_BYTES = 4096
STARTS = 3
"""Starts that may be needed: damage can show itself only when the service comes upon it, and then it ends."""
LINK = re.compile(rb"^link,[^ ]*dev_eui=([0-9a-f]+)[^ ]* [^ ]*f_cnt=([0-9.]+)", re.MULTILINE)


class Fault(NamedTuple):
    """One damage: its kind, the uplinks whose lines stood in the journal only, the salvages that followed."""

    kind: str
    at_risk: Counter[Pair]
    salvages: list[Salvage]

    @property
    def told(self) -> bool:
        """Whether a loss by it was told; the end of a log cannot be told from that of a service that was killed."""
        found = any(told(one, "points") or one.notes for one in self.salvages)
        return found or self.kind.endswith("log")


def told(salvage: Salvage, table: str) -> bool:
    """Whether it says that the table lost anything."""
    return any(salvage.tables[table][1:])


async def corrupt_journal(run: Run) -> Result:
    """Under load and with a sink that takes nothing the service is killed, and its files are damaged.

    It must start again. What is missing in the end stood in the journal only, and the salvage says that it lost some;
    rows whose checksum did not fit are dead letters with their bytes.
    """
    faults: list[Fault] = []
    async with staged(run) as stage:
        async with stage.life() as first:
            stage.publish()
            await stage.moving()
            await first.end(signal.SIGTERM)
        kinds = stage.rng.sample(list(DAMAGES), len(DAMAGES))
        for number in range(run.faults):
            async with stage.life() as life:
                with _sink_away(stage.installation.store):
                    await stage.moving(100)
                    await life.end(signal.SIGKILL)
            at_risk = _lines_waiting(stage)
            kind = kinds[number % len(kinds)]
            DAMAGES[kind](stage.installation.journal, stage.rng)
            faults.append(Fault(kind, at_risk, await _start_again(stage)))
        await stage.quiet()
        async with stage.life() as last:
            await stage.emptied(last)
            if await last.end(signal.SIGTERM) != 0:
                raise Imbalance("the service did not end in order")
        return Result(len(faults), stage.traffic.sent, _check(stage, faults))


@contextlib.contextmanager
def _sink_away(store: Path) -> Iterator[None]:
    """The embedded store is locked by somebody else."""
    connection = sqlite3.connect(store, isolation_level=None, timeout=30)
    try:
        connection.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        connection.close()


def _flip(file: Path, rng: random.Random) -> None:
    content = bytearray(file.read_bytes())
    for at in rng.sample(range(len(content)), min(len(content), rng.randint(1, 10))):
        content[at] ^= 1 << rng.randrange(8)
    file.write_bytes(content)


def _wipe(file: Path, rng: random.Random) -> None:
    content = bytearray(file.read_bytes())
    for page in rng.sample(range(len(content) // PAGE_BYTES), min(len(content) // PAGE_BYTES, rng.randint(1, 3))):
        content[page * PAGE_BYTES : (page + 1) * PAGE_BYTES] = bytes(PAGE_BYTES)
    file.write_bytes(content)


def _cut(file: Path, rng: random.Random) -> None:
    with file.open("r+b") as opened:
        opened.truncate(rng.randrange(file.stat().st_size // 2, file.stat().st_size))


def _log(journal: Path) -> Path:
    return journal.with_name(f"{journal.name}-wal")


def _change_row(journal: Path, rng: random.Random) -> None:
    """Another time in the last line of a row, under the old checksum, in a file that is whole to SQLite."""
    with contextlib.closing(sqlite3.connect(journal)) as connection:
        seq, body = rng.choice(connection.execute("SELECT seq, body FROM points").fetchall())
        changed = body[:-1] + bytes([body[-1] ^ 1])
        connection.execute("UPDATE points SET body = ? WHERE seq = ?", (changed, seq))
        connection.commit()


DAMAGES: dict[str, Callable[[Path, random.Random], None]] = {
    "bits in the file": _flip,
    "pages of the file": _wipe,
    "end of the file": _cut,
    "bits in the log": lambda journal, rng: _flip(_log(journal), rng),
    "a row": _change_row,
    "end of the log": lambda journal, rng: _cut(_log(journal), rng),
}


async def _start_again(stage: Stage) -> list[Salvage]:
    """Start until it runs; what was salvaged."""
    before = _kept(stage)
    for _ in range(STARTS):
        async with service(stage.installation) as life:
            try:
                await life.connected()
            except (OSError, ValueError, aiohttp.ClientError) as error:
                if await life.process.wait() != 1:
                    raise Imbalance(f"the service ended with {life.process.returncode} on a damaged journal") from error
                continue
            await stage.pause(0.3, 0.6)
            if await life.end(signal.SIGTERM) == 0:
                break
    else:
        raise Imbalance(f"the service did not start on a damaged journal in {STARTS} attempts")
    new = [read_report(path) for path in _kept(stage) - before]
    if new and "the journal was damaged" not in stage.installation.log.read_text(errors="replace"):
        raise Imbalance("the journal was salvaged, and the log does not say so")
    return new


def _kept(stage: Stage) -> set[Path]:
    journal = stage.installation.journal
    return set(stage.folder.glob(f"{journal.name}.damaged-*Z"))


def _lines_waiting(stage: Stage) -> Counter[Pair]:
    """The uplinks whose lines wait in the journal that the killed service left, read from a copy."""
    copy = stage.folder / "intact.db"
    for suffix in ("", "-wal", "-shm"):
        Path(f"{copy}{suffix}").unlink(missing_ok=True)
    for suffix in ("", "-wal"):
        with contextlib.suppress(FileNotFoundError):
            shutil.copy(f"{stage.installation.journal}{suffix}", f"{copy}{suffix}")
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        bodies = [row[0] for row in connection.execute("SELECT body FROM points")]
    return Counter(pair for body in bodies for pair in _pairs(body))


def _pairs(body: bytes) -> list[Pair]:
    return [(name.decode(), int(float(number))) for name, number in LINK.findall(body)]


def _check(stage: Stage, faults: list[Fault]) -> str:
    """Nothing is missing that was not at risk, and no loss is silent; a word on what happened."""
    expected, found = published(stage.traffic), stage.points.links()
    missing = expected - found
    check_uplinks(found, expected - missing)
    query = "SELECT payload FROM dead_letter WHERE source LIKE 'journal/points/%'"
    letters = Counter(pair for row in stage.installation.journal_rows(query) for pair in _pairs(row[0]))
    for pair in missing - letters:
        causes = [fault for fault in faults if pair in fault.at_risk]
        if not causes:
            raise Imbalance(f"{pair} is missing and did not stand in a damaged journal only")
        if causes[0].kind == "a row" and any(told(one, "dead_letter") for fault in faults for one in fault.salvages):
            continue
        if not any(fault.told for fault in causes):
            raise Imbalance(f"{pair} is lost by {causes[0].kind}, and no salvage said that it lost anything")
    kinds = ", ".join(sorted({fault.kind for fault in faults}))
    salvages = sum(len(fault.salvages) for fault in faults)
    return (
        f"{salvages} salvages ({kinds}); {missing.total()} uplinks lost, {(missing & letters).total()} in dead letters"
    )
