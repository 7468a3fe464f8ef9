"""What functions of expressions reach for: secrets, stored values, files, the network, the log."""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Callable, Mapping

from nbflow.clock import Clock
from nbflow.engine.history import History
from nbflow.errors import TemplateError
from nbflow.expressions import NoServices
from nbflow.model.execution import TaskRun
from nbflow.model.flow import Flow
from nbflow.model.inputs import input_value, with_input
from nbflow.model.namespace import lineage
from nbflow.model.state import State
from nbflow.model.task import LogLevel
from nbflow.nearest import did_you_mean
from nbflow.store import Store, is_encrypted
from nbflow.types import JsonValue

_SECRET_PREFIX = "SECRET_"
_NAMESPACE_FILE = "nsfile://"


class NamespaceServices(NoServices):
    """What functions may do in a namespace, before there is an execution; `hide` is told every secret they read."""

    def __init__(self, namespace: str, store: Store, clock: Clock, hide: Callable[[str], None]) -> None:
        self._namespace = namespace
        self._store = store
        self._clock = clock
        self._hide = hide

    def secret(self, key: str, namespace: str | None = None, subkey: str | None = None) -> str:
        """A secret of the namespace or of one around it, else of the environment: `SECRET_<KEY>` in base64."""
        value = self._store.secrets.get_inherited(namespace or self._namespace, key)
        value = secret_of_environment(key) if value is None else value
        self._hide(value)
        return value if subkey is None else self._part_of_secret(key, value, subkey)

    def _part_of_secret(self, key: str, value: str, subkey: str) -> str:
        try:
            part = json.loads(value)[subkey]
        except (ValueError, LookupError, TypeError) as missing:
            raise TemplateError(f"the secret `{key}` is no JSON map with a key `{subkey}`") from missing
        text = part if isinstance(part, str) else json.dumps(part)
        self._hide(text)
        return text

    def kv(self, key: str, namespace: str | None = None, error_on_missing: bool = True) -> object:
        """A value of the namespace or of the nearest one around it; of just the namespace that is named."""
        places = [namespace] if namespace is not None else reversed(lineage(self._namespace))
        for place in places:
            found = self._store.kv.get(place, key, self._clock.now())
            if found is not None:
                return found.value
        if not error_on_missing:
            return None
        known = [entry.key for entry in self._store.kv.list(namespace or self._namespace, self._clock.now())]
        where = f"the key-value store of `{namespace or self._namespace}`"
        raise TemplateError(
            f"there is no key `{key}` in {where}",
            hint=did_you_mean(key, known) or "set it, or write `kv(key, errorOnMissing=false)`",
        )

    def read_file(self, uri: str) -> str:
        return self._store.files.read_bytes(self._uri(uri)).decode()

    def file_size(self, uri: str) -> int:
        return self._store.files.size(self._uri(uri))

    def file_exists(self, uri: str) -> bool:
        return self._store.files.exists(self._uri(uri))

    def _uri(self, path: str) -> str:
        """The URI of a stored file; a plain path is that of a namespace file, here or in the nearest one around."""
        if "://" in path and not path.startswith(_NAMESPACE_FILE):
            return path
        path = path.removeprefix(_NAMESPACE_FILE).lstrip("/")
        files = self._store.namespace_files
        places = list(reversed(lineage(self._namespace)))
        place = next((place for place in places if files.exists(place, path)), self._namespace)
        return files.uri(place, path)

    def fetch(self, uri: str, method: str = "GET", **options: object) -> object:
        from nbflow.engine.fetching import fetch  # httpx is imported only where a flow asks for it

        return fetch(uri, method, options)


class ExecutionServices(NamespaceServices):
    """What they may do in an execution."""

    def __init__(self, history: History, store: Store, source: str) -> None:
        super().__init__(history.execution.namespace, store, history.clock, lambda secret: history.mask([secret]))
        self._history = history
        history.reveal = self._decrypted
        self.source = source
        """The text of the flow, in which failures are located."""

    def error_logs(self) -> list[dict[str, object]]:
        """Log entries of the failed task runs, oldest first."""
        self._store.writer.flush()
        failed = {run.id for run in self._history.task_runs() if run.state is State.FAILED}
        execution = self._history.execution
        entries = self._store.logs.list(execution.id)
        return [dict(entry.to_dict(execution)) for entry in entries if entry.task_run_id in failed]

    def plain_inputs(self, flow: Flow) -> Mapping[str, JsonValue]:
        """The inputs, SECRET ones decrypted."""
        inputs = self._history.execution.inputs
        hidden = [declared.id for declared in flow.inputs if declared.type == "SECRET"]
        for name in hidden:
            value = input_value(inputs, name)
            if isinstance(value, str):
                plain = self._store.secrets.decrypt(value) if is_encrypted(value) else value
                self._hide(plain)
                inputs = with_input(inputs, name, plain)
        return inputs

    def _decrypted(self, token: str) -> str:
        plain = self._store.secrets.decrypt(token)
        self._hide(plain)
        return plain

    def last_error(self, run: TaskRun) -> str:
        """The last error in the log of a task run that an earlier engine ran."""
        self._store.writer.flush()
        lines = self._store.logs.list(run.execution_id, LogLevel.ERROR, task_run_id=run.id, last=1)
        return lines[0].message if lines else ""

    def tasks_with_state(self, state: str) -> list[dict[str, object]]:
        return [
            {"taskId": run.task_id, "value": run.value, "state": str(run.state), "taskRunId": run.id}
            for run in self._history.task_runs()
            if run.state == state.upper()
        ]


def secret_of_environment(key: str) -> str:
    """The secret that the environment has as `SECRET_<KEY>` in base64, as in Kestra's free edition."""
    name = _SECRET_PREFIX + key.upper()
    encoded = os.environ.get(name)
    if encoded is None:
        raise TemplateError(f"there is no secret `{key}`", hint=f"set {name} to its value in base64")
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as broken:
        raise TemplateError(f"the secret `{key}` is not base64", hint="encode its value in base64") from broken
