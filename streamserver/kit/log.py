"""Logs: one JSON object a line for machines, or coloured text on a terminal. Secrets never enter: see `REDACTED`."""

import logging
import sys

import structlog
from structlog.typing import EventDict, WrappedLogger

REDACTED = frozenset({"password", "token", "secret", "cookie", "authorization", "session", "email", "address"})

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def set_up(level: str, as_json: bool, process: str) -> None:
    """Send structlog's and the standard library's records to standard error in one format."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _redact,
    ]
    renderer = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    structlog.contextvars.bind_contextvars(process=process)


def _redact(_logger: WrappedLogger, _method: str, record: EventDict) -> EventDict:
    for name in REDACTED & record.keys():
        record[name] = "…"
    return record
