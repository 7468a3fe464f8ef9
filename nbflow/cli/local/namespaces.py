"""Namespaces of a home, with their files, values and secrets."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from nbflow.cli.options import UsageError
from nbflow.cli.places import Row
from nbflow.cli.values import read_value
from nbflow.engine import Engine
from nbflow.errors import ConflictError, NotFoundError
from nbflow.model.durations import parse_duration
from nbflow.store import KvEntry, StoredNamespace


class LocalNamespaces:
    """What can be asked about the namespaces of a home."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self, text: str | None = None) -> list[Row]:
        counts = Counter(flow.namespace for flow in self._engine.flows())
        found = [one for one in self._engine.store.namespaces.list() if (text or "").lower() in one.id.lower()]
        # Not those that are there for what lies below them alone.
        return [{**_shape(one), "flows": counts[one.id]} for one in found if one.created is not None or counts[one.id]]

    def get(self, namespace: str) -> Row:
        for known in self._engine.store.namespaces.list():
            if known.id == namespace:
                return _shape(known)
        if self._engine.store.namespace_files.list(namespace):
            return {"id": namespace}
        raise NotFoundError(f"there is no namespace `{namespace}`")

    def save(self, namespace: str, settings: Row, *, is_new: bool) -> Row:
        namespaces = self._engine.store.namespaces
        if is_new and namespaces.get(namespace) is not None:
            raise ConflictError(
                f"the namespace {namespace} exists already", hint="`nbflow namespaces update` changes it"
            )
        saved = namespaces.save(
            namespace,
            datetime.now(UTC),
            description=settings.get("description"),
            variables=settings.get("variables"),
            plugin_defaults=settings.get("pluginDefaults") or (),
        )
        return _shape(saved)

    def delete(self, namespace: str) -> None:
        if not self._engine.store.namespaces.delete(namespace):
            raise NotFoundError(f"nothing is set for the namespace `{namespace}`")


class LocalFiles:
    """What can be asked about the files of the namespaces of a home."""

    def __init__(self, engine: Engine) -> None:
        self._files = engine.store.namespace_files

    def all(self, namespace: str, folder: str = "") -> list[str]:
        return [file.path for file in self._files.list(namespace, folder) if not file.path.endswith("/.keep")]

    def read(self, namespace: str, path: str) -> bytes:
        return self._files.read(namespace, path)

    def write(self, namespace: str, path: str, file: Path) -> None:
        self._files.put(namespace, path, file)

    def delete(self, namespace: str, path: str) -> None:
        if not self._files.delete(namespace, path):
            raise NotFoundError(f"there is no file `{path}` in {namespace}")

    def move(self, namespace: str, source: str, target: str) -> None:
        self._files.move(namespace, source, target)


class LocalValues:
    """What can be asked about the values that flows of a home keep by key."""

    def __init__(self, engine: Engine) -> None:
        self._kv = engine.store.kv

    def all(self, namespace: str | None) -> list[Row]:
        return [_entry(entry) for entry in self._kv.list(namespace, datetime.now(UTC))]

    def get(self, namespace: str, key: str) -> Row:
        found = self._kv.get(namespace, key, datetime.now(UTC))
        if found is None:
            raise NotFoundError(f"{namespace} has no key `{key}`")
        return {"type": str(found.type), "value": found.value, "revision": found.revision}

    def set(self, namespace: str, key: str, text: str, ttl: str | None, description: str | None) -> None:
        kind, value = read_value(text)
        try:
            lives = None if ttl is None else parse_duration(ttl)
        except (ValueError, OverflowError):
            raise UsageError(f"`{ttl}` is no length of time", hint="write it as PT12H or P30D") from None
        self._kv.put(namespace, key, value, datetime.now(UTC), type=kind, description=description, ttl=lives)

    def delete(self, namespace: str, key: str) -> bool:
        return self._kv.delete(namespace, key, datetime.now(UTC))


class LocalSecrets:
    """What can be asked about the secrets of a home."""

    def __init__(self, engine: Engine) -> None:
        self._secrets = engine.store.secrets

    def all(self, namespace: str | None) -> list[Row]:
        return [
            {"namespace": entry.namespace, "key": entry.name, "description": entry.description}
            for entry in self._secrets.list(namespace)
        ]

    def set(self, namespace: str, name: str, value: str, description: str | None) -> None:
        self._secrets.put(namespace, name, value, datetime.now(UTC), description)

    def delete(self, namespace: str, name: str) -> None:
        if not self._secrets.delete(namespace, name):
            raise NotFoundError(f"{namespace} has no secret `{name}`")


def _shape(found: StoredNamespace) -> Row:
    shape: Row = {"id": found.id}
    optional = {
        "description": found.description,
        "variables": dict(found.variables),
        "pluginDefaults": [dict(default) for default in found.plugin_defaults],
    }
    return shape | {name: value for name, value in optional.items() if value}


def _entry(entry: KvEntry) -> Row:
    shape: Row = {
        "namespace": entry.namespace,
        "key": entry.key,
        "type": str(entry.type),
        "revision": entry.revision,
        "updateDate": entry.updated.isoformat(),
    }
    if entry.description is not None:
        shape["description"] = entry.description
    if entry.expires is not None:
        shape["expirationDate"] = entry.expires.isoformat()
    return shape
