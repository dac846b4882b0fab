"""Rows out of the B-trees of an SQLite image, each for itself: what one damaged cell hides is that cell.

Formats: sqlite.org/fileformat2.html, sections 1.6 (B-tree pages, cells, overflow) and 2.1 (records).
"""

import struct
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from ingest.sqlite_image import BTREE, ROOT, Image

INTERIOR_INDEX = 2
INTERIOR_TABLE = 5
LEAF_INDEX = 10
LEAF_TABLE = 13
KINDS = {INTERIOR_INDEX, INTERIOR_TABLE, LEAF_INDEX, LEAF_TABLE}
DEEPEST = 40
"""Levels of a tree at most; a pointer map that leads on is damaged."""
LARGEST_ROW = 100_000_000
INTEGERS = (0, 1, 2, 3, 4, 6, 8)
"""Bytes of an integer, by its serial type."""

Value = int | float | str | bytes | None


class Cell(NamedTuple):
    """One row as stored: its rowid (None in an index tree), its values (None when they are not readable), its bytes."""

    rowid: int | None
    values: tuple[Value, ...] | None
    raw: bytes


class Damaged(ValueError):
    """Bytes that are not what the format says."""


def owners(image: Image, roots: set[int]) -> dict[int, set[int]]:
    """For each page the roots of the trees that claim it: by the pointers down, and by the pointer map up."""
    found: dict[int, set[int]] = defaultdict(set)
    for root in roots:
        _descend(image, root, found)
    for number in range(3, image.pages + 1):
        root = climb(image, number)
        if root in roots:
            found[number].add(root)
    return found


def _descend(image: Image, root: int, found: dict[int, set[int]]) -> None:
    waiting = [root]
    while waiting:
        number = waiting.pop()
        if root in found[number] or not 1 <= number <= image.pages:
            continue
        found[number].add(root)
        waiting += children(image, number)


def climb(image: Image, number: int) -> int:
    """The root of the tree in which a page stands, by the pointer map; 0 when it leads nowhere."""
    for _ in range(DEEPEST):
        kind, parent = image.pointer(number)
        if kind == ROOT:
            return number
        if kind != BTREE or parent == 1:
            return 1 if kind == BTREE else 0
        number = parent
    return 0


def children(image: Image, number: int) -> list[int]:
    """The pages below an interior page; those whose number cannot be are left out."""
    page = image.page(number)
    start = _start(number)
    if len(page) < start + 12 or page[start] not in {INTERIOR_INDEX, INTERIOR_TABLE}:
        return []
    (last,) = struct.unpack_from(">I", page, start + 8)
    found = [last, *(int.from_bytes(page[at : at + 4]) for at in _cell_offsets(page, start, image.usable))]
    return [child for child in found if 1 < child <= image.pages]


def kind(image: Image, number: int) -> int:
    """The type of a B-tree page, 0 when it is none."""
    page = image.page(number)
    found = page[_start(number)] if page else 0
    return found if found in KINDS else 0


def cells(image: Image, number: int) -> Iterator[Cell | None]:
    """The rows on a page, None for each that is not readable; none at all on a page without rows."""
    page = image.page(number)
    start = _start(number)
    if not page or page[start] not in KINDS - {INTERIOR_TABLE}:
        return
    for at in _cell_offsets(page, start, image.usable):
        try:
            yield _cell(image, page, at, page[start])
        except (IndexError, ValueError, struct.error):
            yield None


def _start(number: int) -> int:
    return 100 if number == 1 else 0


def _cell_offsets(page: bytes, start: int, usable: int) -> list[int]:
    (count,) = struct.unpack_from(">H", page, start + 3)
    first = start + (12 if page[start] in {INTERIOR_INDEX, INTERIOR_TABLE} else 8)
    end = min(first + 2 * count, usable - 1)
    return [int.from_bytes(page[at : at + 2]) for at in range(first, end - 1, 2)]


def _cell(image: Image, page: bytes, at: int, page_kind: int) -> Cell:
    if not 8 <= at < image.usable:  # noqa: PLR2004 - a page's header
        raise Damaged("a cell outside its page")
    if page_kind == INTERIOR_INDEX:
        at += 4
    size, at = varint(page, at)
    rowid = None
    if page_kind == LEAF_TABLE:
        rowid, at = varint(page, at)
    raw = _payload(image, page, at, size, page_kind)
    try:
        return Cell(rowid, record(raw), raw)
    except (IndexError, ValueError, struct.error):
        return Cell(rowid, None, raw)


def _payload(image: Image, page: bytes, at: int, size: int, page_kind: int) -> bytes:
    """A row's bytes, put together from its overflow pages; shorter than `size` where their chain breaks."""
    usable = image.usable
    if not 0 < size <= LARGEST_ROW:
        raise Damaged("a row of impossible length")
    most = usable - 35 if page_kind == LEAF_TABLE else (usable - 12) * 64 // 255 - 23
    if size <= most:
        if at + size > usable:
            raise Damaged("a row beyond its page")
        return page[at : at + size]
    least = (usable - 12) * 32 // 255 - 23
    local = least + (size - least) % (usable - 4)
    local = local if local <= most else least
    if at + local + 4 > usable:
        raise Damaged("a row beyond its page")
    parts = [page[at : at + local]]
    following = int.from_bytes(page[at + local : at + local + 4])
    missing = size - local
    seen: set[int] = set()
    while missing > 0 and 1 < following <= image.pages and following not in seen:
        seen.add(following)
        content = image.page(following)
        parts.append(content[4 : 4 + min(missing, usable - 4)])
        missing -= usable - 4
        following = int.from_bytes(content[:4])
    return b"".join(parts)


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A variable-length integer, signed as rowids are, and the offset behind it."""
    value = 0
    for index in range(8):
        byte = data[at + index]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:  # noqa: PLR2004 - the bit that says "goes on"
            return value, at + index + 1
    value = value << 8 | data[at + 8]
    return value - (1 << 64) if value >> 63 else value, at + 9


def record(raw: bytes) -> tuple[Value, ...]:
    """The values of a row; raises ValueError, IndexError or struct.error when it is none."""
    length, at = varint(raw, 0)
    if not 1 <= length <= len(raw):
        raise Damaged("a header of impossible length")
    values: list[Value] = []
    body = length
    while at < length:
        code, at = varint(raw, at)
        value, body = _value(raw, code, body)
        values.append(value)
    if at != length or body != len(raw):
        raise Damaged("header and row do not agree")
    return tuple(values)


def _value(raw: bytes, code: int, at: int) -> tuple[Value, int]:
    if code >= 12:  # noqa: PLR2004 - serial types from 12 on are blobs and texts
        end = at + (code - 12) // 2
        if end > len(raw):
            raise Damaged("a value beyond its row")
        content = raw[at:end]
        return (content.decode() if code % 2 else content), end
    if 1 <= code <= 6:  # noqa: PLR2004 - serial types of integers
        end = at + INTEGERS[code]
        if end > len(raw):
            raise Damaged("a value beyond its row")
        return int.from_bytes(raw[at:end], signed=True), end
    if code in {8, 9}:
        return code - 8, at
    if code == 7:  # noqa: PLR2004 - serial type of a float
        return struct.unpack_from(">d", raw, at)[0], at + 8
    if code == 0:
        return None, at
    raise Damaged("a serial type that is reserved")
