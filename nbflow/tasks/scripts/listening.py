"""Listens to what a script prints: log lines go to the log as they come, messages are acted on."""

from __future__ import annotations

from collections.abc import Sequence

from nbflow.plugins import LogLevel, RunContext
from nbflow.tasks.scripts.protocol import read_message
from nbflow.types import JsonValue

LONGEST_ENTRY = 32 * 1024
"""Characters after which a line goes on in a further log entry."""

_SHOWN = 200


class Listener:
    """What one script has said so far. Where it says much, it waits until the log has room."""

    def __init__(self, ctx: RunContext) -> None:
        self._ctx = ctx
        self.vars: dict[str, JsonValue] = {}
        self.out_lines = 0
        self.error_lines = 0
        self.last_error = ""

    async def __call__(self, line: str, is_error: bool) -> None:
        """Take in one line; messages do not count as lines of output."""
        await self.many([line], is_error)

    async def many(self, lines: Sequence[str], is_error: bool) -> None:
        """Take in lines that came together."""
        plain: list[str] = []
        for line in lines:
            if line.startswith("::"):
                self._write(plain, is_error)
                plain = [] if self._act(line) else [line]
            else:
                plain.append(line)
        self._write(plain, is_error)
        await self._ctx.log.room()

    def _write(self, lines: list[str], is_error: bool) -> None:
        if not lines:
            return
        if is_error:
            self.error_lines += len(lines)
            self.last_error = next((said for line in reversed(lines) if (said := line.strip())), self.last_error)
        else:
            self.out_lines += len(lines)
        level = LogLevel.ERROR if is_error else LogLevel.INFO
        if any(len(line) > LONGEST_ENTRY for line in lines):
            lines = [piece for line in lines for piece in _pieces(line)]
        self._ctx.log.write_lines(level, lines)

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


def _pieces(line: str) -> list[str]:
    return [line[start : start + LONGEST_ENTRY] for start in range(0, max(len(line), 1), LONGEST_ENTRY)]
