"""The names that expressions see: `flow`, `execution`, `inputs`, `vars`, `outputs`, `taskrun`, `parent` …"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from nbflow import __version__
from nbflow.expressions import AuthorText
from nbflow.model.execution import Execution, TaskRun, instant
from nbflow.model.flow import Flow
from nbflow.settings import Settings
from nbflow.types import JsonValue


def execution_variables(
    flow: Flow,
    execution: Execution,
    outputs: Mapping[str, object],
    tasks: Mapping[str, object],
    settings: Settings,
) -> dict[str, object]:
    """What stays the same for all tasks of an execution; `outputs` and `tasks` are kept by reference and grow."""
    started = _moment(execution.start)
    variables: dict[str, object] = {
        "flow": {"id": flow.id, "namespace": flow.namespace, "revision": flow.revision or 1, "tenantId": "main"},
        "execution": {
            "id": execution.id,
            "startDate": started,
            # The seeds write `execution.date`: the date the execution is for.
            "date": _moment(execution.schedule_date) if execution.schedule_date else started,
            "originalId": execution.original_id or execution.id,
            "state": str(execution.state),
        },
        "inputs": execution.inputs,
        "vars": {**author_texts(flow.variables), **execution.variables},
        "outputs": outputs,
        "tasks": tasks,
        "labels": label_tree(execution.labels),
        "envs": Lazily(lambda: environment_variables(settings.env_prefix)),
        "globals": settings.globals,
        "kestra": {"environment": settings.environment_name, "url": settings.url, "version": __version__},
    }
    if execution.trigger is not None:
        variables["trigger"] = execution.trigger.get("variables") or {}
    return variables


def author_texts(variables: Mapping[str, JsonValue]) -> dict[str, object]:
    """A flow's variables, their texts marked as its author's own: expressions in them are rendered when used."""
    return {key: _author_text(value) for key, value in variables.items()}


def _author_text(value: JsonValue) -> object:
    if isinstance(value, str):
        return AuthorText(value)
    if isinstance(value, list):
        return [_author_text(item) for item in value]
    if isinstance(value, dict):
        return {key: _author_text(item) for key, item in value.items()}
    return value


def label_tree(labels: Sequence[tuple[str, str]]) -> dict[str, object]:
    """Labels as expressions see them: `system.correlationId` is found under `labels.system.correlationId`."""
    tree: dict[str, object] = {}
    for key, value in labels:
        branch = tree
        *path, last = key.split(".")
        for part in path:
            step = branch.setdefault(part, {})
            if not isinstance(step, dict):  # a label `a` beside a label `a.b`: the plain key keeps its place
                last, branch = key, tree
                break
            branch = step
        branch[last] = value
    return tree


def environment_variables(prefix: str) -> dict[str, str]:
    """`envs`: the variables of the environment that begin with a prefix, without it and in lower case, as in Kestra."""
    return {name[len(prefix) :].lower(): value for name, value in os.environ.items() if name.startswith(prefix)}


def task_run_variables(task_id: str, task_type: str, run: TaskRun, ancestors: Sequence[TaskRun]) -> dict[str, object]:
    """What is added for one task run. `ancestors` are the task runs it lies in, the nearest first."""
    parents = [parent for ancestor in ancestors if (parent := _parent(ancestor))]
    variables: dict[str, object] = {
        "task": {"id": task_id, "type": task_type},
        "taskrun": task_run_shape(run),
        "parents": parents,
    }
    if parents:
        variables["parent"] = parents[0]
    return variables


def _parent(run: TaskRun) -> dict[str, object]:
    """What a task run is to those in it; nothing, if it is no round of a loop and has put out nothing, as in Kestra."""
    parent: dict[str, object] = {}
    if run.value is not None:
        parent["taskrun"] = {"value": run.value}
    if run.outputs:
        parent["outputs"] = run.outputs
    return parent


def task_run_shape(run: TaskRun) -> dict[str, object]:
    """What `{{ taskrun.… }}` sees."""
    shape: dict[str, object] = {
        "id": run.id,
        "startDate": _moment(run.start),
        "attemptsCount": max(len(run.attempts) - 1, 0),
        "state": str(run.state),
    }
    optional = {"parentId": run.parent_task_run_id, "value": run.value, "iteration": run.iteration}
    shape.update({key: value for key, value in optional.items() if value is not None})
    return shape


def namespace_variables(namespace: str, read: Callable[[str], Mapping[str, JsonValue]]) -> Mapping[str, object]:
    """`namespace`: its id, and the variables that it and those around it have."""
    return Lazily(lambda: {**author_texts(read(namespace)), "id": namespace})


class Lazily(Mapping[str, object]):
    """Variables that are read when an expression first asks for one: most never do."""

    def __init__(self, read: Callable[[], Mapping[str, object]]) -> None:
        self._read = read

    @functools.cached_property
    def _values(self) -> Mapping[str, object]:
        return self._read()

    def __getitem__(self, name: str) -> object:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def _moment(moment: datetime) -> str:
    """An instant as expressions see it: to the millisecond, as Kestra prints it."""
    return instant(moment.replace(microsecond=moment.microsecond // 1000 * 1000))


class OutputTree:
    """`outputs`: by task id; below that, for tasks in loops, by the values of the loops from the outside in.

    A change costs O(depth), however many task runs there are. `reveal` decrypts a value that is sealed.
    """

    def __init__(self, reveal: Callable[[str], str]) -> None:
        self.tree: dict[str, object] = {}
        self._reveal = reveal

    def put(self, run: TaskRun, values: Sequence[str]) -> None:
        """Add the outputs of a task run; `values` are those of the loops around it, the outermost first."""
        if not run.outputs:
            return
        outputs = run.outputs
        if any(sealed_token(value) is not None for value in outputs.values()):
            outputs = RevealedOutputs(outputs, self._reveal)
        if not values:
            self.tree[run.task_id] = outputs
            return
        branch = self.tree.setdefault(run.task_id, {})
        for value in values[:-1]:
            assert isinstance(branch, dict)
            branch = branch.setdefault(value, {})
        assert isinstance(branch, dict)
        branch[values[-1]] = outputs


SEALED = "io.kestra.datatype:aes_encrypted"
"""The `type` of an output value that is encrypted: `{type: …, value: <token>}`, as in Kestra."""


def sealed(token: str) -> dict[str, JsonValue]:
    """An output value that is encrypted."""
    return {"type": SEALED, "value": token}


def sealed_token(value: JsonValue) -> str | None:
    """The token of an output value that is encrypted; None for any other value."""
    if not isinstance(value, dict) or len(value) != 2 or value.get("type") != SEALED:
        return None
    token = value.get("value")
    return token if isinstance(token, str) else None


class RevealedOutputs(Mapping[str, JsonValue]):
    """Outputs as expressions see them: what is encrypted is decrypted when it is asked for."""

    def __init__(self, outputs: Mapping[str, JsonValue], reveal: Callable[[str], str]) -> None:
        self._outputs = outputs
        self._reveal = reveal

    def __getitem__(self, name: str) -> JsonValue:
        value = self._outputs[name]
        token = sealed_token(value)
        return value if token is None else self._reveal(token)

    def __iter__(self) -> Iterator[str]:
        return iter(self._outputs)

    def __len__(self) -> int:
        return len(self._outputs)


class StateTree:
    """`tasks`: the state of each task by its id; of a task in a loop, by the value of its round below that."""

    def __init__(self) -> None:
        self.tree: dict[str, object] = {}

    def put(self, run: TaskRun) -> None:
        """Take over the state of a task run."""
        state = {"state": str(run.state)}
        if run.value is None:
            self.tree[run.task_id] = state
            return
        branch = self.tree.setdefault(run.task_id, {})
        assert isinstance(branch, dict)
        branch[run.value] = state


class RoundOutputs(Mapping[str, object]):
    """`outputs` within one round of a loop: of the loop's own tasks, what they put out in this round.

    `path` is the values of all loops around, the outermost first, this round's the last; `tasks` are those in the loop.
    """

    def __init__(self, around: Mapping[str, object], path: Sequence[str], tasks: frozenset[str]) -> None:
        self._around = around
        self._depth = len(path)
        self._steps = path[around._depth :] if isinstance(around, RoundOutputs) else path
        self._tasks = tasks

    def __getitem__(self, task_id: str) -> object:
        found = self._around[task_id]
        if task_id in self._tasks:
            for step in self._steps:
                if not isinstance(found, Mapping) or step not in found:
                    raise KeyError(task_id)
                found = found[step]
        return found

    def __iter__(self) -> Iterator[str]:
        return (task_id for task_id in self._around if task_id in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)
