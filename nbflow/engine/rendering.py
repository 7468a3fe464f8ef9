"""Expressions of one execution: the variables, and what functions such as `read` and `secret` reach for."""

from __future__ import annotations

import base64
import binascii
import os
from collections import ChainMap
from collections.abc import Mapping

from nbflow.engine.history import History
from nbflow.errors import TemplateError
from nbflow.expressions import NoServices, default_environment
from nbflow.model.dynamic import ModelT, holds_expression, render_model
from nbflow.model.state import State
from nbflow.store import Store

_SECRET_PREFIX = "SECRET_"


class ExecutionServices(NoServices):
    """What functions of expressions may do within one execution; the rest is refused with a clear error."""

    def __init__(self, history: History, store: Store) -> None:
        self._history = history
        self._store = store

    def secret(self, key: str, namespace: str | None = None, subkey: str | None = None) -> str:
        """A secret from the environment: `SECRET_<KEY>` in base64, as Kestra's free edition has it."""
        encoded = os.environ.get(_SECRET_PREFIX + key.upper())
        if encoded is None:
            raise TemplateError(
                f"there is no secret `{key}`", hint=f"set {_SECRET_PREFIX}{key.upper()} to its value in base64"
            )
        try:
            value = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as broken:
            raise TemplateError(f"the secret `{key}` is not base64", hint="encode its value in base64") from broken
        self._history.mask([value])
        return value

    def read_file(self, uri: str) -> str:
        return self._store.files.read_bytes(uri).decode()

    def file_size(self, uri: str) -> int:
        return self._store.files.size(uri)

    def file_exists(self, uri: str) -> bool:
        return self._store.files.exists(uri)

    def error_logs(self) -> list[dict[str, object]]:
        """Log entries of the failed task runs, oldest first."""
        self._store.writer.flush()
        failed = {run.id for run in self._history.task_runs() if run.state is State.FAILED}
        execution = self._history.execution
        entries = self._store.logs.list(execution.id)
        return [dict(entry.to_dict(execution)) for entry in entries if entry.task_run_id in failed]

    def tasks_with_state(self, state: str) -> list[dict[str, object]]:
        return [
            {"taskId": run.task_id, "value": run.value, "state": str(run.state), "taskRunId": run.id}
            for run in self._history.task_runs()
            if run.state == state.upper()
        ]


class Renderer:
    """Renders texts, values and models with the variables of one place in an execution."""

    def __init__(self, variables: Mapping[str, object], services: ExecutionServices) -> None:
        self.variables = variables
        self.services = services

    def text(self, text: str, extra: Mapping[str, object] | None = None) -> str:
        """Raises: TemplateError."""
        if not holds_expression(text):
            return text
        return default_environment().render(text, self._with(extra), self.services)

    def value(self, value: object, keeps_types: bool, extra: Mapping[str, object] | None = None) -> object:
        """Render a value, deep; single prints give values, not texts, when types are kept. Raises: TemplateError."""
        if not holds_expression(value):
            return value
        environment = default_environment()
        if keeps_types:
            return environment.render_value_typed(value, self._with(extra), self.services)
        return environment.render_value(value, self._with(extra), self.services)

    def model(self, model: ModelT) -> ModelT:
        """A model with its `Dynamic` properties rendered. Raises: TemplateError, ValueError."""
        return render_model(model, self.value)

    def _with(self, extra: Mapping[str, object] | None) -> Mapping[str, object]:
        return self.variables if extra is None else ChainMap(dict(extra), dict(self.variables))
