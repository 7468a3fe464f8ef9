"""Puts a notebook to work: checked, tried in a clean kernel, deployed as a flow; and what its last run left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from nbflow.engine import Engine, Execution
from nbflow.errors import NotFoundError
from nbflow.model.flow import Flow
from nbflow.notebooks.flows import TASK, NotebookFlow, name_of
from nbflow.source.loader import load_flow
from nbflow.tasks.notebooks.checking import Check, check_notebook
from nbflow.tasks.notebooks.loading import Notebook, read_notebook
from nbflow.types import JsonValue, new_id

CHECKS = "nbflow.checks"
"""The namespace of the executions that try a notebook out."""


@dataclass(frozen=True, slots=True)
class Published:
    """A flow that was deployed; `is_live` when it runs the notebook as it will be saved then, `stored` its files."""

    flow: Flow
    is_live: bool
    stored: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        """Which notebook it will run, in words."""
        if self.is_live:
            return "runs the notebook as it is saved at that time"
        return f"runs the notebook as it is now; stored in its namespace: {', '.join(self.stored)}"


def read_file(file: Path) -> Notebook:
    """The notebook of a file. Raises: NotFoundError when there is none; TaskFailedError when it is no notebook."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        near = ", ".join(sorted(path.name for path in file.parent.glob("*.ipynb"))[:5])
        hint = f"beside it there are {near}" if near else "save it first"
        raise NotFoundError(f"there is no notebook {file}", hint=hint) from None
    return read_notebook(text, file.name, is_python=file.suffix == ".py")


def check_file(file: Path, declared: Sequence[str] = ()) -> Check:
    """What would go wrong with the notebook of a file. Raises: as `read_file`."""
    return check_notebook(read_file(file), file.resolve().parent, declared)


def publish(
    engine: Engine, file: Path, wanted: NotebookFlow, *, files: Sequence[str] = (), snapshot: bool = False
) -> Published:
    """Deploy the flow that runs a notebook.

    A notebook of the project (the folder around the home `.nbflow`) runs from its own folder as it is saved at that
    time. With `snapshot`, or elsewhere, it is stored among the files of the namespace as it is now, and so are `files`
    (paths from its folder). Raises: as `read_file`; NotFoundError for a file that is not there; InputError;
    FlowValidationError.
    """
    notebook, folder = read_file(file), file.resolve().parent
    project = _project(engine)
    if not snapshot and not files and project is not None and file.resolve().is_relative_to(project):
        path = file.resolve().relative_to(project).as_posix()
        return Published(engine.deploy(replace(wanted, path=path).source(notebook)), is_live=True)
    missing = [name for name in files if not (folder / name).is_file()]
    if missing:
        raise NotFoundError(f"there is no file {missing[0]} in {folder}", hint="name files by their path from there")
    source = replace(wanted, path=file.name, files=files).source(notebook)
    for name in (file.name, *files):  # first, so that no run misses them
        engine.store.namespace_files.put(wanted.namespace, name, folder / name)
    return Published(engine.deploy(source), is_live=False, stored=[file.name, *files])


def try_out(
    engine: Engine, file: Path, given: Mapping[str, JsonValue] | None = None, files: Sequence[str] = ()
) -> Execution:
    """Run the notebook of a file once in a clean kernel, in a directory that has these files alone; how it ended.

    Raises: as `read_file`; InputError when the values do not fit.
    """
    notebook, folder = read_file(file), file.resolve().parent
    stored = engine.store.files
    place = f"nbflow/checks/{new_id()}"
    try:
        handed: dict[str, JsonValue] = {name: stored.put_file(f"{place}/{name}", folder / name) for name in files}
        path = stored.put_file(f"{place}/{file.name}", file)
        properties: dict[str, JsonValue] = {"inputFiles": handed} if handed else {}
        wanted = NotebookFlow(name_of(file.stem), CHECKS, path, given=given or {}, properties=properties)
        flow = load_flow(wanted.source(notebook)).flow.model_copy(update={"revision": 1})
        return engine.run_flow(flow, wait=True)
    finally:
        stored.delete_below(place)


def last_executed(engine: Engine, namespace: str, flow_id: str) -> tuple[Execution, bytes]:
    """The last execution of a flow that left an executed notebook, and that notebook.

    Raises: NotFoundError when there is none.
    """
    for execution in engine.executions(namespace, flow_id, limit=20):
        content = executed_notebook(engine, execution)
        if content is not None:
            return execution, content
    raise NotFoundError(f"{namespace}.{flow_id} has left no executed notebook", hint=f"run it: %flow run {TASK}")


def executed_notebook(engine: Engine, execution: Execution) -> bytes | None:
    """The notebook that the last notebook task of an execution has left; None when there is none."""
    for run in reversed(execution.task_runs):
        uri = run.outputs.get("notebook")
        if isinstance(uri, str) and uri.endswith(".ipynb"):
            return engine.read_file(uri)
    return None


def _project(engine: Engine) -> Path | None:
    home = engine.settings.home.resolve()
    return home.parent if home.name == ".nbflow" else None
