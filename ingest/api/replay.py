"""HTTP interface, corrections: a command decodes in its own process, the service takes the parts into its journal."""

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, Field

from decoders.quantity import Privacy
from ingest.codecs.version import InForce
from ingest.journal_records import RawMessage, SeenUplink, Stay
from ingest.journal_schema import JournalError
from ingest.replay.correction import CorrectionError, Keeper, Order, Part, Result
from ingest.replay.erasure import Erasure


class Begin(BaseModel):
    """A correction that is to begin; `in_force` is what decodes, as `InForce.text`."""

    order: Order
    in_force: str


class RawBody(BaseModel):
    """A raw message: payload in base64, stays as [from_ms, asset, district]."""

    topic: str
    payload: str
    ns_time_ms: int
    privacy: Privacy
    stays: list[tuple[int, str, str]]


class PartBody(BaseModel):
    """A part: lines by privacy class, erasures [dev_eui, measurements, from_ms, to_ms], identities in hexadecimal.

    `read_up_to` is the raw row up to which the lines were decoded, needed with erasures.
    """

    lines: dict[Privacy, list[str]]
    erasures: list[tuple[str, tuple[str, ...], int, int]] = Field(default_factory=list)
    seen: list[tuple[int, str, str]] = Field(default_factory=list)
    raw: list[RawBody] = Field(default_factory=list)
    read_up_to: int | None = None

    @classmethod
    def of(cls, part: Part) -> Self:
        """The part as it goes over the wire."""
        raw = [
            RawBody(
                topic=item.topic,
                payload=base64.b64encode(item.payload).decode(),
                ns_time_ms=item.ns_time_ms,
                privacy=item.privacy,
                stays=[tuple(stay) for stay in item.stays],
            )
            for item in part.raw
        ]
        seen = [(item.ns_time_ms, item.deduplication_id.hex(), item.frame.hex()) for item in part.seen]
        erasures = [tuple(item) for item in part.erasures]
        return cls(lines=dict(part.lines), erasures=erasures, seen=seen, raw=raw, read_up_to=part.read_up_to)

    def part(self) -> Part:
        """The part that was sent; raises ValueError."""
        raw = (
            RawMessage(
                item.topic,
                base64.b64decode(item.payload, validate=True),
                item.ns_time_ms,
                item.privacy,
                tuple(Stay(*stay) for stay in item.stays),
            )
            for item in self.raw
        )
        seen = (
            SeenUplink(ns_time_ms, bytes.fromhex(name), bytes.fromhex(frame)) for ns_time_ms, name, frame in self.seen
        )
        erasures = tuple(Erasure(*item) for item in self.erasures)
        return Part(self.lines, erasures, tuple(seen), tuple(raw), self.read_up_to)


def router(keeper: Callable[[], Keeper], authorised: Callable[..., None]) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1/corrections", dependencies=[Depends(authorised)])

    @routes.post("")
    async def begin(body: Begin) -> dict[str, Any]:
        with _refusing():
            return {"id": await keeper().begin(body.order, InForce.parse(body.in_force))}

    @routes.post("/{number}/parts")
    async def keep(number: int, body: PartBody) -> dict[str, Any]:
        with _refusing():
            return (await keeper().keep(number, body.part()))._asdict()

    @routes.post("/{number}/end")
    async def end(number: int, result: Result) -> dict[str, Any]:
        with _refusing():
            await keeper().end(number, result)
        return {"id": number}

    return routes


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except CorrectionError as error:
        raise HTTPException(409, str(error)) from error
    except JournalError as error:
        raise HTTPException(503, str(error)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise HTTPException(422, f"{type(error).__name__}: {error}") from error
