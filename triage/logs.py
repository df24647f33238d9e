"""Log lines that cannot give anybody away: JSON, and never an answer, a path, an address or a cookie."""

import logging
import logging.config
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog
from structlog.typing import EventDict

SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def without_arguments(_: Any, __: str, event: EventDict) -> EventDict:
    """Replace what Django says of a request: its arguments hold the path that was asked for."""
    record: logging.LogRecord = event["_record"]
    if record.name.startswith(("django.request", "django.security", "django.server")):
        event["event"] = record.name
        if status := getattr(record, "status_code", None):
            event["status"] = status
    return event


def exception_without_values(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Keep an exception's class and frames; its message may quote a row or a reply."""
    exc_info = event.pop("exc_info", None)
    if exc_info is True:
        exc_info = sys.exc_info()
    elif isinstance(exc_info, BaseException):
        exc_info = (type(exc_info), exc_info, exc_info.__traceback__)
    if isinstance(exc_info, tuple) and exc_info[0]:
        kind, _value, frames = exc_info
        event["exception"] = f"{kind.__module__}.{kind.__qualname__}"
        event["frames"] = [
            f"{frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(frames)
        ]
    return event


def formatter() -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*SHARED, without_arguments],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            exception_without_values,
            structlog.processors.JSONRenderer(),
        ],
    )


def configure(logging_settings: dict[str, Any]) -> None:
    logging.config.dictConfig(logging_settings)
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
