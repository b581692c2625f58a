"""`/api/lag`, `/api/sources`, `/api/dead-letters`, `/api/deliveries`: what waits, who speaks, what became of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request

from hub.api import letters, sources
from hub.api.keys import needs
from hub.api.problems import NotFound, responses
from hub.api.shapes import (
    DeadLetterPage,
    DeadLetterWhole,
    DeliveryPage,
    DeliveryState,
    DeliveryWhole,
    LagReport,
    SourceReport,
)
from hub.storage import dead_letters, deliveries

router = APIRouter(prefix="/api", tags=["operations"], dependencies=[Depends(needs("operations:read"))])

REFUSED = responses(401, 403, 422, 503)
MISSING = responses(404)


@router.get("/lag", response_model=LagReport, responses=REFUSED)
async def lag(request: Request) -> Any:
    """How far every consumer group is behind, and what waits beside Kafka."""
    return await request.app.state.lag()


@router.get("/sources", response_model=SourceReport, responses=REFUSED)
async def list_sources(request: Request) -> Any:
    """Every source: where it hears, when it was last heard, how many posts were refused and why."""
    return await sources.report(request.app.state.settings, request.app.state.pool)


@router.get("/dead-letters", response_model=DeadLetterPage, responses=REFUSED)
async def list_dead_letters(
    request: Request,
    state: Annotated[Literal["open", "replaying", "resolved"] | None, Query(description="Only these.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    before: Annotated[int | None, Query(description="`next` of the page before.", ge=0, lt=2**63)] = None,
) -> Any:
    """Records that were given up on, newest first."""
    found = await dead_letters.page(request.app.state.pool, state=state, limit=limit + 1, before=before)
    page = found[:limit]
    return {
        "dead_letters": [letters.summary(one) for one in page],
        "next": page[-1].id if len(found) > limit else None,
    }


@router.get("/dead-letters/{id}", response_model=DeadLetterWhole, responses=REFUSED | MISSING)
async def get_dead_letter(request: Request, id: int) -> Any:  # noqa: A002 - the parameter's name is what callers see
    """A letter with its original bytes."""
    found = await dead_letters.get(request.app.state.pool, id) if 0 <= id < 2**63 else None
    if found is None:
        raise NotFound(f"there is no dead letter {id}", "id")
    return letters.whole(found)


@router.get("/deliveries", response_model=DeliveryPage, responses=REFUSED)
async def list_deliveries(
    request: Request,
    destination: Annotated[str | None, Query(description="Only those to this destination of hub.toml.")] = None,
    state: Annotated[DeliveryState | None, Query(description="Only these.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    before: Annotated[str | None, Query(description="`next` of the page before.")] = None,
) -> Any:
    """What the tools were told, newest first."""
    return await deliveries.page(
        request.app.state.pool, destination=destination, state=state, limit=limit, before=before
    )


@router.get("/deliveries/{id}", response_model=DeliveryWhole, responses=REFUSED | MISSING)
async def get_delivery(request: Request, id: str) -> Any:  # noqa: A002 - the parameter's name is what callers see
    """A delivery with the body as it was sent, and what every try heard."""
    found = await deliveries.get(request.app.state.pool, id)
    if found is None:
        raise NotFound(f"there is no delivery {id}", "id")
    return found
