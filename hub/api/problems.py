"""Errors as problem documents (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from hub.errors import HubError, Reject, Retry

PROBLEM_JSON = "application/problem+json"
RETRY_SECONDS = 2
TITLES = {422: "Unprocessable Content"}
"""Statuses that Python's own list calls something else from one version to the next."""


class Problem(BaseModel):
    """What went wrong."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    field: str | None = Field(default=None, description="The parameter or header that is wrong, where it is one.")


class NotFound(Reject):
    """Nothing has this name."""

    status = 404


class Conflict(Reject):
    """Somebody else was quicker, or it is past."""

    status = 409


def problem(status: int, detail: str, *, field: str | None = None) -> JSONResponse:
    """A problem document with the headers its status asks for."""
    title = _title(status)
    content = Problem(title=title, status=status, detail=detail, field=field).model_dump(exclude_none=True)
    headers = {
        HTTPStatus.UNAUTHORIZED: {"www-authenticate": "Bearer"},
        HTTPStatus.SERVICE_UNAVAILABLE: {"retry-after": str(RETRY_SECONDS)},
    }.get(HTTPStatus(status))
    return JSONResponse(content, status, headers, PROBLEM_JSON)


def _title(status: int) -> str:
    return TITLES.get(status) or HTTPStatus(status).phrase


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of these statuses."""
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _title(status), "content": content} for status in statuses}


def answer_errors(app: FastAPI) -> None:
    """Every error of the house, of FastAPI and of Starlette as a problem document."""
    app.add_exception_handler(HubError, _house)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _starlette)
    app.add_exception_handler(Exception, _failed)


async def _house(_: Request, error: Exception) -> JSONResponse:
    if isinstance(error, Reject):
        return problem(error.status, str(error), field=error.field)
    if isinstance(error, Retry):
        return problem(503, str(error))
    return problem(500, "the hub is not set up for this; `hub config check` says more")


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - Starlette types every handler alike
    first = error.errors()[0]
    return problem(422, first["msg"], field=str(first["loc"][-1]))


async def _starlette(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette types every handler alike
    return problem(error.status_code, error.detail)


async def _failed(_: Request, __: Exception) -> JSONResponse:
    return problem(500, "the hub failed here; its log says more")
