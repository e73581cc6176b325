"""Logs on standard error: one ASCII JSON object a line, whoever logs.

Names, paths and errors are somebody's text: as JSON none of it can end a line, move a cursor or pass for a line of
ours. What a person at a terminal is told is no log, and stays as it is.
"""

import json
import logging
import sys
import threading
from typing import Any

from paperspace_mcp.audit_records import clock
from paperspace_mcp.settings import LOG_LEVELS

_ours = logging.getLogger("paperspace_mcp")


def to_stderr(level: str) -> None:
    """Send all logs there: ours, those of the SDK and uvicorn, Python's warnings, and what ends the process.

    Called before the server is made, because the SDK sets up plain lines where it finds nothing set up. Where somebody
    has set logging up, it stays theirs. DEBUG is for our own: there libraries quote headers and messages, so secrets.
    """
    handler, wanted = logging.StreamHandler(sys.stderr), level if level in LOG_LEVELS else "WARNING"
    handler.setFormatter(Lines())
    logging.basicConfig(level="INFO" if wanted == "DEBUG" else wanted, handlers=[handler])
    if handler in logging.getLogger().handlers:
        _ours.setLevel(wanted)
        logging.captureWarnings(capture=True)
        sys.excepthook = _ended
        sys.unraisablehook = _unraisable
        threading.excepthook = _thread_ended


class Lines(logging.Formatter):
    """A record as one line: time (UTC), level, logger, message; error and traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": clock(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
        }
        if record.exc_info and record.exc_info[0]:
            told |= {"error": record.exc_info[0].__name__, "traceback": self.formatException(record.exc_info)}
        return json.dumps(told)


def _message(record: logging.LogRecord) -> str:
    """A message whose arguments do not fit it is told without them, not as a complaint of several lines."""
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - arguments are anybody's objects, and so are their errors
        return str(record.msg)


def _ended(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    _ours.critical("The process ended by an error", exc_info=(kind, error, trace))


def _thread_ended(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is not None:
        _ours.error("A thread ended by an error", exc_info=(told.exc_type, told.exc_value, told.exc_traceback))


def _unraisable(told: Any) -> None:
    """What Python would print of an error that nobody can be given."""
    _ours.error("An error was ignored", exc_info=(told.exc_type, told.exc_value, told.exc_traceback))
