"""A flow's SLAs, watched while its tasks run: how long it may take, and what must be true at all times."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from nbflow.engine.context import TaskLogger
from nbflow.engine.rendering import Renderer
from nbflow.engine.workings import Workings
from nbflow.errors import TemplateError
from nbflow.model.policies import Sla, SlaBehavior, SlaType
from nbflow.model.state import State
from nbflow.plugins.truth import is_true

_ENDS = {SlaBehavior.FAIL: State.FAILED, SlaBehavior.CANCEL: State.CANCELLED}


class Promises:
    """The SLAs of one execution; `stop` ends it in the state that a broken one asks for."""

    def __init__(self, slas: Sequence[Sla], workings: Workings, stop: Callable[[State], None]) -> None:
        self._slas = slas
        self._workings = workings
        self._stop = stop
        self._broken: set[str] = set()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch them while the block runs."""
        if not self._slas:
            yield
            return
        timers = [asyncio.ensure_future(self._time(sla)) for sla in self._slas if sla.type is SlaType.MAX_DURATION]
        self._workings.on_task_end = self._look
        try:
            self._look()
            yield
        finally:
            self._workings.on_task_end = None
            for timer in timers:
                timer.cancel()

    async def _time(self, sla: Sla) -> None:
        assert sla.duration is not None, "checked when the flow was read"
        history = self._workings.history
        left = (history.execution.start + sla.duration - history.now()).total_seconds()
        await history.clock.sleep(max(left, 0))
        self._break(sla, f"it takes longer than {sla.duration}")

    def _look(self) -> None:
        """Ask whether each assertion still holds."""
        for sla in self._slas:
            if sla.type is not SlaType.EXECUTION_ASSERTION or sla.id in self._broken:
                continue
            assert sla.assert_ is not None, "checked when the flow was read"
            renderer = Renderer(self._workings.variables, self._workings.services)
            try:
                holds = is_true(renderer.value(sla.assert_, keeps_types=True))
            except TemplateError as error:  # what it asks about may come later
                self._logger.debug("the SLA `%s` cannot be told yet: %s", sla.id, error)
                continue
            if not holds:
                self._break(sla, f"`{sla.assert_}` is not true")

    def _break(self, sla: Sla, why: str) -> None:
        if sla.id in self._broken:
            return
        self._broken.add(sla.id)
        self._logger.warning("the SLA `%s` is broken: %s", sla.id, why)
        if sla.labels:
            execution = self._workings.history.execution
            labels = {**dict(execution.labels), **sla.label_map}
            self._workings.history.change(replace(execution, labels=tuple(labels.items())))
            self._workings.refresh()
        end = _ENDS.get(sla.behavior)
        if end is not None:
            self._stop(end)

    @property
    def _logger(self) -> TaskLogger:
        return TaskLogger(self._workings.history, None, None, None)
