"""JSON lines on the console and in a file, without secrets.

Everything that is logged in the process passes here, the lines of urllib3 and
other libraries included: structlog hands its events to the standard library's
root logger, whose handlers render both kinds alike.
"""

import logging
import logging.handlers
from datetime import UTC, datetime
from pathlib import Path

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from redaction import redact_fields

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOG_FILE = "tweet_generator.log"

# Handlers of ours are told from other people's by this name.
_HANDLER_NAME = "tweet_generator"


def setup_logging(log_level: str = "INFO", log_file: str | Path | None = LOG_FILE) -> None:
    """Log to the console (stderr) and to ``log_file``; None means no file.

    Calling it again replaces the earlier set-up.

    Raises:
        ValueError: An unknown ``log_level``.
        OSError: ``log_file`` cannot be written; the earlier set-up stays.
    """
    level = _level(log_level)
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    if log_file is not None:
        # Opens the path again when logrotate has moved the file away.
        handlers.append(logging.handlers.WatchedFileHandler(log_file, encoding="utf-8"))
    close_logging()
    root = logging.getLogger()
    root.setLevel(level)
    for handler in handlers:
        handler.name = _HANDLER_NAME
        handler.setFormatter(_formatter())
        root.addHandler(handler)
    _configure_structlog()


def close_logging() -> None:
    """Take down what ``setup_logging`` put up, and close its file."""
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if handler.name == _HANDLER_NAME]:
        root.removeHandler(handler)
        handler.close()


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger that heeds each set-up, the one after its first event included.

    structlog's own ``get_logger`` leaves that to the application: one that has
    loggers cached would never see ours in the file of a later ``setup_logging``.
    """
    logger: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        None, logger_factory_args=[name], cache_logger_on_first_use=False
    )
    return logger


def filter_sensitive_data(_logger: WrappedLogger, _method: str, event_dict: EventDict) -> EventDict:
    """Processor: blank secrets at any depth."""
    # structlog's own, and never rendered.
    meta = _take(event_dict, "_record", "_from_structlog")
    return {**redact_fields(event_dict), **meta}


def _add_timestamp(_logger: WrappedLogger, _method: str, event_dict: EventDict) -> EventDict:
    # structlog's TimeStamper drops the fraction when it is exactly zero.
    now = datetime.now(UTC).replace(tzinfo=None)
    event_dict["timestamp"] = now.isoformat(timespec="microseconds") + "Z"
    return event_dict


def _order_fields(_logger: WrappedLogger, _method: str, event_dict: EventDict) -> EventDict:
    first = _take(event_dict, "event", "level", "timestamp")
    return {**first, **event_dict}


def _take(event_dict: EventDict, *names: str) -> EventDict:
    return {name: event_dict.pop(name) for name in names if name in event_dict}


_COMMON: tuple[Processor, ...] = (
    structlog.stdlib.add_log_level,
    _add_timestamp,
    structlog.processors.StackInfoRenderer(),
    # Plain tracebacks: the ones with local variables would show the key.
    structlog.processors.format_exc_info,
    filter_sensitive_data,
)


def _formatter() -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=(structlog.stdlib.add_logger_name, *_COMMON),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _order_fields,
            structlog.processors.JSONRenderer(),
        ],
    )


def _configure_structlog() -> None:
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *_COMMON,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        # A cached logger would keep the levels and handlers of the first set-up.
        cache_logger_on_first_use=False,
    )


def _level(log_level: str) -> int:
    name = str(log_level).upper()
    if name not in LEVELS:
        raise ValueError(f"log_level must be one of {', '.join(LEVELS)}, not {log_level!r}")
    return int(getattr(logging, name))
