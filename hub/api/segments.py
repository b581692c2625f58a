"""`/api/segments`: which segments there are, and who is in them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from hub.api import membership
from hub.api.keys import needs
from hub.api.problems import responses
from hub.api.segment_shapes import MemberPage, SegmentList

router = APIRouter(prefix="/api/segments", tags=["segments"], dependencies=[Depends(needs("profiles:read"))])

REFUSED = responses(401, 403, 422, 503)
MISSING = responses(404)


@router.get("", response_model=SegmentList, responses=REFUSED)
async def list_segments(request: Request) -> Any:
    """Every segment that counts, how many are in it, and how many are still to be looked at."""
    return await membership.report(request.app.state.pool)


@router.get("/{name}/members", response_model=MemberPage, responses=REFUSED | MISSING)
async def list_members(
    request: Request,
    name: str,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    before: Annotated[str | None, Query(description="`next` of the page before.")] = None,
) -> Any:
    """Who is in a segment, those who came in last first."""
    return await membership.page(request.app.state.pool, name, limit, before)
