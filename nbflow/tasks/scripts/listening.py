"""Listens to what a script prints: log lines go to the log as they come, messages are acted on."""

from __future__ import annotations

from nbflow.plugins import LogLevel, RunContext
from nbflow.tasks.scripts.protocol import read_message
from nbflow.types import JsonValue

LONGEST_ENTRY = 32 * 1024
"""Characters after which a line goes on in a further log entry."""

_SHOWN = 200


class Listener:
    """What one script has said so far."""

    def __init__(self, ctx: RunContext) -> None:
        self._ctx = ctx
        self.vars: dict[str, JsonValue] = {}
        self.out_lines = 0
        self.error_lines = 0
        self.last_error = ""

    async def hear(self, line: str, is_error: bool) -> None:
        """Take in one line; messages do not count as lines of output."""
        if line.startswith("::") and self._act(line):
            return
        if is_error:
            self.error_lines += 1
            self.last_error = line.strip() or self.last_error
        else:
            self.out_lines += 1
        level = LogLevel.ERROR if is_error else LogLevel.INFO
        if len(line) <= LONGEST_ENTRY:
            self._ctx.log.write(level, line)
            return
        for start in range(0, len(line), LONGEST_ENTRY):
            self._ctx.log.write(level, line[start : start + LONGEST_ENTRY])

    def _act(self, line: str) -> bool:
        message = read_message(line)
        if message is None:
            return False
        self.vars.update(message.outputs)
        for metric in message.metrics:
            self._ctx.metric(metric.name, metric.value, type=metric.type, tags=metric.tags)
        for level, text in message.logs:
            self._ctx.log.write(level, text)
        if message.faults:
            self._ctx.log.warning("a message of the script cannot be read: %s: %s", message.faults[0], line[:_SHOWN])
        return True
