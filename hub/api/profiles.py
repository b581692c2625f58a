"""`/api/profiles`: who is this, and what happened to them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from hub.api import people
from hub.api.keys import needs
from hub.api.people import Moved
from hub.api.problems import responses
from hub.api.shapes import TimelinePage
from hub.identity.ids import as_text
from schemas.profile import ProfileState

router = APIRouter(prefix="/api/profiles", tags=["profiles"], dependencies=[Depends(needs("profiles:read"))])

Told = dict[int | str, dict[str, Any]]

REFUSED = responses(401, 403, 404, 422, 503)
PROFILE: Told = {200: {"model": ProfileState, "description": "The profile."}, **REFUSED}
PAGE: Told = {200: {"model": TimelinePage, "description": "A page of it."}, **REFUSED}
MOVED: Told = {308: {"description": "Absorbed: `Location` is the profile that lives."}}
Id = Annotated[str, Path(description="A profile's id, or one that it had.")]


@router.get("/lookup", responses=PROFILE, response_class=Response)
async def look_up(
    request: Request,
    email: Annotated[str | None, Query(description="An e-mail address, in any spelling.")] = None,
    phone: Annotated[str | None, Query(description="A phone number, with its country unless `region` is set.")] = None,
    account: Annotated[str | None, Query(description="`{source}:{id}`: the id that a source gives the person.")] = None,
) -> Response:
    """The profile behind an address or an account: give one of the three."""
    state = request.app.state
    found = await people.find(state.pool, email=email, phone=phone, account=account, region=state.settings.region)
    return await _told(request, as_text(found))


@router.get("/{id}", responses=PROFILE | MOVED, response_class=Response)
async def get(request: Request, id: Id) -> Response:  # noqa: A002 - the parameter's name is what callers see
    """The profile of an id; an id that was absorbed leads on to the one that lives."""
    return await _told(request, id)


@router.get("/{id}/timeline", responses=PAGE | MOVED, response_class=Response)
async def get_timeline(
    request: Request,
    id: Id,  # noqa: A002 - the parameter's name is what callers see
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    before: Annotated[str | None, Query(description="`next` of the page before, or a time.")] = None,
) -> Any:
    """What happened to this person, newest first."""
    try:
        told = await people.profile(request.app.state.pool, id)
    except Moved as moved:
        return _moved(moved, "/timeline", request.url.query)
    page = await people.timeline_page(request.app.state.pool, told.profile, limit, before)
    return Response(TimelinePage.model_validate(page).model_dump_json(), media_type="application/json")


async def _told(request: Request, written: str) -> Response:
    try:
        told = await people.profile(request.app.state.pool, written)
    except Moved as moved:
        return _moved(moved)
    return Response(people.told_text(told), media_type="application/json")


def _moved(moved: Moved, rest: str = "", query: str = "") -> Response:
    address = f"/api/profiles/{as_text(moved.heir)}{rest}"
    return RedirectResponse(f"{address}?{query}" if query else address, 308)
