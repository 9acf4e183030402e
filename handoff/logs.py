"""Logs carry ids and verbs, never content: what is not on the list here is dropped.

An exception is written as its type and the places it passed, without its message: messages of
databases and validators quote the values they refuse.
"""

from __future__ import annotations

import logging.config
import sys
import traceback
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

# Opaque ids, verbs, counts and durations. A new key is a decision: it must never hold content.
ALLOWED = frozenset(
    """
    event level logger timestamp exception places
    request actor channel method path route status duration_ms
    user client professional practice credential guardian invitation consent entry token
    episode measurement note restriction referral message reminder rule kind state target verb
    object object_id outcome reason code attempt attempts count sent failed skipped total
    task task_id queue worker process pid port number head version
    """.split()  # noqa: SIM905 (a list of literals would be one word a line)
)


def allow_listed(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Drop every key that is not on the list, and say how many went."""
    kept = {key: value for key, value in event.items() if key in ALLOWED}
    dropped = len(event) - len(kept)
    if dropped:
        kept["dropped"] = dropped
    return kept


def places_only(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace exception information by the type and the file:line trail."""
    found = event.pop("exc_info", None)
    if not found:
        return event
    if found is True:
        found = sys.exc_info()
    if isinstance(found, BaseException):
        found = (type(found), found, found.__traceback__)
    kind: type[BaseException] | None
    trace: TracebackType | None
    kind, _value, trace = found
    if kind is not None:
        event["exception"] = f"{kind.__module__}.{kind.__qualname__}"
        event["places"] = [
            f"{frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(trace)[-12:]
        ]
    return event


def configure(*, level: str, readable: bool) -> None:
    """JSON lines on stderr; with `readable`, for a developer's own terminal, full tracebacks."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Any] = (
        [structlog.dev.ConsoleRenderer(colors=False)]
        if readable
        else [places_only, allow_listed, structlog.processors.JSONRenderer(default=str)]
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "lines": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": shared,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        *last,
                    ],
                }
            },
            "handlers": {
                "stderr": {"class": "logging.StreamHandler", "formatter": "lines"},
            },
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                # Statements and their parameters are content.
                "django.db.backends": {"level": "WARNING"},
                "django.template": {"level": "INFO"},
                "fontTools": {"level": "WARNING"},
            },
        }
    )
