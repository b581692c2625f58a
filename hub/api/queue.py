"""`/api/duplicates`: who may be one person, and deciding about them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request

from hub.api import duplicates
from hub.api.deciding import Author
from hub.api.deciding_shapes import Decided
from hub.api.duplicate_shapes import Band, Duplicate, DuplicatePage, State, Verdict
from hub.api.keys import needs
from hub.api.problems import responses
from producers.deeds import open_deeds

router = APIRouter(prefix="/api/duplicates", tags=["duplicates"])

REFUSED = responses(401, 403, 422, 503)
MISSING = responses(404)
Reader = Depends(needs("profiles:read"))
Writer = Annotated[str, Depends(needs("profiles:write"))]
End = Annotated[str, Path(description="A record of the pair, by its id.")]


@router.get("", response_model=DuplicatePage, responses=REFUSED, dependencies=[Reader])
async def list_duplicates(
    request: Request,
    band: Annotated[Band | None, Query(description="Only these.")] = None,
    state: Annotated[State, Query(description="Only these.")] = "open",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    before: Annotated[str | None, Query(description="`next` of the page before.")] = None,
) -> Any:
    """Pairs that may be one person, the surest first."""
    return await duplicates.page(request.app.state.pool, state=state, band=band, limit=limit, before=before)


@router.get("/{rec_a}~{rec_b}", response_model=Duplicate, responses=REFUSED | MISSING, dependencies=[Reader])
async def get_duplicate(request: Request, rec_a: End, rec_b: End) -> Any:
    """A pair side by side, with what speaks for it and against it, and what would become of whom."""
    return await duplicates.whole(request.app.state.pool, duplicates.key(rec_a, rec_b))


@router.post("/{rec_a}~{rec_b}", response_model=Decided, responses=REFUSED | MISSING | responses(409))
async def decide(request: Request, rec_a: End, rec_b: End, asked: Verdict, by: Writer) -> Any:
    """They are one person, or two. It can be taken back: `POST /api/decisions/{id}/withdraw`."""
    pool, of, author = request.app.state.pool, duplicates.key(rec_a, rec_b), Author(by, asked.reason)
    if asked.dry_run:
        return await duplicates.proposed(pool, of, asked.verdict, author)
    async with open_deeds(request.app.state.settings.kafka) as deeds:
        return await duplicates.decide(pool, of, asked.verdict, author, deeds.do)
