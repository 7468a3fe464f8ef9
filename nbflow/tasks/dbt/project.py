"""What dbt tasks share: profiles, where the project lies, which dbt runs it, and what it leaves in `target`."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import yaml
from pydantic import Field, PrivateAttr

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Model, RunContext, State, TaskRunner, Text
from nbflow.tasks.dbt.nodes import DbtListener, Nodes, outputs_of
from nbflow.tasks.scripts.languages import PYTHON, Language, base_environment
from nbflow.tasks.scripts.script import ScriptOutput, ScriptTask
from nbflow.types import JsonValue

_CORE = "dbt-core<1.12"
"""From 1.12 on, installing dbt fetches a program from a site that is not a package index."""

_SAME_CLOCK = timedelta(minutes=1)
_ADAPTER = re.compile(r"[a-z][a-z0-9_]{1,30}")
_IMAGE = re.compile(r"dbt-([a-z]+)")
_NO_ADAPTERS = ("fusion", "core", "labs")


class StoredManifest(Model):
    """Where a manifest is kept in the key-value store."""

    key: Dynamic[Text] = Field(description="Key of the manifest.")
    namespace: Dynamic[Text] | None = Field(default=None, description="Namespace of the key; the flow's unless said.")


class DbtTask(ScriptTask):
    """Runs dbt, and shows each of its models as a task run of its own."""

    Output: ClassVar[type[ScriptOutput]] = ScriptOutput
    language: ClassVar[Language] = PYTHON

    profiles: dict[str, JsonValue] | Text | None = Field(
        default=None, description="Content of `profiles.yml`, as text or as a map; it wins over a file of that name."
    )
    project_dir: Dynamic[Text] | None = Field(
        default=None, description="Folder of the project; the working directory unless said."
    )
    parse_run_results: Dynamic[bool] = Field(
        default=True, description="Whether models, tests and seeds are shown as task runs of their own."
    )
    warning_on_std_err: Dynamic[bool] = Field(
        default=False, description="End in WARNING when it wrote to standard error; warnings of dbt do so anyway."
    )

    _nodes: Nodes | None = PrivateAttr(default=None)
    _heard: DbtListener | None = PrivateAttr(default=None)

    def with_commands(self) -> dict[str, object]:
        """What to change in this task before it is run as a script."""
        return {}

    def environment(self) -> dict[str, str]:
        """Variables that tell dbt what to do; those that the task itself sets win."""
        project = (self.project_dir or "").strip("/")
        shown = {"DBT_LOG_FORMAT": "json", "DBT_USE_COLORS": "false", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
        set_here = {name: value for name, value in shown.items() if name not in os.environ}
        if project:
            set_here["DBT_PROJECT_DIR"] = "{{ workingDir }}/" + project
        return set_here

    async def run(self, ctx: RunContext) -> ScriptOutput:
        project = ctx.path((self.project_dir or ".").lstrip("/") or ".")
        profiles = ctx.path(f".dbt-{ctx.task_run_id}")
        env: dict[str, str | None] = {**self.environment()}
        if await asyncio.to_thread(self._write_profiles, ctx, profiles):
            env["DBT_PROFILES_DIR"] = "{{ workingDir }}/" + profiles.name
        await asyncio.to_thread(self.before, ctx, project)
        results = project / "target" / "run_results.json"
        old = await asyncio.to_thread(_written, results)
        began = datetime.now(UTC)
        task = self.model_copy(update={**self.with_commands(), "env": {**env, **self.env}})
        nodes = task._nodes = Nodes(ctx, self.parse_run_results)
        try:
            try:
                output = await ScriptTask.run(task, ctx)
            except TaskFailedError as failure:
                files = await task._finish(ctx, project, old, began)
                failure.outputs = outputs_of(files, failure.outputs)
                raise
            output.output_files.update(await task._finish(ctx, project, old, began))
            if task._heard is not None and task._heard.has_warned:
                output._final_state = State.WARNING
            return output
        finally:
            nodes.stop()
            await asyncio.to_thread(shutil.rmtree, profiles, True)

    def before(self, ctx: RunContext, project: Path) -> None:
        """Put into the project what dbt is to find."""

    def after(self, ctx: RunContext, manifest: Path) -> None:
        """Keep what dbt has made."""

    async def _finish(self, ctx: RunContext, project: Path, old: int | None, began: datetime) -> dict[str, str]:
        """Show what the nodes came to, and store what dbt says of the run; name → URI of the files."""
        results, manifest = project / "target" / "run_results.json", project / "target" / "manifest.json"
        is_new = await asyncio.to_thread(_is_new, results, old, began)
        if self._nodes is not None:
            self._nodes.end(results if is_new else None)
        return await asyncio.to_thread(self._store, ctx, results if is_new else None, manifest)

    def _store(self, ctx: RunContext, results: Path | None, manifest: Path) -> dict[str, str]:
        files = {}
        if manifest.is_file():
            files["manifest.json"] = ctx.store_file(manifest, "manifest.json")
            self.after(ctx, manifest)
        if results is not None:
            files["run_results.json"] = ctx.store_file(results, "run_results.json")
        return files

    def _listener(self, ctx: RunContext) -> DbtListener:
        self._heard = DbtListener(ctx, self._nodes or Nodes(ctx, self.parse_run_results))
        return self._heard

    async def _python(
        self, ctx: RunContext, runner: TaskRunner, directory: Path, dependencies: list[str]
    ) -> str | None:
        """The Python that `dbt` belongs to: that of the dependencies, one with an adapter, None for what is here."""
        path = base_environment({}, sys.executable, stand_in=False)["PATH"]
        if not dependencies and not self.before_commands and not shutil.which("dbt", path=path):
            adapters = await asyncio.to_thread(lambda: sorted(self._adapters(ctx, directory)))
            if not adapters:
                raise TaskFailedError(
                    "dbt is not installed here", hint="name its adapter, as in `dependencies: [dbt-duckdb]`"
                )
            dependencies = [*(f"dbt-{adapter}" for adapter in adapters), _CORE]
        return await super()._python(ctx, runner, directory, dependencies)

    def _adapters(self, ctx: RunContext, directory: Path) -> set[str]:
        """The databases that the profiles name; else the one that the image is for."""
        project = ctx.path((self.project_dir or ".").lstrip("/") or ".")
        for place in (directory / f".dbt-{ctx.task_run_id}", project, directory):
            file = place / "profiles.yml"
            if file.is_file() and (found := set(_adapters_in(file.read_text(encoding="utf-8", errors="replace")))):
                return found
        image = _IMAGE.search(self.container_image or "")
        return {image[1]} if image is not None and image[1] not in _NO_ADAPTERS else set()

    def _write_profiles(self, ctx: RunContext, place: Path) -> bool:
        """Write `profiles.yml`; whether there is something to write."""
        content = ctx.render_value(self.profiles) if isinstance(self.profiles, dict) else None
        text = yaml.safe_dump(content) if content is not None else ctx.render(str(self.profiles or ""))
        if not text.strip():
            return False
        place.mkdir(mode=0o700, exist_ok=True)
        (place / "profiles.yml").write_text(text, encoding="utf-8")
        return True


def _adapters_in(text: str) -> Iterator[str]:
    try:
        profiles = yaml.safe_load(text)
    except yaml.YAMLError:
        return
    for profile in profiles.values() if isinstance(profiles, dict) else ():
        outputs = profile.get("outputs") if isinstance(profile, dict) else None
        for target in outputs.values() if isinstance(outputs, dict) else ():
            kind = target.get("type") if isinstance(target, dict) else None
            if isinstance(kind, str) and _ADAPTER.fullmatch(kind):
                yield kind


def _written(path: Path) -> int | None:
    """When a file was written, in nanoseconds; None when there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None


def _is_new(results: Path, old: int | None, began: datetime) -> bool:
    """Whether dbt has written its results since it began, and not somebody who put an old file there."""
    if _written(results) in (None, old):
        return False
    try:
        metadata = json.loads(results.read_text(encoding="utf-8"))["metadata"]
        return datetime.fromisoformat(metadata["generated_at"]) >= began - _SAME_CLOCK
    except (OSError, ValueError, KeyError, TypeError):
        return True


def read_manifest(text: str) -> JsonValue:
    """A manifest as a value. Raises: TaskFailedError."""
    try:
        read: JsonValue = json.loads(text)
    except ValueError as cause:
        raise TaskFailedError("the manifest that dbt has written is no JSON") from cause
    return read
