"""Expressions of one execution: the variables, and what functions such as `read` and `secret` reach for."""

from __future__ import annotations

import asyncio
import re
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from pydantic import BaseModel

from nbflow.engine.history import History
from nbflow.engine.services import ExecutionServices
from nbflow.engine.variables import execution_variables, namespace_variables
from nbflow.errors import TemplateError
from nbflow.expressions import default_environment
from nbflow.model.dynamic import ModelT, holds_expression, render_model
from nbflow.model.flow import Flow
from nbflow.source import locate
from nbflow.store import Store

_WAITING = re.compile(r"\b(?:http|read|fileSize|fileExists|fileEmpty|isFileEmpty|errorLogs|kv)\s*\(")
"""Functions that wait for a disk or another machine."""


def waits(value: object) -> bool:
    """Whether rendering a value may take long for reasons other than its size."""
    if isinstance(value, str):
        return "{" in value and _WAITING.search(value) is not None
    if isinstance(value, Mapping):
        return any(waits(item) for item in value.values())
    if isinstance(value, BaseModel):
        return any(waits(item) for item in value.__dict__.values())
    return isinstance(value, Sequence) and not isinstance(value, bytes) and any(waits(item) for item in value)


def variables_now(flow: Flow, history: History, store: Store, services: ExecutionServices) -> dict[str, object]:
    """What expressions see outside of any task as the execution stands now; `error` once a task has failed.

    SECRET inputs are there in plain text, and hidden in the log from then on.
    """
    execution = history.execution
    variables = execution_variables(flow, execution, history.outputs.tree, history.states.tree, store.settings)
    variables["inputs"] = services.plain_inputs(flow)
    variables["namespace"] = namespace_variables(execution.namespace, store.namespaces.variables)
    failure = history.failure
    if failure is not None:
        message = history.error_of(failure) or services.last_error(failure)
        variables["error"] = {
            "taskId": failure.task_id,
            "message": message.partition("\n")[0],
            "stackTrace": message,
        }
    return variables


class Renderer:
    """Renders texts, values and models with the variables of one place in an execution.

    What fails is told with its place in the text of the flow.
    """

    def __init__(self, variables: Mapping[str, object], services: ExecutionServices) -> None:
        self.variables = variables
        self.services = services

    def text(self, text: str, extra: Mapping[str, object] | None = None) -> str:
        """Raises: TemplateError."""
        if not holds_expression(text):
            return text
        with self._located():
            return default_environment().render(text, self._with(extra), self.services)

    def value(self, value: object, keeps_types: bool, extra: Mapping[str, object] | None = None) -> object:
        """Render a value, deep; single prints give values, not texts, when types are kept. Raises: TemplateError."""
        if not holds_expression(value):
            return value
        environment = default_environment()
        with self._located():
            if keeps_types:
                return environment.render_value_typed(value, self._with(extra), self.services)
            return environment.render_value(value, self._with(extra), self.services)

    def model(self, model: ModelT) -> ModelT:
        """A model with its `Dynamic` properties rendered. Raises: TemplateError, ValueError."""
        return render_model(model, self.value)

    async def amodel(self, model: ModelT) -> ModelT:
        """The same for use in an event loop, which goes on meanwhile when an expression reads files or the network."""
        if waits(model):
            return await asyncio.to_thread(self.model, model)
        return self.model(model)

    @contextmanager
    def _located(self) -> Iterator[None]:
        try:
            yield
        except TemplateError as error:
            task = self.variables.get("task")
            raise locate(error, self.services.source, task.get("id") if isinstance(task, dict) else None) from error

    def _with(self, extra: Mapping[str, object] | None) -> Mapping[str, object]:
        return self.variables if extra is None else ChainMap(dict(extra), dict(self.variables))
