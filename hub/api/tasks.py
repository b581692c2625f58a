"""`/api/tasks`, `/api/profiles/{id}/tasks`, `/api/pool` and `/api/profiles/{id}/take`: what is to be done, by whom."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request

from hub.api import remarking, taking, tasking
from hub.api.decisions import REFUSED, Id, Writer
from hub.api.keys import needs
from hub.api.problems import responses
from hub.api.remarking import Author, Draft
from hub.api.remarks import Once
from hub.api.remarks_shapes import Remarked
from hub.api.tasks_shapes import (
    AssignRequest,
    PoolPage,
    PostponeRequest,
    Taken,
    TakeRequest,
    TaskFilter,
    TaskList,
    TaskRequest,
)
from producers.deeds import say
from schemas.envelope import TASK_ASSIGNED, TASK_POSTPONED

router = APIRouter(prefix="/api", tags=["tasks"])
Reader = Depends(needs("profiles:read"))
OfTask = Annotated[str, Path(description="A task's id.")]


@router.get("/tasks", response_model=TaskList, responses=REFUSED, dependencies=[Reader])
async def list_tasks(request: Request, asked: Annotated[TaskFilter, Query()]) -> Any:
    """What is to be done, what is due first first."""
    state = request.app.state
    return await tasking.listed(state.pool, state.settings, asked)


@router.post("/profiles/{id}/tasks", response_model=Remarked, responses=REFUSED)
async def add_task(request: Request, id: Id, asked: TaskRequest, by: Writer, once: Once = None) -> Any:  # noqa: A002 - the parameter's name is what callers see
    """Something is to be done about this customer."""
    state = request.app.state
    said = asked.model_dump()
    return await _do(request, await tasking.added(state.pool, state.settings, id, said, Author(by, once)))


@router.post("/tasks/{id}/assign", response_model=Remarked, responses=REFUSED)
async def assign_task(request: Request, id: OfTask, asked: AssignRequest, by: Writer, once: Once = None) -> Any:  # noqa: A002
    """A task is somebody's from now on, or nobody's in particular."""
    return await _mark(request, id, (TASK_ASSIGNED, {"to": asked.to}), Author(by, once))


@router.post("/tasks/{id}/postpone", response_model=Remarked, responses=REFUSED)
async def postpone_task(request: Request, id: OfTask, asked: PostponeRequest, by: Writer, once: Once = None) -> Any:  # noqa: A002
    """A task has another time. A reminder comes again then."""
    return await _mark(request, id, (TASK_POSTPONED, {"due": asked.due}), Author(by, once))


@router.post("/tasks/{id}/{what}", response_model=Remarked, responses=REFUSED)
async def mark_task(
    request: Request,
    id: OfTask,  # noqa: A002
    what: Literal["done", "wait", "reopen", "drop"],
    by: Writer,
    once: Once = None,
) -> Any:
    """It is done, it waits for the customer, it is to be done again, or it is not wanted any more."""
    return await _mark(request, id, (tasking.MARKS[what], {}), Author(by, once))


@router.get("/pool", response_model=PoolPage, responses=REFUSED, dependencies=[Reader])
async def list_pool(
    request: Request,
    *,
    untouched: Annotated[bool, Query(description="Only whom nobody wrote a note or a call about.")] = False,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    after: Annotated[str | None, Query(description="`next` of the page before.")] = None,
) -> Any:
    """Customers whom nobody looks after, the oldest first."""
    return await taking.page(request.app.state.pool, limit, after, untouched=untouched)


@router.post("/profiles/{id}/take", response_model=Taken, responses=REFUSED | responses(409))
async def take(request: Request, id: Id, asked: TakeRequest, by: Writer) -> Any:  # noqa: A002
    """Somebody takes a customer out of the pool. Of two who do so at once, the other one is told who has them."""
    state = request.app.state
    return await taking.take(state.pool, id, asked.owner, Author(by), partial(say, state.settings.kafka))


async def _mark(request: Request, written: str, said: tuple[str, dict[str, Any]], author: Author) -> dict[str, Any]:
    return await _do(request, await tasking.marked(request.app.state.pool, written, *said, author))


async def _do(request: Request, drafted: Draft) -> dict[str, Any]:
    state = request.app.state
    return await remarking.done(state.pool, drafted, partial(say, state.settings.kafka))
