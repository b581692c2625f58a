"""The console's listener as one application: `/api/…` for keys, and what a watchdog asks without one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from hub.api import decisions, insights, operations, profiles, queue, remarks, segments, tasks
from hub.api.keys import Door
from hub.api.problems import Problem, answer_errors
from hub.api.shapes import Health
from hub.settings import Settings
from hub.storage.pool import Pool
from hub.telemetry.health import Check, examine
from hub.telemetry.metrics import exposition

VERSION = "1"
"""The version of the interface, not of the product: it rises when callers must change something."""

Lag = Callable[[], Awaitable[Mapping[str, Any]]]
"""Gives what `hub lag --json` prints; raises Retry where Kafka or PostgreSQL is away."""


def create_app(
    settings: Settings,
    pool: Pool | None,
    lag: Lag,
    checks: Mapping[str, Check],
    *,
    before_metrics: Callable[[], Awaitable[None]] | None = None,
) -> FastAPI:
    """The application. `checks` decide over `/readyz`; `before_metrics` brings gauges up to date when they are read.

    Without a pool it only tells its OpenAPI. Raises Misconfigured for a key without a secret.
    """
    app = FastAPI(
        title="Customer integration hub",
        summary="Who a customer is, what happened to them, and what waits.",
        version=VERSION,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.settings, app.state.pool, app.state.lag = settings, pool, lag
    app.state.door = Door(settings)
    answer_errors(app)
    app.include_router(profiles.router)
    app.include_router(decisions.router)
    app.include_router(remarks.router)
    app.include_router(tasks.router)
    app.include_router(queue.router)
    app.include_router(segments.router)
    app.include_router(insights.router)
    app.include_router(operations.router)
    _watchdog(app, checks, before_metrics)
    return app


def _watchdog(app: FastAPI, checks: Mapping[str, Check], before_metrics: Callable[[], Awaitable[None]] | None) -> None:
    @app.get("/healthz", tags=["watchdog"], response_model=Health)
    async def alive(_: Request) -> Any:
        """The process answers."""
        return {"status": "ok", "checks": {}}

    @app.get("/readyz", tags=["watchdog"], response_model=Health, responses={503: {"model": Health}})
    async def ready(_: Request) -> Any:
        """Everything that the hub needs answers."""
        found = await examine(checks)
        return JSONResponse(found, 200 if found["status"] == "ok" else 503)

    @app.get("/metrics", tags=["watchdog"], response_class=Response)
    async def metrics(_: Request) -> Response:
        """For Prometheus."""
        if before_metrics:
            await before_metrics()
        content_type, text = exposition()
        return Response(text, media_type=content_type)

    # Problem documents are told by reference; FastAPI learns of models from routes alone.
    original = app.openapi

    def openapi() -> dict[str, Any]:
        found = original()
        found["components"]["schemas"]["Problem"] = Problem.model_json_schema()
        return found

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's own way to extend it
