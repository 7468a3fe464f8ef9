"""Shows an execution in a cell: live while it goes on, as its static twin once it has ended."""

from __future__ import annotations

from collections.abc import Callable

from nbflow.engine import Engine
from nbflow.widgets.output import Bundle, Slot, has_widgets, static_bundle, widget_bundle
from nbflow.widgets.painter import Painter
from nbflow.widgets.snapshot import Changes, Snapshot
from nbflow.widgets.twin import execution_html, execution_text


def show_execution(
    engine: Engine, execution_id: str, slot: Slot | None = None, on_end: Callable[[], None] | None = None
) -> Painter:
    """Show an execution below the cell that runs, or in a slot that is there already; returns at once.

    `painter.done` is set once it has ended and its end is shown; `on_end` is called then, on the painter's thread.
    """
    snapshot = Snapshot(engine, execution_id)
    view = _NotebookView(snapshot, slot or Slot(), on_end) if has_widgets() else _TextView(slot or Slot(), on_end)
    painter = Painter(engine, snapshot, view)
    if snapshot.has_ended:
        view.finish(snapshot)
        painter.done.set()
        return painter
    view.begin(snapshot, painter.kill)
    return painter.start()


def static_view(snapshot: Snapshot) -> Bundle:
    """An execution as it stands, without a widget."""
    records = (snapshot.execution, snapshot.task_runs, list(snapshot.entries))
    return static_bundle(execution_html(*records), execution_text(*records))


class _NotebookView:
    """A widget while the execution goes on; its twin takes the same place in the end."""

    def __init__(self, snapshot: Snapshot, slot: Slot, on_end: Callable[[], None] | None) -> None:
        from nbflow.widgets.execution import ExecutionView

        self._make = ExecutionView
        self._widget: ExecutionView | None = None
        self._slot = slot
        self._on_end = on_end

    def begin(self, snapshot: Snapshot, kill: Callable[[], None]) -> None:
        self._widget = self._make(snapshot, kill)
        twin = static_view(snapshot)
        self._slot.fill(widget_bundle(self._widget, twin["text/html"], twin["text/plain"]))

    def paint(self, snapshot: Snapshot, changes: Changes) -> None:
        if self._widget is not None:
            self._widget.paint(snapshot, changes)

    def rest(self, snapshot: Snapshot) -> None:
        if self._widget is not None:
            self._widget.rest(snapshot)

    def finish(self, snapshot: Snapshot) -> None:
        self._slot.fill(static_view(snapshot))
        if self._widget is not None:
            self._widget.finish(snapshot)
        if self._on_end is not None:
            self._on_end()


class _TextView:
    """What a terminal gets: a line at the start, and the twin at the end if somebody waits for it."""

    def __init__(self, slot: Slot, on_end: Callable[[], None] | None) -> None:
        self._slot = slot
        self._on_end = on_end
        self._has_begun = False

    def begin(self, snapshot: Snapshot, _kill: Callable[[], None]) -> None:
        self._has_begun = True
        execution = snapshot.execution
        text = f"{execution.namespace}.{execution.flow_id}  execution {execution.id}  {execution.state}"
        self._slot.fill(static_bundle("", f"{text}\n%flow gantt {execution.id} shows how it stands"))

    def paint(self, snapshot: Snapshot, changes: Changes) -> None:
        """Nothing: what a thread prints would land in the midst of what the user types."""

    def rest(self, snapshot: Snapshot) -> None:
        """Nothing, as above."""

    def finish(self, snapshot: Snapshot) -> None:
        if not self._has_begun:
            self._slot.fill(static_view(snapshot))
        if self._on_end is not None:
            self._on_end()
