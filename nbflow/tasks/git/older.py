"""The older task types of Git, which take flows and files of a namespace together."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, field_validator

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, Model, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.git.pushing import clone_to_push, commit_and_push
from nbflow.tasks.git.repository import GitTask, check_reference, inside
from nbflow.tasks.git.syncing import FlowChange, SyncTask, apply_flows, files_below, read_flow
from nbflow.tasks.scripts.settings import NamespaceFiles
from nbflow.tasks.working_files import put_input_files, put_namespace_files
from nbflow.types import JsonValue

_FLOWS = "_flows"
_NAMESPACE = re.compile(r"^namespace\s*:\s*[\"']?([\w.-]+)", re.MULTILINE)


class FlowFiles(Model):
    """Which flows are pushed."""

    enabled: Dynamic[bool] = Field(default=True, description="Whether flows are pushed.")
    child_namespaces: Dynamic[bool] = Field(default=True, description="Whether those of namespaces below are, too.")
    git_directory: Dynamic[Text] = Field(default=_FLOWS, description="Folder of the repository for them.")


class Author(Model):
    """Who a commit is by."""

    name: Dynamic[Text] | None = Field(default=None, description="Name of the author.")
    email: Dynamic[Text] | None = Field(default=None, description="Address of the author.")


@task_type(
    "io.kestra.plugin.git.Push",
    aliases=["git_push"],
    examples=[
        Example(
            """
            id: push
            type: io.kestra.plugin.git.Push
            url: https://github.com/octocat/flows
            username: octocat
            password: "{{ secret('GITHUB_TOKEN') }}"
            branch: main
            commitMessage: "Run {{ execution.id }}"
            namespaceFiles: {enabled: true}
            """,
            title="Commit the flows and the files of the namespace.",
            needs="a repository of yours",
        )
    ],
)
class Push(GitTask):
    """Commit files of the working directory, of the namespace and its flows, and push; PushFlows does one of these."""

    class Output(RunnableTask.Output):
        commit_id: str | None = Field(default=None, description="Id of the commit; none when nothing had changed.")

    directory: Dynamic[Text] | None = Field(
        default=None, description="Folder of the working directory with the repository, when there is no `url`."
    )
    branch: Dynamic[Text] = Field(description="Branch to push to; it is made when it is not there.")
    commit_message: Dynamic[Text] = Field(description="What the commit says.")
    flows: Dynamic[FlowFiles] = Field(default_factory=FlowFiles, description="Which flows are pushed.")
    namespace_files: NamespaceFiles | None = Field(default=None, description="Files of the namespace to push.")
    input_files: dict[str, JsonValue] | Text | None = Field(
        default=None, description="Files to push: name → content or URI of a stored file."
    )
    add_files_pattern: Dynamic[list[Text]] = Field(default_factory=lambda: ["."], description="Files to commit.")
    author: Dynamic[Author] | None = Field(default=None, description="Who the commit is by.")

    @field_validator("namespace_files", mode="before")
    @classmethod
    def _read_switch(cls, value: object) -> object:
        return {"enabled": value} if isinstance(value, bool) else value

    async def run(self, ctx: RunContext) -> Output:
        check_reference(self.branch)
        target = ctx.path(self.directory or ".")
        async with self.git(ctx) as git:
            if self.url:
                await asyncio.to_thread(target.mkdir, parents=True, exist_ok=True)
                await clone_to_push(git, self, target, self.branch)
                if await git.head(target) is not None:  # what is not put there again is to be gone
                    await git.run("rm", "-r", "--quiet", "--ignore-unmatch", "--", ".", at=target)
            elif not (target / ".git").is_dir():
                raise TaskFailedError("there is no repository in the working directory", hint="give a `url`")
            elif await git.run("branch", "--show-current", at=target) != [self.branch]:
                await git.run("checkout", "--quiet", "-B", self.branch, at=target)
            await asyncio.to_thread(self._put_files, ctx, target)
            own = [f":(exclude){git.place.name}", ":(exclude).nbflow-*"]
            await git.run("add", "--all", "--", *self.add_files_pattern, *own, at=target)
            if not await git.run("diff", "--cached", "--name-only", at=target):
                ctx.log.info("nothing has changed")
                return self.Output()
            author = self.author or Author()
            name = author.name or self.username
            commit = await commit_and_push(git, target, self.branch, self.commit_message, name, author.email)
        return self.Output(commit_id=commit)

    def _put_files(self, ctx: RunContext, target: Path) -> None:
        if self.input_files:
            put_input_files(ctx, self.input_files, {})
        if self.namespace_files is not None and self.namespace_files.enabled:
            put_namespace_files(ctx, self.namespace_files)
        if not self.flows.enabled:
            return
        folder = inside(target, self.flows.git_directory)
        folder.mkdir(parents=True, exist_ok=True)
        for flow in ctx.flows.list(ctx.namespace, with_children=self.flows.child_namespaces):
            (folder / f"{flow.namespace}.{flow.id}.yml").write_text(flow.source, encoding="utf-8")


@task_type(
    "io.kestra.plugin.git.Sync",
    aliases=["git_sync"],
    examples=[
        Example(
            """
            id: sync
            type: io.kestra.plugin.git.Sync
            url: https://github.com/octocat/flows
            branch: main
            gitDirectory: production
            """,
            title="Deploy the flows in `_flows`, and bring all other files into the namespace.",
            needs="the network",
        )
    ],
)
class Sync(SyncTask):
    """Make the flows and the files of the flow's namespace those of a repository; SyncFlows does one of these."""

    git_directory: Dynamic[Text] = Field(default=".", description="Folder of the repository to take.")
    namespace_files_directory: Dynamic[Text] = Field(
        default="", description="Folder of the namespace that the files come to."
    )

    async def run(self, ctx: RunContext) -> RunnableTask.Output:
        async with self.git(ctx) as git:
            directory = await self.checked_out(git, self.git_directory)
            files = await files_below(git, directory) if directory is not None else []
            if directory is not None:
                named = {path.relative_to(directory).as_posix(): path for path in files}
                await asyncio.to_thread(self._bring_in, ctx, named)
        return self.Output()

    def _bring_in(self, ctx: RunContext, files: Mapping[str, Path]) -> None:
        flows = {name: path for name, path in files.items() if name.startswith(f"{_FLOWS}/")}
        changes = [change for name, path in flows.items() if (change := self._read(ctx, name, path)) is not None]
        if flows:
            kept = {change.flow.id for change in changes} | {ctx.flow_id}
            changes += [
                FlowChange("", "DELETED", flow) for flow in ctx.flows.list(ctx.namespace) if flow.id not in kept
            ]
            apply_flows(ctx, changes, self.dry_run)
        prefix = self.namespace_files_directory.strip("/")
        wanted = {f"{prefix}/{name}" if prefix else name: path for name, path in files.items() if name not in flows}
        known = {file.path for file in ctx.namespace_files.list(ctx.namespace, prefix)}
        for name, path in wanted.items():
            ctx.log.info("%s %s", "~" if name in known else "+", name)
            if not self.dry_run:
                ctx.namespace_files.put(ctx.namespace, name, path.read_bytes())
        for name in sorted(known - wanted.keys()):
            ctx.log.info("- %s", name)
            if not self.dry_run:
                ctx.namespace_files.delete(ctx.namespace, name)

    def _read(self, ctx: RunContext, name: str, path: Path) -> FlowChange | None:
        """A flow of the namespace, or of one below it if it says so."""
        if path.suffix not in (".yml", ".yaml"):
            return None
        said = _NAMESPACE.search(path.read_text(encoding="utf-8", errors="replace"))
        is_below = said is not None and said[1].startswith(f"{ctx.namespace}.")
        return read_flow(ctx, path, said[1] if said is not None and is_below else ctx.namespace, name)
