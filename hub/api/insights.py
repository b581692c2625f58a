"""`/api/rules/{name}/compare`: what another version would have done. `/api/funnel`: who stands where."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request

from hub.api import comparing, funnel
from hub.api.comparing_shapes import Comparison
from hub.api.funnel_shapes import FunnelReport
from hub.api.keys import needs
from hub.api.problems import responses
from schemas.conditions import DURATION
from schemas.rules import span

router = APIRouter(prefix="/api", dependencies=[Depends(needs("profiles:read"))])

REFUSED = responses(401, 403, 422, 503)
MISSING = responses(404)


@router.get("/rules/{name}/compare", tags=["rules"], response_model=Comparison, responses=REFUSED | MISSING)
async def compare_rule(
    request: Request,
    name: Annotated[str, Path(description="The name of a rule.")],
    since: Annotated[str, Query(description="How far back, as 90s, 15m, 4h, 7d, 2w.", pattern=DURATION)] = "7d",
    limit: Annotated[int, Query(ge=1, le=500, description="Differences at the most.")] = 50,
) -> Any:
    """The version on trial beside the live one: who would have been treated differently, and why."""
    return await comparing.compared(request.app.state.pool, name, span(since), limit)


@router.get("/funnel", tags=["funnel"], response_model=FunnelReport, responses=REFUSED)
async def get_funnel(
    request: Request,
    since: Annotated[str, Query(description="How far back, as 24h, 30d, 12w.", pattern=DURATION)] = "90d",
) -> Any:
    """Who stands in which stage, who came, went on, back and out within the period, and how long it took."""
    return await funnel.report(request.app.state.pool, request.app.state.settings.funnel, span(since))
