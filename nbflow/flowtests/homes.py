"""The home that a case runs in: a copy of what its flow needs, thrown away afterwards.

Copied are the flow, the flows that its tasks call, and of their namespaces (those around them, and those that the flows
name) the variables, plugin defaults, stored values, secrets and files. Whatever a test writes ends with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from nbflow.engine import Engine
from nbflow.errors import FlowValidationError, NbflowError
from nbflow.flowtests.finding import FoundFlow, World
from nbflow.flowtests.loading import SuiteError
from nbflow.model.dynamic import holds_expression
from nbflow.model.flow import Flow
from nbflow.model.namespace import lineage
from nbflow.settings import Settings
from nbflow.store import Store
from nbflow.store.files import path_of

_STORED = re.compile(r"(?:kestra|nbflow):///[^\s\"'{}\[\],]+")


def scratch_settings(settings: Settings, home: Path) -> Settings:
    """The settings of a home, for one beside it: its own history and files, and no need to survive a power loss."""
    return replace(
        settings,
        home=home,
        durability="normal",
        repository_url=None,
        storage_path=home / "storage",
        storage_url=None,
        storage_options={},
        log_path=None,
    )


def build_home(place: Path, tested: FoundFlow, world: World, suite: str = "") -> Flow:
    """Make a home with what a flow and the text of a suite name; returns the flow. Raises: SuiteError."""
    with Engine(settings=scratch_settings(world.settings, place), takes_over=False) as engine:
        builder = _Builder(engine, world)
        flow = builder.add(tested)
        if world.store is not None:
            _copy_files(f"{tested.text}\n{suite}", world.store, engine.store)
        return flow.model_copy(update={"revision": tested.revision})


class _Builder:
    def __init__(self, engine: Engine, world: World) -> None:
        self._engine = engine
        self._world = world
        self._done: set[tuple[str, str]] = set()
        self._seeded: set[str] = set()
        self._known = [one.id for one in world.store.namespaces.list()] if world.store is not None else []

    def add(self, found: FoundFlow) -> Flow:
        """Deploy a flow and those that it calls."""
        self._done.add((found.namespace, found.id))
        for namespace in (found.namespace, *(one for one in self._known if _is_named(one, found.text))):
            self._seed(namespace)
        try:
            flow = self._engine.deploy(found.text)
        except FlowValidationError as invalid:
            raise found.refuse(invalid.problems) from None
        for other, is_sure in self._called(flow):
            if (other.namespace, other.id) in self._done:
                continue
            try:
                self.add(other)
            except SuiteError:
                if is_sure:
                    raise
        return flow

    def _called(self, flow: Flow) -> Iterator[tuple[FoundFlow, bool]]:
        """The flows that tasks run, and whether they surely do: where an expression says which, all there are."""
        for task in flow.all_tasks():
            namespace, flow_id = getattr(task, "namespace", None), getattr(task, "flow_id", None)
            if not isinstance(flow_id, str) or not isinstance(namespace, str):
                continue
            if holds_expression([namespace, flow_id]):
                yield from ((one, False) for one in self._world.all())
                continue
            revision = getattr(task, "revision", None)
            if isinstance(revision, int):
                self._keep_revisions(namespace, flow_id, revision)
            found = self._world.flow(namespace, flow_id)
            if found is not None:
                yield found, True

    def _keep_revisions(self, namespace: str, flow_id: str, last: int) -> None:
        """Save the revisions up to one that a task names, so that they have the same numbers."""
        if self._world.store is None or (namespace, flow_id) in self._world.local:
            return
        stored = sorted(self._world.store.flows.revisions(namespace, flow_id), key=lambda one: one.revision)
        for one in stored:
            if one.revision <= last:
                self._engine.store.flows.save(namespace, flow_id, one.source, datetime.now(UTC))

    def _seed(self, namespace: str) -> None:
        for one in lineage(namespace):
            if one not in self._seeded and self._world.store is not None:
                self._seeded.add(one)
                copy_namespace(one, self._world.store, self._engine.store)


def copy_namespace(namespace: str, source: Store, target: Store) -> None:
    """Copy what is set, stored and hidden in a namespace, and its files."""
    now = datetime.now(UTC)
    saved = source.namespaces.get(namespace)
    if saved is not None:
        target.namespaces.save(
            namespace,
            now,
            description=saved.description,
            variables=saved.variables,
            plugin_defaults=saved.plugin_defaults,
        )
    for entry in source.kv.list(namespace, now):
        found = source.kv.get(namespace, entry.key, now)
        if found is not None:
            target.kv.put(
                namespace,
                found.key,
                found.value,
                now,
                type=found.type,
                description=found.description,
                expires=found.expires,
            )
    for secret in source.secrets.list(namespace):
        value = source.secrets.get(namespace, secret.name)
        if value is not None:
            target.secrets.put(namespace, secret.name, value, now, secret.description)
    for file in source.namespace_files.list(namespace):
        target.namespace_files.put(namespace, file.path, source.files.read_bytes(file.uri))


def _copy_files(text: str, source: Store, target: Store) -> None:
    """Copy the stored files whose URIs a text holds, such as what an execution has put out."""
    for uri in set(_STORED.findall(text)):
        with suppress(NbflowError):  # it only looks like a URI, and whoever reads it is told
            if source.files.exists(uri) and not target.files.exists(uri):
                target.files.put_bytes(path_of(uri), source.files.read_bytes(uri))


def _is_named(namespace: str, text: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(namespace)}(?![\w.-])", text) is not None
