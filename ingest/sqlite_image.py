"""The pages of an SQLite database as its last commit left them, read without SQLite and around damage.

Formats: sqlite.org/fileformat2.html, sections 1.3 (header), 1.8 (pointer map) and 4 (write-ahead log).
"""

import mmap
import struct
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from operator import mul
from pathlib import Path
from typing import NamedTuple

MAGIC = b"SQLite format 3\0"
PAGE_BYTES = 4096
"""What SQLite takes unless told otherwise; believed when no header says it."""
WAL_HEADER_BYTES = 32
FRAME_HEADER_BYTES = 24
WAL_MAGICS = {0x377F0682: "<", 0x377F0683: ">"}
"""The first word of a write-ahead log, and the order of bytes in which its checksums are made."""
PENDING_BYTE = 0x40000000
"""The page that holds this byte of the file is never used."""
FREE = 2
ROOT = 1
BTREE = 5
PREVIEW_FRAMES = 64
"""Frames that are asked for the log's salts when its header is damaged."""


class Frame(NamedTuple):
    """One frame of the log: where its page stands, the database's pages after its commit (0: none), its checksum."""

    page: int
    commit_pages: int
    salts: bytes
    checksum: tuple[int, int]
    at: int


@dataclass(slots=True)
class Log:
    """What a write-ahead log holds: the newest intact copy of each page, as offset of its content."""

    newest: dict[int, int] = field(default_factory=dict)
    older: set[int] = field(default_factory=set)
    pages: int = 0
    broken: int = 0
    """Frames that do not fit their checksum, in transactions after which another one began: they were once whole."""


class Image:
    """A database file and its log; nothing is written. Pages count from 1."""

    def __init__(self, path: Path) -> None:
        self._file = _bytes(path)
        wal = _bytes(path.with_name(path.name + "-wal"))
        self.page_bytes = _page_bytes(self._file, wal)
        reserved = self._file[20] if self._file[:16] == MAGIC and len(self._file) > 20 else 0  # noqa: PLR2004 - offset
        self.usable = self.page_bytes - (reserved if reserved <= 32 else 0)  # noqa: PLR2004 - the most SQLite writes
        self._wal = wal
        self.log = read_log(wal, self.page_bytes)
        self.pages = self.log.pages or len(self._file) // self.page_bytes
        self._map_span = self.usable // 5 + 1

    def close(self) -> None:
        """Let go of the files."""
        for mapped in (self._file, self._wal):
            if isinstance(mapped, mmap.mmap):
                mapped.close()

    def field(self, at: int) -> int:
        """A number of the database's header, 0 where there is none."""
        return int.from_bytes(self.page(1)[at : at + 4])

    def page(self, number: int) -> bytes:
        """The content of a page, empty when it is not there."""
        at = self.log.newest.get(number)
        if at is not None:
            return bytes(self._wal[at : at + self.page_bytes])
        begin = (number - 1) * self.page_bytes
        content = bytes(self._file[begin : begin + self.page_bytes]) if 1 <= number <= self.pages else b""
        return content if len(content) == self.page_bytes else b""

    def is_map(self, number: int) -> bool:
        """Whether this is a page of the pointer map, or the one that is never used."""
        return number == self._map_of(number) or number == PENDING_BYTE // self.page_bytes + 1

    def pointer(self, number: int) -> tuple[int, int]:
        """What the pointer map says of a page: (type, parent); (0, 0) where it says nothing."""
        if number < 3 or number > self.pages or self.is_map(number):  # noqa: PLR2004 - the first page in the map
            return 0, 0
        entry = self._map_entry(number)
        return entry if entry[0] in {ROOT, FREE, 3, 4, BTREE} else (0, 0)

    def _map_of(self, number: int) -> int:
        page = (number - 2) // self._map_span * self._map_span + 2
        return page + 1 if page == PENDING_BYTE // self.page_bytes + 1 else page

    def _map_entry(self, number: int) -> tuple[int, int]:
        page = self._map_of(number)
        at = 5 * (number - page - 1)
        content = self.page(page)
        return (content[at], int.from_bytes(content[at + 1 : at + 5])) if content and at >= 0 else (0, 0)


@dataclass(slots=True)
class Commit:
    """The frames of one transaction: offsets by page, pages whose frame is damaged, and how many frames are."""

    newest: dict[int, int] = field(default_factory=dict)
    older: set[int] = field(default_factory=set)
    broken: int = 0
    pages: int = 0


def read_log(wal: "mmap.mmap | bytes", page_bytes: int) -> Log:
    """Apply the log's transactions in their order; what follows the last commit never happened.

    Each frame's checksum goes on from the one before, which is stored; so a damaged frame hides only itself. A last
    transaction with damaged frames may have been cut off before its commit was on the disk: it never happened, too.
    """
    log = Log()
    commits = _commits(wal, page_bytes)
    if commits and commits[-1].broken:
        commits.pop()
    for commit in commits:
        log.newest.update(commit.newest)
        log.older = (log.older - commit.newest.keys()) | commit.older
        log.pages = commit.pages or log.pages
        log.broken += commit.broken
    return log


def _commits(wal: "mmap.mmap | bytes", page_bytes: int) -> list[Commit]:
    frames = _frames(wal, page_bytes)
    if not frames:
        return []
    order, salts, seed = _start(wal, frames)
    if all(frame.salts != salts for frame in frames):
        return []
    checker = Checker(order, page_bytes)
    found: list[Commit] = []
    commit = Commit()
    for frame in frames:
        ours = frame.salts == salts
        if ours and checker.fits(wal, frame, seed):
            commit.newest[frame.page] = frame.at + FRAME_HEADER_BYTES
            commit.older.discard(frame.page)
            commit.pages = frame.commit_pages
        else:
            commit.broken += 1
            if ours:
                commit.older.add(frame.page)
        if ours and frame.commit_pages:
            found.append(commit)
            commit = Commit()
        seed = frame.checksum
    return found


class Checker:
    """The log's checksum, by weights: it is a sum in which each word counts as often as a Fibonacci number says."""

    def __init__(self, order: str, page_bytes: int) -> None:
        words = page_bytes // 4 + 2
        fibonacci = [0, 1]
        while len(fibonacci) < words + 2:
            fibonacci.append((fibonacci[-1] + fibonacci[-2]) & 0xFFFFFFFF)
        self._even = fibonacci[words - 1 :: -1][:words]
        self._odd = fibonacci[words:0:-1]
        self._seeds = fibonacci[words - 1 : words + 2]
        self._words = struct.Struct(f"{order}{words}I")
        self._page_bytes = page_bytes

    def fits(self, wal: "mmap.mmap | bytes", frame: Frame, seed: tuple[int, int]) -> bool:
        """Whether the frame is as it was written, when the one before it ended with this checksum."""
        head = bytes(wal[frame.at : frame.at + 8])
        begin = frame.at + FRAME_HEADER_BYTES
        words = self._words.unpack(head + bytes(wal[begin : begin + self._page_bytes]))
        low, middle, high = self._seeds
        first = sum(map(mul, self._even, words)) + low * seed[0] + middle * seed[1]
        second = sum(map(mul, self._odd, words)) + middle * seed[0] + high * seed[1]
        return (first & 0xFFFFFFFF, second & 0xFFFFFFFF) == frame.checksum


def _frames(wal: "mmap.mmap | bytes", page_bytes: int) -> list[Frame]:
    step = FRAME_HEADER_BYTES + page_bytes
    found: list[Frame] = []
    for at in range(WAL_HEADER_BYTES, len(wal) - step + 1, step):
        page, commit_pages, salts, first, second = struct.unpack_from(">II8sII", wal, at)
        found.append(Frame(page, commit_pages, salts, (first, second), at))
    return found


def _start(wal: "mmap.mmap | bytes", frames: list[Frame]) -> tuple[str, bytes, tuple[int, int]]:
    """Order of bytes, salts and first checksum; from the frames when the log's header is damaged.

    An intact header with which no frame agrees has just begun a new log over the old one, whose frames are in the
    database all of them.
    """
    magic, *_ = struct.unpack_from(">I", wal)
    first, second = struct.unpack_from(">II", wal, 24)
    order = WAL_MAGICS.get(magic, "<")
    salts = bytes(wal[16:24])
    if all(frame.salts != salts for frame in frames[:PREVIEW_FRAMES]) and not _is_whole(wal, order, (first, second)):
        pairs = Counter(one.salts for one, two in pairwise(frames[:PREVIEW_FRAMES]) if one.salts == two.salts)
        salts = next(iter(pairs), frames[0].salts)
    return order, salts, (first, second)


def _is_whole(wal: "mmap.mmap | bytes", order: str, checksum: tuple[int, int]) -> bool:
    """Whether the log's header is as it was written: its last two words are the checksum of the six before."""
    first = second = 0
    words = struct.unpack_from(f"{order}6I", wal)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = first + even + second & 0xFFFFFFFF
        second = second + odd + first & 0xFFFFFFFF
    return (first, second) == checksum


def _page_bytes(file: "mmap.mmap | bytes", wal: "mmap.mmap | bytes") -> int:
    sizes: list[int] = []
    if len(file) >= 18:  # noqa: PLR2004 - the field's end
        (size,) = struct.unpack_from(">H", file, 16)
        sizes.append(65536 if size == 1 else size)
    if len(wal) >= WAL_HEADER_BYTES:
        sizes.append(struct.unpack_from(">I", wal, 8)[0])
    return PAGE_BYTES if PAGE_BYTES in sizes else next((size for size in sizes if _is_page_size(size)), PAGE_BYTES)


def _is_page_size(size: int) -> bool:
    return 512 <= size <= 65536 and size & (size - 1) == 0  # noqa: PLR2004 - the format's bounds


def _bytes(path: Path) -> "mmap.mmap | bytes":
    """The file, mapped; empty when it is not there or empty."""
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (FileNotFoundError, ValueError):
        return b""
