"""Task types that bring what is in a Git repository into this home: flows, and files of namespaces."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import AliasChoices, Field

from nbflow.errors import FlowValidationError, TaskFailedError
from nbflow.plugins import Dynamic, Example, FlowSource, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.git.repository import Git, GitTask, inside
from nbflow.types import JsonValue

_NAMESPACE = re.compile(r"^namespace\s*:.*$", re.MULTILINE)
_IGNORED = (".gitignore", ".gitkeep", ".kestraignore")
_IGNORE_FILE = ".kestraignore"


class SyncTask(GitTask):
    """What every task that brings something in from a repository declares."""

    url: Dynamic[Text] = Field(description="Address of the repository, or its path here.")
    branch: Dynamic[Text] = Field(default="main", description="Branch to bring in.")
    dry_run: Dynamic[bool] = Field(default=False, description="Whether only to say what would change.")
    fail_on_missing_directory: Dynamic[bool] = Field(
        default=True, description="Whether it is a failure that `gitDirectory` is not there."
    )

    async def checked_out(self, git: Git, name: str) -> Path | None:
        """A directory of the repository's branch; None when it is not there and need not be."""
        target = git.place / "repository"
        await git.clone(
            target, branch=self.branch, all_branches=False, submodules=self.clone_submodules, config=self.git_config
        )
        directory = inside(target, name)
        if directory.is_dir():
            return directory
        if directory.exists():
            raise TaskFailedError(f"`{name}` is a file in the repository, and a directory is wanted")
        if self.fail_on_missing_directory:
            raise TaskFailedError(f"there is no directory `{name}` in the branch `{self.branch}` of the repository")
        git.ctx.log.warning("there is no directory `%s` in the branch `%s`", name, self.branch)
        return None


async def files_below(git: Git, directory: Path, *, deep: bool = True) -> list[Path]:
    """The files to bring in, sorted, without those that `.kestraignore` names and links that lead out."""
    found = await asyncio.to_thread(_files, directory, git.place.resolve(), deep)
    ignored = await ignored_by_kestra(git, directory)
    return [path for path in found if path not in ignored]


async def ignored_by_kestra(git: Git, directory: Path) -> set[Path]:
    """The files of the repository below a directory that its `.kestraignore` names."""
    ignore = directory / _IGNORE_FILE
    if not await asyncio.to_thread(ignore.is_file):
        return set()
    # Git itself reads the patterns, which are as in `.gitignore`.
    tracked = await git.run("ls-files", "--cached", "--ignored", f"--exclude-from={ignore}", at=directory)
    return {directory / name for name in tracked}


def _files(directory: Path, base: Path, deep: bool) -> list[Path]:
    return [
        path
        for path in sorted(directory.rglob("*") if deep else directory.glob("*"))
        if ".git" not in path.relative_to(directory).parts
        and path.name not in _IGNORED
        and path.resolve().is_relative_to(base)
        and path.is_file()
    ]


@dataclass(frozen=True, slots=True)
class FlowChange:
    """What a file of the repository means for a flow; `path` is empty for one that is to be deleted."""

    path: str
    state: str
    flow: FlowSource

    def to_json(self) -> dict[str, JsonValue]:
        place: dict[str, JsonValue] = {"gitPath": self.path} if self.path else {}
        return {
            **place,
            "syncState": self.state,
            "flowId": self.flow.id,
            "namespace": self.flow.namespace,
            "revision": self.flow.revision,
        }


@task_type(
    "io.kestra.plugin.git.SyncFlows",
    aliases=["git_sync_flows"],
    examples=[
        Example(
            """
            id: sync
            type: io.kestra.plugin.git.SyncFlows
            url: https://github.com/octocat/flows
            username: octocat
            password: "{{ secret('GITHUB_TOKEN') }}"
            branch: main
            targetNamespace: company.prod
            gitDirectory: flows
            delete: true
            """,
            title="Deploy what is on the main branch.",
            needs="a repository of yours",
        )
    ],
)
class SyncFlows(SyncTask):
    """Deploy the flows of a Git repository; either all of them are valid and deployed, or none is."""

    class Output(RunnableTask.Output):
        flows: str = Field(description="URI of a file with what has changed (JSON Lines): a flow a line.")

    target_namespace: Dynamic[Text] = Field(description="Namespace that the flows are deployed to.")
    git_directory: Dynamic[Text] = Field(default="_flows", description="Folder of the repository that holds them.")
    include_child_namespaces: Dynamic[bool] = Field(
        default=False, description="Whether folders in it are namespaces below the target."
    )
    delete: Dynamic[bool] = Field(default=False, description="Whether flows are deleted that are not in Git.")
    ignore_invalid_flows: Dynamic[bool] = Field(
        default=False, description="Whether flows that are not valid are left out, with a warning."
    )

    async def run(self, ctx: RunContext) -> Output:
        async with self.git(ctx) as git:
            directory = await self.checked_out(git, self.git_directory)
            deep = self.include_child_namespaces
            files = await files_below(git, directory, deep=deep) if directory is not None else []
            changes = await asyncio.to_thread(self._changes, ctx, directory, files)
        return self.Output(flows=await asyncio.to_thread(apply_flows, ctx, changes, self.dry_run))

    def _changes(self, ctx: RunContext, directory: Path | None, files: Sequence[Path]) -> list[FlowChange]:
        known = {
            (flow.namespace, flow.id): flow
            for flow in ctx.flows.list(self.target_namespace, with_children=self.include_child_namespaces)
        }
        changes = []
        for path in files:
            assert directory is not None
            if path.suffix not in (".yml", ".yaml"):
                ctx.log.debug("%s is no flow", path.name)
                continue
            inner = path.relative_to(directory)
            namespace = ".".join([self.target_namespace, *inner.parent.parts])
            shown = f"{self.git_directory.strip('/')}/{inner.as_posix()}"
            change = read_flow(ctx, path, namespace, shown, ignore_invalid=self.ignore_invalid_flows)
            if change is not None:
                changes.append(change)
                known.pop((change.flow.namespace, change.flow.id), None)
        if self.delete:
            changes += [FlowChange("", "DELETED", flow) for key, flow in known.items() if key != _own(ctx)]
        return changes


@task_type(
    "io.kestra.plugin.git.SyncFlow",
    aliases=["git_sync_flow"],
    examples=[
        Example(
            """
            id: sync
            type: io.kestra.plugin.git.SyncFlow
            url: https://github.com/octocat/flows
            username: octocat
            password: "{{ secret('GITHUB_TOKEN') }}"
            branch: main
            targetNamespace: company.prod
            flowPath: flows/orders.yml
            """,
            title="Deploy one flow.",
            needs="a repository of yours",
        )
    ],
)
class SyncFlow(SyncTask):
    """Deploy one flow of a Git repository."""

    class Output(RunnableTask.Output):
        flow_id: str = Field(description="Id of the flow.")
        namespace: str = Field(description="Its namespace.")
        revision: int = Field(description="Its revision; the one it would have, with `dryRun`.")

    target_namespace: Dynamic[Text] = Field(description="Namespace that the flow is deployed to.")
    flow_path: Dynamic[Text] = Field(description="Path of the flow in the repository.")

    async def run(self, ctx: RunContext) -> Output:
        async with self.git(ctx) as git:
            root = await self.checked_out(git, ".")
            assert root is not None, "the root of a repository is there"
            path = inside(root, self.flow_path)
            if not path.is_file():
                raise TaskFailedError(f"there is no file `{self.flow_path}` in the branch `{self.branch}`")
            change = await asyncio.to_thread(read_flow, ctx, path, self.target_namespace, self.flow_path)
        assert change is not None, "what is not valid is a failure"
        flow = change.flow
        if not self.dry_run and change.state != "UNCHANGED":
            flow = await asyncio.to_thread(ctx.flows.deploy, flow.source)
        return self.Output(flow_id=flow.id, namespace=flow.namespace, revision=flow.revision)


@task_type(
    "io.kestra.plugin.git.SyncNamespaceFiles",
    aliases=["git_sync_files"],
    examples=[
        Example(
            """
            id: sync
            type: io.kestra.plugin.git.SyncNamespaceFiles
            url: https://github.com/octocat/flows
            username: octocat
            password: "{{ secret('GITHUB_TOKEN') }}"
            branch: main
            namespace: company.prod
            gitDirectory: scripts
            """,
            title="Bring scripts into a namespace.",
            needs="a repository of yours",
        )
    ],
)
class SyncNamespaceFiles(SyncTask):
    """Bring the files of a Git repository into a namespace."""

    class Output(RunnableTask.Output):
        files: str = Field(description="URI of a file with what has changed (JSON Lines): a file a line.")

    namespace: Dynamic[Text] | None = Field(
        default=None,
        validation_alias=AliasChoices("namespace", "targetNamespace"),
        description="Namespace that gets them; the flow's unless said.",
    )
    git_directory: Dynamic[Text] = Field(default="_files", description="Folder of the repository that holds them.")
    delete: Dynamic[bool] = Field(default=False, description="Whether files are deleted that are not in Git.")

    async def run(self, ctx: RunContext) -> Output:
        async with self.git(ctx) as git:
            directory = await self.checked_out(git, self.git_directory)
            files = await files_below(git, directory) if directory is not None else []
            rows = await asyncio.to_thread(self._bring_in, ctx, directory, files)
        return self.Output(files=await asyncio.to_thread(store_rows, ctx, rows))

    def _bring_in(self, ctx: RunContext, directory: Path | None, files: Sequence[Path]) -> list[dict[str, JsonValue]]:
        namespace = self.namespace or ctx.namespace
        known = {file.path: file for file in ctx.namespace_files.list(namespace)}
        rows: list[dict[str, JsonValue]] = []
        for path in files:
            assert directory is not None
            name = path.relative_to(directory).as_posix()
            old, content = known.pop(name, None), path.read_bytes()
            state = "ADDED" if old is None else "OVERWRITTEN"
            if old is not None and ctx.storage.read_bytes(old.uri) == content:
                state = "UNCHANGED"
            elif not self.dry_run:
                ctx.namespace_files.put(namespace, name, content)
            git_path = f"{self.git_directory.strip('/')}/{name}"
            rows.append({"gitPath": git_path, "syncState": state, "kestraPath": f"/{name}"})
        for name in known if self.delete else ():
            if not self.dry_run:
                ctx.namespace_files.delete(namespace, name)
            rows.append({"syncState": "DELETED", "kestraPath": f"/{name}"})
        return rows


def read_flow(
    ctx: RunContext, path: Path, namespace: str, shown: str, *, ignore_invalid: bool = False
) -> FlowChange | None:
    """What a file means for the flow it defines, in a namespace; None when it is not valid and that is no failure."""
    text = path.read_text(encoding="utf-8", errors="replace").rstrip()
    source = _NAMESPACE.sub(lambda _: f"namespace: {namespace}", text, count=1)
    try:
        new = ctx.flows.preview(source)
    except FlowValidationError as invalid:
        if not ignore_invalid:
            raise TaskFailedError(f"`{shown}` is no valid flow: {invalid}") from invalid
        ctx.log.warning("`%s` is no valid flow: %s", shown, invalid)
        return None
    old = next((flow for flow in ctx.flows.list(new.namespace) if flow.id == new.id), None)
    if old is None:
        return FlowChange(shown, "ADDED", new)
    is_same = old.source.replace("\r\n", "\n").strip() == source.replace("\r\n", "\n").strip()
    return FlowChange(shown, "UNCHANGED", old) if is_same else FlowChange(shown, "UPDATED", new)


def apply_flows(ctx: RunContext, changes: Sequence[FlowChange], dry_run: bool) -> str:
    """Deploy and delete flows; the URI of a file that says what was done."""
    for change in changes if not dry_run else ():
        if change.state == "DELETED":
            ctx.flows.delete(change.flow.namespace, change.flow.id)
        elif change.state != "UNCHANGED":
            ctx.flows.deploy(change.flow.source)
        ctx.log.debug("%s.%s: %s", change.flow.namespace, change.flow.id, change.state)
    counts = {state: sum(change.state == state for change in changes) for state in {one.state for one in changes}}
    said = ", ".join(f"{count} {state.lower()}" for state, count in sorted(counts.items())) or "nothing to do"
    ctx.log.info("flows%s: %s", " (dry run)" if dry_run else "", said)
    return store_rows(ctx, [change.to_json() for change in sorted(changes, key=lambda change: change.path)])


def store_rows(ctx: RunContext, rows: Sequence[dict[str, JsonValue]]) -> str:
    """Store rows as JSON Lines; the URI of the file."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return ctx.store_bytes(text.encode(), "diff.jsonl")


def _own(ctx: RunContext) -> tuple[str, str]:
    """The flow that syncs, which must not delete itself."""
    return ctx.namespace, ctx.flow_id
