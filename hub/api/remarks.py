"""`/api/profiles/{id}/owner`, `/stage`, `/tags`, `/notes`, `/calls`: what people say of a profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request

from hub.api import remarking
from hub.api.decisions import REFUSED, Id, Writer
from hub.api.remarking import Author, tagged
from hub.api.remarks_shapes import CallRequest, NoteRequest, OwnerRequest, Remarked, StageRequest, TagRequest
from producers.deeds import open_deeds
from schemas.envelope import CALL_LOGGED, NOTE_ADDED, OWNER_ASSIGNED, STAGE_SET

router = APIRouter(prefix="/api/profiles/{id}", tags=["remarks"])
Once = Annotated[str | None, Header(alias="Idempotency-Key", description="The same key says the same thing once.")]


@router.post("/owner", response_model=Remarked, responses=REFUSED)
async def assign_owner(request: Request, id: Id, asked: OwnerRequest, by: Writer, once: Once = None) -> Any:  # noqa: A002 - the parameter's name is what callers see
    """Somebody looks after this customer from now on, or nobody does."""
    return await _say(request, id, (OWNER_ASSIGNED, {"owner": asked.owner}), Author(by, once))


@router.post("/stage", response_model=Remarked, responses=REFUSED)
async def set_stage(request: Request, id: Id, asked: StageRequest, by: Writer, once: Once = None) -> Any:  # noqa: A002
    """Where in the funnel this customer stands."""
    return await _say(request, id, (STAGE_SET, {"stage": asked.stage}), Author(by, once))


@router.post("/tags", response_model=Remarked, responses=REFUSED)
async def set_tag(request: Request, id: Id, asked: TagRequest, by: Writer, once: Once = None) -> Any:  # noqa: A002
    """A tag more, or one less. A tag that a source states stays as long as the source states it."""
    return await _say(request, id, (tagged(remove=asked.remove), {"tag": asked.tag}), Author(by, once))


@router.post("/notes", response_model=Remarked, responses=REFUSED)
async def add_note(request: Request, id: Id, asked: NoteRequest, by: Writer, once: Once = None) -> Any:  # noqa: A002
    """A note on the timeline."""
    return await _say(request, id, (NOTE_ADDED, asked.model_dump()), Author(by, once))


@router.post("/calls", response_model=Remarked, responses=REFUSED)
async def log_call(request: Request, id: Id, asked: CallRequest, by: Writer, once: Once = None) -> Any:  # noqa: A002
    """A call on the timeline."""
    return await _say(request, id, (CALL_LOGGED, asked.model_dump(exclude_none=True)), Author(by, once))


async def _say(request: Request, written: str, said: tuple[str, Mapping[str, Any]], author: Author) -> dict[str, Any]:
    pool = request.app.state.pool
    drafted = await remarking.draft(pool, written, *said, author)
    async with open_deeds(request.app.state.settings.kafka) as deeds:
        return await remarking.done(pool, drafted, deeds.do)
