"""Structured logs: one JSON object a line, without personal data.

What is never written: names, contacts, comment text, codes, tokens, query strings, request bodies, and the
addresses of clients (only their keyed digest). A path is written as its route, not as it was asked (R-53).
"""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask, Response, g, request

LOGGER = logging.getLogger("kaimen")
_EXTRA = ("event", "route", "method", "status", "ms", "client", "error_id", "error", "where", "detail")


class JsonLines(logging.Formatter):
    """Formats a record as one JSON line; control characters are escaped by JSON itself."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if record.name == LOGGER.name:
            line["event"] = record.getMessage()
            line |= {key: getattr(record, key) for key in _EXTRA if hasattr(record, key)}
        else:
            # A library's message may quote what a visitor sent: only the fact of it is kept.
            line["event"] = "library"
            line["where"] = f"{record.module}:{record.lineno}"
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            line["error"] = type(error).__name__
            if record.name != LOGGER.name:
                line["where"] = places(error)
        return json.dumps(line, ensure_ascii=False)


class ServerLines(JsonLines):
    """Formats what gunicorn says about itself; of a request it refused it says only that there was one.

    Its own words for those quote the request line and the headers, and name the client's address.
    """

    _ABOUT_ITSELF = (
        *("Starting gunicorn", "Listening at", "Using worker", "Booting worker", "Worker ", "WORKER TIMEOUT"),
        *("Shutting down", "Handling signal", "Connection in use", "Retrying in", "Can't connect", "Autorestarting"),
    )

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = json.loads(super().format(record))
        message = record.getMessage()
        if message.startswith(self._ABOUT_ITSELF):
            line["event"] = "server"
            line["detail"] = message
        return json.dumps(line, ensure_ascii=False)


def configure() -> None:
    """Send every log to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    LOGGER.setLevel(logging.INFO)


def event(name: str, level: int = logging.INFO, **fields: object) -> None:
    """Write one event; only fields named in this module are written."""
    LOGGER.log(level, name, extra={key: value for key, value in fields.items() if key in _EXTRA})


def places(error: BaseException) -> str:
    """Return where an exception came from, module and line only: its message may hold what a visitor typed."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in reversed(frames))


def init(app: Flask, client: Callable[[], str]) -> None:
    """Write one line for every request; `client` gives the keyed digest of who asks."""

    @app.before_request
    def _start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def _finish(response: Response) -> Response:
        if request.endpoint not in {"static", "health.healthz"}:
            started = getattr(g, "started", None)
            event(
                "request",
                route=request.url_rule.rule if request.url_rule else "(none)",
                method=request.method,
                status=response.status_code,
                ms=round((time.perf_counter() - started) * 1000, 1) if started else None,
                client=client(),
            )
        return response
