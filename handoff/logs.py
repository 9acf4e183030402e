"""Logs carry ids and verbs, never content: what is not on the list here is dropped.

An exception is written as its type and the places it passed, without its message: messages of
databases and validators quote the values they refuse.
"""

from __future__ import annotations

import logging.config
import sys
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

# Opaque ids, verbs, counts and durations. A new key is a decision: it must never hold content.
ALLOWED = frozenset(
    """
    event level logger timestamp exception places
    request request_id actor channel method path route status duration_ms
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


def templates_only(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Of other people's loggers keep the sentence and drop what they would put into it: paths with
    single-use keys (Django), exceptions and arguments (Celery), addresses with passwords."""
    record = event.get("_record")
    if record is None or event.get("_from_structlog"):
        return event
    event["event"] = str(record.msg).split("\n", 1)[0]
    values = event.pop("positional_args", None)
    if isinstance(values, Mapping):
        event["task"] = values.get("name")
        event["task_id"] = values.get("id")
    if (status := getattr(record, "status_code", None)) is not None:
        event["status"] = status
    match = getattr(getattr(record, "request", None), "resolver_match", None)
    if match is not None:
        event["route"] = match.route
    return {key: value for key, value in event.items() if value is not None}


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
        [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.dev.ConsoleRenderer(colors=False),
        ]
        if readable
        else [
            templates_only,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            places_only,
            allow_listed,
            structlog.processors.JSONRenderer(default=str),
        ]
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
                    "pass_foreign_args": True,
                    "processors": last,
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
                # A line for each of the ticks, day and night, would hide the others.
                "celery.app.trace": {"level": "WARNING"},
                "celery.worker.strategy": {"level": "WARNING"},
            },
        }
    )
