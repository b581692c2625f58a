"""`/api/profiles/{id}/merge`, `/split`, `/why` and `/api/decisions`: one person or two, and why."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Request

from hub.api import deciding, erasing
from hub.api.deciding import Author, Draft
from hub.api.deciding_shapes import Decided, MergeRequest, SplitRequest, Why, WithdrawRequest
from hub.api.erasing_shapes import Erased, EraseRequest
from hub.api.keys import needs
from hub.api.problems import responses
from hub.api.why import why
from hub.errors import Reject
from producers.deeds import open_deeds

router = APIRouter(prefix="/api", tags=["decisions"])

REFUSED = responses(401, 403, 404, 422, 503)
Id = Annotated[str, Path(description="A profile's id, or one that it had.")]
Once = Annotated[str | None, Header(alias="Idempotency-Key", description="The same key is the same decision.")]
Writer = Annotated[str, Depends(needs("profiles:write"))]
Eraser = Annotated[str, Depends(needs("profiles:erase"))]


@router.get("/profiles/{id}/why", response_model=Why, responses=REFUSED, dependencies=[Depends(needs("profiles:read"))])
async def get_why(request: Request, id: Id) -> Any:  # noqa: A002 - the parameter's name is what callers see
    """Why these records are one person, and why others are not."""
    return await why(request.app.state.pool, id)


@router.post("/profiles/{id}/merge", response_model=Decided, responses=REFUSED)
async def merge(request: Request, id: Id, asked: MergeRequest, by: Writer, once: Once = None) -> Any:  # noqa: A002
    """These two profiles are one person."""
    author = Author(by, asked.reason, once)
    draft = await deciding.merge(request.app.state.pool, id, asked.other, author)
    return await _decide(request, draft, dry_run=asked.dry_run)


@router.post("/profiles/{id}/split", response_model=Decided, responses=REFUSED)
async def split(request: Request, id: Id, asked: SplitRequest, by: Writer, once: Once = None) -> Any:  # noqa: A002
    """Undo what an operation joined (`operation`), or say that some records are somebody else's (`records`)."""
    author = Author(by, asked.reason, once)
    pool = request.app.state.pool
    if (asked.operation is None) is not bool(asked.records):
        raise Reject("give `operation` or `records`, one of the two", "operation")
    if asked.operation is not None:
        draft = await deciding.part_operation(pool, asked.operation, author)
    else:
        draft = await deciding.extract(pool, id, asked.records, author, asked.keeps)
    return await _decide(request, draft, dry_run=asked.dry_run)


@router.post("/decisions/{id}/withdraw", response_model=Decided, responses=REFUSED)
async def withdraw(request: Request, id: str, asked: WithdrawRequest, by: Writer, once: Once = None) -> Any:  # noqa: A002
    """Take a decision back, as if it had never been made."""
    draft = await deciding.withdraw(request.app.state.pool, id, Author(by, asked.reason, once))
    return await _decide(request, draft, dry_run=asked.dry_run)


@router.post("/profiles/{id}/erase", response_model=Erased, responses=REFUSED)
async def erase(request: Request, id: Id, asked: EraseRequest, by: Eraser) -> Any:  # noqa: A002
    """Forget everything that this person said until now, in every table, and tell the tools. It cannot be undone."""
    pool = request.app.state.pool
    drafted = await erasing.draft(pool, id, asked.records or (), by, asked.request)
    if asked.dry_run:
        return drafted.shown
    async with open_deeds(request.app.state.settings.kafka) as deeds:
        return await erasing.done(pool, drafted, deeds.do)


async def _decide(request: Request, draft: Draft, *, dry_run: bool) -> dict[str, Any]:
    shown = deciding.preview(draft)
    if dry_run:
        return shown
    async with open_deeds(request.app.state.settings.kafka) as deeds:
        return shown | {"state": await deciding.done(request.app.state.pool, draft, deeds.do)}
