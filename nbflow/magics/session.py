"""What every magic needs: the engine of this process, the user's variables, names found or refused kindly."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from nbflow.magics.cell_record import CellRecord
from nbflow.magics.errors import FlowCellError

P = ParamSpec("P")
R = TypeVar("R")


class Session:
    """One IPython shell with the extension loaded. The engine is made on first use."""

    def __init__(self, shell: Any) -> None:  # Any: IPython's shell has no types to speak of
        self.shell = shell
        self.record = CellRecord()
        self._notebook: Any = None
        self.last_flow: tuple[str, str] | None = None
        """Namespace and id of the flow that a %%flow cell has deployed last."""
        self._shown: tuple[str, int] | None = None

    @property
    def engine(self) -> Any:  # nbflow.engine.Engine; importing it takes longer than loading the extension may
        from nbflow.engine import Engine

        return Engine.default()

    @property
    def notebook(self) -> Any:  # nbflow.magics.notebook_flow.NotebookFlow; as above
        """The flow of this notebook's `%%task` cells."""
        if self._notebook is None:
            from nbflow.magics.notebook_flow import NotebookFlow

            self._notebook = NotebookFlow(self.record)
        return self._notebook

    @property
    def variables(self) -> MutableMapping[str, object]:
        """The user's names."""
        names: MutableMapping[str, object] = self.shell.user_ns
        return names

    def mark_shown(self, execution_id: str) -> None:
        """Remember that a cell has shown an execution: its value must not show it once more."""
        self._shown = (execution_id, self.shell.execution_count)

    def show_value(self, execution: Any) -> None:
        """Show an execution that is the value of a cell, unless the cell's magic has shown it already."""
        if self._was_shown(execution):
            return
        from nbflow.widgets.live import show_execution

        show_execution(self.engine, execution.id)

    def print_value(self, execution: Any, printer: Any, _cycle: bool) -> None:
        """The same in a terminal, by IPython's pretty printer."""
        if self._was_shown(execution):
            printer.text(repr(execution))
            return
        from nbflow.widgets.live import static_view
        from nbflow.widgets.snapshot import Snapshot

        printer.text("\n" + static_view(Snapshot(self.engine, execution.id))["text/plain"])

    def _was_shown(self, execution: Any) -> bool:
        return self._shown == (execution.id, self.shell.execution_count)


def split_uid(uid: str) -> tuple[str, str]:
    """Namespace and id of a flow. Raises: FlowCellError when the text is no `namespace.id`."""
    namespace, _, flow_id = uid.rpartition(".")
    if not namespace or not flow_id:
        raise FlowCellError(f"`{uid}` names no flow", "write namespace.id; `%flow list` shows the flows there are")
    return namespace, flow_id


def shows_errors(work: Callable[P, R]) -> Callable[P, R]:
    """Turn nbflow's errors into the short kind: details are shown, the cell fails, nobody sees a traceback."""

    @wraps(work)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        from nbflow.errors import InputError, NbflowError
        from nbflow.widgets.output import publish, static_bundle

        try:
            return work(*args, **kwargs)
        except InputError as refused:
            from nbflow.widgets.problems import input_problems_html, input_problems_text

            publish(
                static_bundle(
                    input_problems_html(refused.problems), f"{refused.message}\n{input_problems_text(refused.problems)}"
                )
            )
            raise FlowCellError(refused.message, refused.hint) from None
        except NbflowError as refused:
            raise FlowCellError(refused.message, refused.hint) from None

    return call
