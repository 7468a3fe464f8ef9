"""Checks for whoever writes types: is every class documented, and do its examples do what they say?"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from textwrap import dedent
from typing import Any, get_args

from pydantic import BaseModel

from nbflow.engine import Engine, Execution
from nbflow.model.example import Example
from nbflow.model.plugin import Plugin
from nbflow.model.task import Task
from nbflow.model.trigger import Trigger
from nbflow.plugins.pages import NAMESPACE, flow_of


def run_example(cls: type[Plugin], example: Example, *, timeout: float = 60.0) -> Execution | None:
    """Do what an example shows, in a home of its own, and hold it to the state that it says; the execution as it ended.

    An example that needs something which is not at hand, and one of a trigger or a condition, is only checked.
    Raises: FlowValidationError; AssertionError with the log of an execution that ended in another state.
    """
    with tempfile.TemporaryDirectory(prefix="nbflow-") as home, Engine(home) as engine:
        for path, content in example.files.items():
            engine.store.namespace_files.put(NAMESPACE, path, content.encode())
        for other in example.flows:
            engine.deploy(dedent(other), strict=True)
        flow = engine.deploy(flow_of(cls, example), strict=True)
        if example.needs or cls.plugin_kind not in ("task", "runner"):
            return None
        execution: Execution = engine.run(flow.namespace, flow.id, example.inputs, wait=True, timeout=timeout)
        log = "\n".join(f"{entry.level} {entry.task_id}: {entry.message}" for entry in execution.logs())
        assert execution.state == example.state, f"it ended in {execution.state}, not {example.state}:\n{log}"
        return execution


def undocumented(cls: type[Plugin]) -> list[str]:
    """What a class of a type leaves out that its reference page should say; nothing when all is there."""
    missing = [] if (cls.__doc__ or "").strip() else ["a docstring that says what it does"]
    for model in _models_of(cls, set()):
        missing += [
            f"`description` of {model.__qualname__}.{name}"
            for name, field in model.model_fields.items()
            if not field.description
        ]
    if issubclass(cls, Task | Trigger) and not cls.examples:
        missing.append("an Example")
    return missing


def _models_of(cls: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    if cls in seen:
        return
    seen.add(cls)
    yield cls
    output = getattr(cls, "Output", None)
    annotations = [field.annotation for field in cls.model_fields.values()]
    for model in (model for annotation in [*annotations, output] for model in _models_in(annotation)):
        yield from _models_of(model, seen)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:  # Any: a type form
    """The models that a type is made of; other parts of a flow are checked for themselves."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not issubclass(annotation, Plugin):
            yield annotation
        return
    for part in get_args(annotation):
        yield from _models_in(part)
