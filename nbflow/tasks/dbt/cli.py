"""The task types of dbt: its command line, and a task for each of its commands."""

from __future__ import annotations

import json
import shlex
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, model_validator

from nbflow.plugins import Dynamic, Example, RunContext, Text, task_type
from nbflow.tasks.dbt.project import DbtTask, StoredManifest, read_manifest


def _example(command: str, properties: str) -> Example:
    text = f"id: shop\ntype: io.kestra.plugin.dbt.cli.{command}\nnamespaceFiles: {{enabled: true}}\n{properties}\n"
    return Example(text, title="Use the project among the namespace's files.", needs="dbt and a project")


class LogFormat(StrEnum):
    """How dbt writes its log."""

    JSON = "JSON"
    TEXT = "TEXT"
    DEBUG = "DEBUG"
    NONE = "NONE"


class Engine(StrEnum):
    """Which dbt it is."""

    CORE = "CORE"
    FUSION = "FUSION"


@task_type(
    "io.kestra.plugin.dbt.cli.DbtCLI",
    aliases=["dbt"],
    examples=[
        Example(
            """
            id: shop
            type: io.kestra.plugin.dbt.cli.DbtCLI
            inputFiles:
              dbt_project.yml: |
                name: shop
                version: "1.0"
                profile: shop
              models/products.sql: select 1 as id, 'tea' as name
            profiles:
              shop:
                target: dev
                outputs:
                  dev: {type: duckdb, path: shop.duckdb}
            dependencies: [dbt-duckdb, "dbt-core<1.12"]
            commands: [dbt build]
            """,
            title="Build a project on DuckDB",
            needs="dbt, which is installed the first time",
        )
    ],
)
class DbtCLI(DbtTask):
    """Run commands of dbt; each model is a task run of its own, with its state, duration and error."""

    commands: list[Text] = Field(description="Shell commands, such as `dbt deps` and `dbt build --select orders+`.")
    store_manifest: Dynamic[StoredManifest] | None = Field(
        default=None, description="Where to keep the manifest afterwards."
    )
    load_manifest: Dynamic[StoredManifest] | None = Field(
        default=None, description="From where to put a manifest into `target` first, for `--state target`."
    )
    log_format: Dynamic[LogFormat] = Field(
        default=LogFormat.JSON,
        description="How dbt writes its log: JSON shows models as they go on, TEXT and DEBUG once dbt has ended.",
    )
    engine: Dynamic[Engine] = Field(default=Engine.CORE, description="Accepted; what is installed as `dbt` runs.")

    def environment(self) -> dict[str, str]:
        environment = super().environment()
        if self.log_format is LogFormat.NONE:
            environment.pop("DBT_LOG_FORMAT", None)
        elif self.log_format is not LogFormat.JSON:
            environment["DBT_LOG_FORMAT"] = self.log_format.lower()
        return environment

    def before(self, ctx: RunContext, project: Path) -> None:
        wanted = self.load_manifest
        if wanted is None:
            return
        found = ctx.kv.get(wanted.namespace or ctx.namespace, wanted.key, ctx.now())
        if found is None or found.value in (None, ""):
            ctx.log.warning("`loadManifest`: there is no manifest under the key `%s`", wanted.key)
            return
        target = project / "target"
        target.mkdir(parents=True, exist_ok=True)
        text = found.value if isinstance(found.value, str) else json.dumps(found.value)
        (target / "manifest.json").write_text(text, encoding="utf-8")

    def after(self, ctx: RunContext, manifest: Path) -> None:
        wanted = self.store_manifest
        if wanted is not None:
            value = read_manifest(manifest.read_text(encoding="utf-8"))
            ctx.kv.put(wanted.namespace or ctx.namespace, wanted.key, value, ctx.now())


class DbtCommand(DbtTask):
    """What the tasks for one command of dbt declare."""

    command: ClassVar[str] = ""
    has_selection: ClassVar[bool] = True

    dbt_path: Dynamic[Text] | None = Field(default=None, description="The program; `dbt` where that is not there.")
    fail_fast: Dynamic[bool] = Field(default=False, description="Whether dbt ends at the first failure.")
    warn_error: Dynamic[bool] = Field(default=False, description="Whether what dbt would warn of is a failure.")
    debug: Dynamic[bool] = Field(default=False, description="Whether dbt says what it does in detail.")
    thread: Dynamic[int] | None = Field(default=None, description="How many models are built at once.")
    full_refresh: Dynamic[bool] = Field(default=False, description="Whether incremental models are built anew.")
    target: Dynamic[Text] | None = Field(default=None, description="Target of the profile.")
    selector: Dynamic[Text] | None = Field(default=None, description="Name of a selector of the project.")
    select: Dynamic[list[Text]] = Field(default_factory=list, description="Which nodes to take.")
    exclude: Dynamic[list[Text]] = Field(default_factory=list, description="Which nodes to leave out.")

    @model_validator(mode="after")
    def _says_what_to_run(self) -> Self:
        if self.script is not None or self.commands is not None:
            raise ValueError("runs one command of dbt: for others use `io.kestra.plugin.dbt.cli.DbtCLI`")
        return self

    def with_commands(self) -> dict[str, object]:
        words = ["dbt"]
        if self.dbt_path:  # that of an image need not be there where the task runs as a process
            words = [f'"$(command -v {shlex.quote(self.dbt_path)} || echo dbt)"']
        for is_set, flag in (
            (self.debug, "--debug"),
            (self.fail_fast, "--fail-fast"),
            (self.warn_error, "--warn-error"),
        ):
            words += [flag] if is_set else []
        words.append(self.command)
        words += ["--target", shlex.quote(self.target)] if self.target else []
        if self.has_selection:
            words += ["--threads", str(self.thread)] if self.thread else []
            words += ["--full-refresh"] if self.full_refresh else []
            words += ["--selector", shlex.quote(self.selector)] if self.selector else []
            words += ["--select", *map(shlex.quote, self.select)] if self.select else []
            words += ["--exclude", *map(shlex.quote, self.exclude)] if self.exclude else []
        line = " ".join(words)
        return {"commands": [f"{{% raw %}}{line}{{% endraw %}}"], "fail_fast": True}


@task_type("io.kestra.plugin.dbt.cli.Build", aliases=["dbt_build"], examples=[_example("Build", "select: [orders+]")])
class Build(DbtCommand):
    """Build models, seeds and snapshots, and run their tests."""

    command: ClassVar[str] = "build"


@task_type("io.kestra.plugin.dbt.cli.Run", aliases=["dbt_run"], examples=[_example("Run", "fullRefresh: true")])
class Run(DbtCommand):
    """Build models."""

    command: ClassVar[str] = "run"


@task_type("io.kestra.plugin.dbt.cli.Test", aliases=["dbt_test"], examples=[_example("Test", "select: [orders]")])
class Test(DbtCommand):
    """Run the tests of a project."""

    command: ClassVar[str] = "test"


@task_type("io.kestra.plugin.dbt.cli.Seed", aliases=["dbt_seed"], examples=[_example("Seed", "target: dev")])
class Seed(DbtCommand):
    """Load the seeds of a project."""

    command: ClassVar[str] = "seed"


@task_type(
    "io.kestra.plugin.dbt.cli.Snapshot", aliases=["dbt_snapshot"], examples=[_example("Snapshot", "target: prod")]
)
class Snapshot(DbtCommand):
    """Take the snapshots of a project."""

    command: ClassVar[str] = "snapshot"


@task_type(
    "io.kestra.plugin.dbt.cli.Compile", aliases=["dbt_compile"], examples=[_example("Compile", "select: [orders]")]
)
class Compile(DbtCommand):
    """Compile a project to SQL."""

    command: ClassVar[str] = "compile"


@task_type("io.kestra.plugin.dbt.cli.Deps", aliases=["dbt_deps"], examples=[_example("Deps", "projectDir: shop")])
class Deps(DbtCommand):
    """Install the packages that a project needs."""

    command: ClassVar[str] = "deps"
    has_selection: ClassVar[bool] = False


@task_type(
    "io.kestra.plugin.dbt.cli.List", aliases=["dbt_list"], examples=[_example("List", 'select: ["tag:nightly"]')]
)
class List(DbtCommand):
    """List the nodes of a project."""

    command: ClassVar[str] = "list"


@task_type(
    "io.kestra.plugin.dbt.cli.Freshness",
    aliases=["dbt_freshness"],
    examples=[_example("Freshness", 'select: ["source:shop"]')],
)
class Freshness(DbtCommand):
    """Check how fresh the sources of a project are."""

    command: ClassVar[str] = "source freshness"
