"""Messages as they came, many of them as bytes: columns of numbers, then topics and payloads, all under one zstd frame.

Form 1, little-endian, after decompression:
  `<BxxxII`: form, bytes of the head, number of messages
  the head, JSON: `codecs` (digests), `stays` (of one message each: [[from_ms, asset, district], …]), `origins`
      ([[row, messages], …]; empty while the row is the one they were first written to)
  columns: ns_time_ms i64, commit i64 (negative: backfilled), place in the commit u32, number of its stays u32, of its
      digest u32, bytes of the topic u32, bytes of the payload u32
  all topics, then all payloads: like beside like compresses better
"""

import json
import struct
from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

import zstandard

from decoders.quantity import Privacy
from ingest.journal_records import RawMessage, Stay

FORM = 1
HEAD = struct.Struct("<BxxxII")
LEVEL = 1
"""zstd's level: on JSON that repeats itself like ChirpStack's, 6 saves 1 % and takes three times as long."""
MAX_BYTES = 256_000_000
"""Bytes that a row may decompress to; more is no row of ours."""
COLUMNS = "qqIIIII"
new_tuple = tuple.__new__


class RawError(ValueError):
    """Bytes that are no packed messages; the message says why."""


class Kept(NamedTuple):
    """A raw message with the commit it came with, its place in there, and the digest of the codecs of that time.

    `live` is False for one that was backfilled: no rule saw it. `origin` is the journal row it was first written to.
    """

    message: RawMessage
    commit: int
    place: int
    live: bool
    codecs: str
    origin: int = 0


class Columns(NamedTuple):
    """What `pack` writes for each message, in parallel."""

    ns_time_ms: Sequence[int]
    commits: Sequence[int]
    places: Sequence[int]
    stays: Sequence[tuple[Stay, ...]]
    codecs: Sequence[str]
    topics: Sequence[str]
    payloads: Sequence[bytes]


def pack_batch(messages: Sequence[RawMessage], commit: int, codecs: str, places: Sequence[int], *, live: bool) -> bytes:
    """The messages of one commit and privacy class, each with its place in the commit."""
    count = len(messages)
    topics, payloads, times, _, stays = zip(*messages, strict=True)
    columns = Columns(times, [commit if live else -commit] * count, places, stays, [codecs] * count, topics, payloads)
    return _pack(columns, ())


def pack_segment(kept: Sequence[Kept]) -> bytes:
    """Messages of several rows as one that remembers which they were; in the order given."""
    messages = [item.message for item in kept]
    columns = Columns(
        [message.ns_time_ms for message in messages],
        [item.commit if item.live else -item.commit for item in kept],
        [item.place for item in kept],
        [message.stays for message in messages],
        [item.codecs for item in kept],
        [message.topic for message in messages],
        [message.payload for message in messages],
    )
    origins: list[list[int]] = []
    for item in kept:
        if not origins or origins[-1][0] != item.origin:
            origins.append([item.origin, 0])
        origins[-1][1] += 1
    return _pack(columns, origins)


def unpack(body: bytes, privacy: Privacy, row: int = 0) -> Iterator[Kept]:
    """The messages of journal row `row`, in their order; raises RawError before the first one."""
    try:
        size = zstandard.frame_content_size(body)
        if not 0 < size <= MAX_BYTES:
            raise RawError(f"row {row}: {size} bytes decompressed")
        data = zstandard.ZstdDecompressor().decompress(body)
        return iter(_unpack(data, privacy, row))
    except (zstandard.ZstdError, struct.error, ValueError, LookupError, TypeError) as error:
        raise error if isinstance(error, RawError) else RawError(f"row {row}: {error}") from error


def unpacked_bytes(body: bytes) -> int:
    """Bytes of a row after decompression, 0 when it does not say."""
    try:
        return max(0, zstandard.frame_content_size(body))
    except zstandard.ZstdError:
        return 0


def _pack(columns: Columns, origins: Sequence[Sequence[int]]) -> bytes:
    stays = {stay: number for number, stay in enumerate(dict.fromkeys(columns.stays))}
    codecs = {digest: number for number, digest in enumerate(dict.fromkeys(columns.codecs))}
    head = json.dumps({"codecs": list(codecs), "stays": list(stays), "origins": origins}).encode()
    topics = list(map(str.encode, columns.topics))
    parts = [
        HEAD.pack(FORM, len(head), len(topics)),
        head,
        *_numbers("q", columns.ns_time_ms, columns.commits),
        *_numbers("I", columns.places, map(stays.__getitem__, columns.stays), map(codecs.__getitem__, columns.codecs)),
        *_numbers("I", map(len, topics), map(len, columns.payloads)),
        *topics,
        *columns.payloads,
    ]
    return zstandard.ZstdCompressor(level=LEVEL).compress(b"".join(parts))


def _numbers(code: str, *columns: "Sequence[int] | map[int]") -> Iterator[bytes]:
    """Columns as little-endian bytes, 8 a number for `q`, 4 for `I`."""
    for column in columns:
        numbers = array(code, column)
        if _SWAP:
            numbers.byteswap()
        yield numbers.tobytes()


def _unpack(data: bytes, privacy: Privacy, row: int) -> list[Kept]:
    form, head_bytes, count = HEAD.unpack_from(data)
    if form != FORM:
        raise RawError(f"row {row}: form {form}, expected {FORM}")
    at = HEAD.size + head_bytes
    head = json.loads(data[HEAD.size : at])
    stays = [tuple(Stay(*stay) for stay in known) for known in head["stays"]]
    codecs = [str(digest) for digest in head["codecs"]]
    columns: list[array[int]] = []
    for code in COLUMNS:
        column: array[int] = array(code)
        end = at + count * column.itemsize
        column.frombytes(data[at:end])
        if _SWAP:
            column.byteswap()
        columns.append(column)
        at = end
    times, commits, places, stay_numbers, codec_numbers, topic_lengths, payload_lengths = columns
    ends = list(accumulate((*topic_lengths, *payload_lengths), initial=at))
    if len(payload_lengths) != count or ends[-1] != len(data):
        raise RawError(f"row {row}: {len(data)} bytes, expected {ends[-1]}")
    origins = [origin for origin, times_ in head["origins"] for _ in range(times_)] or [row] * count
    return [
        Kept(
            new_tuple(
                RawMessage,
                (
                    data[ends[index] : ends[index + 1]].decode(),
                    data[ends[count + index] : ends[count + index + 1]],
                    times[index],
                    privacy,
                    stays[stay_numbers[index]],
                ),
            ),
            abs(commits[index]),
            places[index],
            commits[index] > 0,
            codecs[codec_numbers[index]],
            origins[index],
        )
        for index in range(count)
    ]


_SWAP = struct.pack("=H", 1) != struct.pack("<H", 1)
