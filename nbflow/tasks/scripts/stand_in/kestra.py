"""Stands in for the package `kestra` in scripts where it is not installed: outputs, metrics and logs by printing.

This file runs inside scripts, whatever their interpreter, and imports nothing but the standard library. Where the
package is installed, it steps aside.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import time
from typing import Callable, Dict, Optional, Union  # noqa: UP035  # a script's interpreter may be an older one

Tags = Optional[Dict[str, str]]  # noqa: UP006, UP045


class Kestra:
    """Hands outputs, metrics and log lines to the execution.

    Example: `Kestra.outputs({"rows": 3}); Kestra.counter("rows", 3, {"file": "a.csv"})`
    """

    _logger: Optional[logging.Logger] = None  # noqa: UP045

    @staticmethod
    def format(message: dict[str, object]) -> str:
        """A message as the line that is printed."""
        return "::" + json.dumps(message, default=str) + "::"

    @staticmethod
    def outputs(values: dict[str, object]) -> None:
        """Put out values: `{{ outputs.task.vars.name }}`."""
        _say({"outputs": values})

    @staticmethod
    def assets(values: dict[str, object]) -> None:
        """Name an asset."""
        _say({"assets": values})

    @staticmethod
    def counter(name: str, value: float, tags: Tags = None) -> None:
        """Report a count."""
        _metric(name, "counter", value, tags)

    @staticmethod
    def gauge(name: str, value: float, tags: Tags = None) -> None:
        """Report a number that goes up and down."""
        _metric(name, "gauge", value, tags)

    @staticmethod
    def timer(name: str, duration: Union[float, Callable[[], object]], tags: Tags = None) -> None:  # noqa: UP007
        """Report a duration in seconds, or how long a function takes."""
        if callable(duration):
            start = time.perf_counter()
            duration()
            duration = time.perf_counter() - start
        _metric(name, "timer", duration, tags)

    @staticmethod
    def logger() -> logging.Logger:
        """A logger whose lines keep their level in the execution's log."""
        if Kestra._logger is None:
            logger = logging.getLogger("Kestra")
            logger.setLevel(logging.DEBUG)
            handler = logging.StreamHandler(sys.stdout)
            handler.setFormatter(_MessageFormatter())
            logger.addHandler(handler)
            Kestra._logger = logger
        return Kestra._logger


class _MessageFormatter(logging.Formatter):
    """Writes a log record as a message line."""

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return Kestra.format({"logs": [{"level": record.levelname, "message": text}]})


def _metric(name: str, kind: str, value: float, tags: Tags) -> None:
    _say({"metrics": [{"name": name, "type": kind, "value": value, "tags": tags or {}}]})


def _say(message: dict[str, object]) -> None:
    # A line of its own, in one write: threads of a script may speak at once.
    sys.stdout.write(Kestra.format(message) + "\n")
    sys.stdout.flush()


def _step_aside() -> None:
    """Put the installed package in this one's place, if there is one."""
    here = os.path.dirname(os.path.abspath(__file__))
    mine = sys.modules.pop(__name__)
    path = sys.path[:]
    sys.path[:] = [place for place in path if os.path.abspath(place) != here]
    try:
        importlib.import_module(__name__)
    except ImportError:
        sys.modules[__name__] = mine
    finally:
        sys.path[:] = path


if __name__ == "kestra":
    _step_aside()
