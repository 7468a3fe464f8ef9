"""One notebook that is to be run: its cells, the values for it, and where it is saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nbflow.plugins import RunContext
from nbflow.tasks.notebooks.execution import Ending, cells_to_run
from nbflow.tasks.notebooks.loading import Notebook, Place
from nbflow.tasks.notebooks.outputs import Budget, Shared
from nbflow.tasks.notebooks.parameters import assignments, checked, inject, language_of
from nbflow.tasks.notebooks.progress import Times
from nbflow.tasks.notebooks.saving import Saver
from nbflow.types import JsonValue

_WIDGETS = "application/vnd.jupyter.widget-state+json"


class Job:
    """A notebook on its way. `secrets` are the parameters whose values must not get into any file."""

    def __init__(self, ctx: RunContext, place: Place, notebook: Notebook) -> None:
        self.ctx, self.place, self.notebook = ctx, place, notebook
        self.kernel_name, self.language = "python3", "python"
        self.secrets: dict[str, JsonValue] = {}
        self.shared = Shared(ctx, Budget(0, 0))
        self.saver = Saver(ctx, notebook, place.name)
        self.times = Times(ctx)
        self.kernel_id = ""
        """Id of the kept kernel that it goes on in, if it does."""
        self.forget: Callable[[], None] = lambda: None
        """Called once it has succeeded: nobody will resume it any more."""
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell["outputs"], cell["execution_count"] = [], None

    @property
    def count(self) -> int:
        """How many cells are run."""
        return len(cells_to_run(self.notebook))

    def read_parameters(self, given: Mapping[str, JsonValue], kernel_name: str, room: int) -> None:
        """Check the parameters and put them in. Raises: TaskFailedError."""
        spec = self.notebook["metadata"].get("kernelspec") or {}
        self.kernel_name = kernel_name or str(spec.get("name") or "python3")
        self.language = language_of(self.notebook)
        self.shared.budget.total = self.shared.budget.left = room
        values, odd = checked(self.notebook, given)
        for warning in odd:
            self.ctx.log.warning("%s", warning)
        scrubber = self.saver.scrubber()
        hidden = {name for name, value in given.items() if scrubber.hides(value)}
        self.secrets = {name: value for name, value in values.items() if name in hidden}
        plain = {name: value for name, value in values.items() if name not in hidden}
        inject(self.notebook, plain, list(self.secrets), self.kernel_name, self.language)

    def secret_code(self) -> str:
        """Code that sets the secret parameters; "" when there are none."""
        if not self.secrets:
            return ""
        return assignments(self.notebook, self.secrets, self.kernel_name, self.language)

    def note_ending(self, ending: Ending) -> None:
        """Write into the notebook where it was run and how it ended."""
        metadata = self.notebook["metadata"]
        if self.shared.widgets:
            state: dict[str, Any] = {"version_major": 2, "version_minor": 0, "state": self.shared.widgets}
            metadata["widgets"] = {_WIDGETS: state}  # Any: what widgets keep
        metadata["nbflow"] = {
            "namespace": self.ctx.namespace,
            "flow": self.ctx.flow_id,
            "execution": self.ctx.execution_id,
            "taskRun": self.ctx.task_run_id,
            "state": ending.state.value,
        }

    def sealed_vars(self) -> dict[str, JsonValue]:
        """The values that the notebook gave; texts with secrets in them encrypted."""
        scrubber = self.saver.scrubber()

        def sealed(value: JsonValue) -> JsonValue:
            if isinstance(value, str):
                return dict(self.ctx.seal(value)) if scrubber.hides(value) else value
            if isinstance(value, dict):
                return {key: sealed(item) for key, item in value.items()}
            return [sealed(item) for item in value] if isinstance(value, list) else value

        return {name: sealed(value) for name, value in self.shared.vars.items()}
