"""Task types that commit what is in this home and push it: flows, files of namespaces, files of an execution."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, FlowSource, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.git.changes import changed_lines
from nbflow.tasks.git.repository import Git, GitTask, check_reference, inside
from nbflow.tasks.git.syncing import ignored_by_kestra, store_rows
from nbflow.tasks.storage.scratch import stored
from nbflow.tasks.working_files import matching_files

_DRAFT = re.compile(r"^draft\s*:\s*true\s*$", re.MULTILINE)
_SSH = re.compile(r"(?:ssh://)?git@(?P<host>[^:/]+)[:/](?P<path>.+)")
_COMMITS = {"bitbucket.org": "commits", "gitlab.com": "-/commit"}


class Pushed(RunnableTask.Output):
    """What was pushed."""

    commit_id: str | None = Field(default=None, description="Id of the commit; none when nothing had changed.")
    commit_url: str | None = Field(
        default=None, serialization_alias="commitURL", description="Where the commit can be seen."
    )


class PushTask(GitTask):
    """What every task that pushes declares."""

    url: Dynamic[Text] = Field(description="Address of the repository, or its path here.")
    branch: Dynamic[Text] = Field(default="main", description="Branch to push to; it is made when it is not there.")
    commit_message: Dynamic[Text] | None = Field(default=None, description="What the commit says.")
    dry_run: Dynamic[bool] = Field(default=False, description="Whether only to say what would change.")
    author_name: Dynamic[Text] | None = Field(default=None, description="Author of the commit; `username`.")
    author_email: Dynamic[Text] | None = Field(default=None, description="Address of the author.")
    delete: Dynamic[bool] = Field(
        default=True, description="Whether files of `gitDirectory` are deleted that are not here."
    )
    git_directory: Dynamic[Text] = Field(description="Folder of the repository to push to.")

    def default_message(self, ctx: RunContext) -> str:
        """What the commit says unless the author does."""
        return f"Add files from {ctx.namespace}.{ctx.flow_id}"

    async def push(
        self, ctx: RunContext, files: Mapping[str, bytes | Path], patterns: Sequence[str] | None
    ) -> tuple[Pushed, str | None]:
        """Commit files, by their path in `gitDirectory`, and push; what was pushed, and the URI of what has changed.

        Of what is not among them, files that match a pattern (None: all) are deleted if so wished.
        """
        if not files:
            ctx.log.info("there is nothing to push")
            return Pushed(), None
        async with self.git(ctx) as git:
            target = git.place / "repository"
            await clone_to_push(git, self, target, self.branch)
            before = await git.head(target) or await empty_tree(git, target)
            directory = inside(target, self.git_directory)
            ignored = await ignored_by_kestra(git, directory)
            await asyncio.to_thread(_write, directory, files)
            if self.delete:
                await asyncio.to_thread(_delete_others, directory, files, patterns, ignored)
            await git.run("add", "--all", "--", str(directory.relative_to(target.resolve())), at=target)
            ignored = await ignored_by_kestra(git, directory)
            if new := [str(path.relative_to(target.resolve())) for path in ignored]:
                await git.run("reset", "--quiet", "--", *new, at=target)
            rows = await changed_lines(git, target, before)
            uri = await asyncio.to_thread(store_rows, ctx, rows)
            if not rows:
                ctx.log.info("nothing has changed")
                return Pushed(), uri
            if self.dry_run:
                ctx.log.info("dry run: %d files would change", len(rows))
                return Pushed(), uri
            message = self.commit_message or self.default_message(ctx)
            name, email = self.author_name or self.username, self.author_email
            commit = await commit_and_push(git, target, self.branch, message, name, email)
        return Pushed(commit_id=commit, commit_url=commit_url(git.url, commit)), uri


@task_type(
    "io.kestra.plugin.git.PushFlows",
    aliases=["git_push_flows"],
    examples=[
        Example(
            """
            id: push
            type: io.kestra.plugin.git.PushFlows
            url: https://github.com/octocat/flows
            username: octocat
            password: "{{ secret('GITHUB_TOKEN') }}"
            branch: main
            sourceNamespace: company.dev
            targetNamespace: company.prod
            commitMessage: "Release {{ flow.id }}"
            """,
            title="Commit all flows of a namespace.",
            needs="a repository of yours",
        )
    ],
)
class PushFlows(PushTask):
    """Commit the flows of a namespace to a Git repository, and push."""

    class Output(Pushed):
        flows: str | None = Field(default=None, description="URI of a file with the lines that changed (JSON Lines).")

    git_directory: Dynamic[Text] = Field(default="_flows", description="Folder of the repository to push to.")
    source_namespace: Dynamic[Text] | None = Field(
        default=None, description="Namespace whose flows are pushed; the flow's unless said."
    )
    target_namespace: Dynamic[Text] | None = Field(
        default=None, description="Namespace that the files name instead of that one."
    )
    flows: Dynamic[list[Text] | Text] | None = Field(default=None, description="Globs of flow ids; all unless said.")
    include_child_namespaces: Dynamic[bool] = Field(
        default=False, description="Whether flows of the namespaces below it are pushed, in folders."
    )

    def default_message(self, ctx: RunContext) -> str:
        return f"Add flows from `{self.source_namespace or ctx.namespace}` namespace"

    async def run(self, ctx: RunContext) -> Output:
        patterns = _patterns(self.flows)
        files = await asyncio.to_thread(self._files, ctx, patterns)
        pushed, uri = await self.push(ctx, files, patterns)
        return self.Output(**pushed.model_dump(), flows=uri)

    def _files(self, ctx: RunContext, patterns: Sequence[str] | None) -> dict[str, bytes]:
        source = self.source_namespace or ctx.namespace
        target = self.target_namespace or source
        found = ctx.flows.list(source, with_children=self.include_child_namespaces)
        named = re.compile(rf"^(\s*namespace\s*:\s*[\"']?){re.escape(source)}(?![\w-])", re.MULTILINE)
        return {
            _path(flow, source): named.sub(lambda match: match[1] + target, flow.source).encode()
            for flow in found
            if not _DRAFT.search(flow.source)
            and (patterns is None or any(fnmatchcase(flow.id, pattern) for pattern in patterns))
        }


@task_type(
    "io.kestra.plugin.git.PushNamespaceFiles",
    aliases=["git_push_files"],
    examples=[
        Example(
            """
            id: push
            type: io.kestra.plugin.git.PushNamespaceFiles
            url: https://github.com/octocat/flows
            username: octocat
            password: "{{ secret('GITHUB_TOKEN') }}"
            branch: main
            namespace: company.dev
            files: "*.sql"
            """,
            title="Commit the queries of a namespace.",
            needs="a repository of yours",
        )
    ],
)
class PushNamespaceFiles(PushTask):
    """Commit the files of a namespace to a Git repository, and push."""

    class Output(Pushed):
        files: str | None = Field(default=None, description="URI of a file with the lines that changed (JSON Lines).")

    git_directory: Dynamic[Text] = Field(default="_files", description="Folder of the repository to push to.")
    namespace: Dynamic[Text] | None = Field(
        default=None, description="Namespace whose files are pushed; the flow's unless said."
    )
    files: Dynamic[list[Text] | Text] | None = Field(default=None, description="Globs of paths; all unless said.")
    error_on_missing: Dynamic[bool] = Field(default=False, description="Whether it is a failure that none matches.")

    def default_message(self, ctx: RunContext) -> str:
        return f"Add files from `{self.namespace or ctx.namespace}` namespace"

    async def run(self, ctx: RunContext) -> Output:
        patterns = _patterns(self.files)
        files = await asyncio.to_thread(self._files, ctx, patterns)
        if not files and self.error_on_missing:
            raise TaskFailedError("no file of the namespace matches `files`")
        pushed, uri = await self.push(ctx, files, patterns)
        return self.Output(**pushed.model_dump(), files=uri)

    def _files(self, ctx: RunContext, patterns: Sequence[str] | None) -> dict[str, bytes]:
        found = ctx.namespace_files.list(self.namespace or ctx.namespace, include=patterns or ())
        return {file.path: ctx.storage.read_bytes(file.uri) for file in found}


@task_type(
    "io.kestra.plugin.git.PushExecutionFiles",
    aliases=["git_push_execution_files"],
    examples=[
        Example(
            """
            id: push
            type: io.kestra.plugin.git.PushExecutionFiles
            url: https://github.com/octocat/flows
            username: octocat
            password: "{{ secret('GITHUB_TOKEN') }}"
            branch: main
            filesMap:
              report.csv: "{{ outputs.report.uri }}"
            """,
            title="Commit what an earlier task has stored.",
            needs="a repository of yours",
        )
    ],
)
class PushExecutionFiles(PushTask):
    """Commit files of the working directory, or stored ones, to a Git repository, and push."""

    class Output(Pushed):
        files: str | None = Field(default=None, description="URI of a file with the lines that changed (JSON Lines).")

    git_directory: Dynamic[Text] = Field(default="_outputs", description="Folder of the repository to push to.")
    files: Dynamic[list[Text] | Text] | None = Field(
        default=None, description="Files of the working directory: names or globs."
    )
    files_map: Dynamic[dict[str, Text] | Text] | None = Field(
        default=None, description="Stored files: path → URI, a map or JSON text of one."
    )
    delete: Dynamic[bool] = Field(
        default=False, description="Whether files of `gitDirectory` are deleted that are not among them."
    )
    error_on_missing: Dynamic[bool] = Field(default=False, description="Whether it is a failure that there is none.")

    async def run(self, ctx: RunContext) -> Output:
        files = await asyncio.to_thread(self._files, ctx)
        if not files and self.error_on_missing:
            raise TaskFailedError("there is no file to push", hint="check `files` and `filesMap`")
        pushed, uri = await self.push(ctx, files, None)
        return self.Output(**pushed.model_dump(), files=uri)

    def _files(self, ctx: RunContext) -> dict[str, Path]:
        base = ctx.working_dir.resolve()
        found = {
            path.relative_to(base).as_posix(): path
            for pattern in _patterns(self.files) or []
            for path in matching_files(ctx, pattern)
            if path.resolve().is_relative_to(base)
        }
        mapped = self.files_map or {}
        if isinstance(mapped, str):
            try:
                mapped = json.loads(mapped)
            except ValueError as cause:
                raise TaskFailedError("`filesMap` is text that is no JSON", hint="write a map") from cause
        assert isinstance(mapped, dict)
        return {**found, **{name: stored(ctx, uri, "filesMap") for name, uri in mapped.items()}}


async def clone_to_push(git: Git, task: GitTask, target: Path, branch: str) -> None:
    """A clone with this branch checked out, a new one if it is not there."""
    check_reference(branch)
    heads = await git.heads()
    found = branch if branch in heads else None
    await git.clone(target, branch=found, all_branches=False, submodules=task.clone_submodules, config=task.git_config)
    if found is None:
        git.ctx.log.info("the branch `%s` is new", branch)
        await git.run(
            *(("checkout", "--quiet", "-b") if heads else ("symbolic-ref", "HEAD")), *_new(branch, heads), at=target
        )


def _new(branch: str, heads: Sequence[str]) -> tuple[str, ...]:
    return (branch,) if heads else (f"refs/heads/{branch}",)


async def empty_tree(git: Git, target: Path) -> str:
    """The id of a tree without files, which a first commit is compared with."""
    (tree,) = await git.run("hash-object", "-t", "tree", "/dev/null", at=target)
    return tree


async def commit_and_push(
    git: Git, target: Path, branch: str, message: str, name: str | None, email: str | None
) -> str:
    """Commit what was added and push it; the id of the commit. Raises: TaskFailedError when it is refused."""
    author, address = name or "nbflow", email or "nbflow@localhost"
    git.environment.update(
        GIT_AUTHOR_NAME=author, GIT_AUTHOR_EMAIL=address, GIT_COMMITTER_NAME=author, GIT_COMMITTER_EMAIL=address
    )
    await git.run("commit", "--quiet", f"--message={message}", at=target)
    await git.run("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}", at=target)
    commit = await git.head(target)
    assert commit is not None, "there is one by now"
    git.ctx.log.info("pushed %s to %s on branch %s", commit[:8], git.url, branch)
    return commit


def commit_url(url: str, commit: str) -> str | None:
    """Where a commit can be seen; None for a repository without a site."""
    ssh = _SSH.fullmatch(url)
    if ssh is not None:
        url = f"https://{ssh['host']}/{ssh['path']}"
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return None
    host = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
    page = _COMMITS.get(parts.hostname or "", "commit")
    return f"{parts.scheme}://{host}{parts.path.rstrip('/').removesuffix('.git')}/{page}/{commit}"


def _path(flow: FlowSource, source: str) -> str:
    below = flow.namespace.removeprefix(source).strip(".")
    return "/".join([*(below.split(".") if below else []), f"{flow.id}.yml"])


def _patterns(given: Sequence[str] | str | None) -> list[str] | None:
    """Globs as a list; an expression may have given JSON text of one."""
    if given is None:
        return None
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            return [str(given)]
    return [str(pattern) for pattern in given] if isinstance(given, list) else [str(given)]


def _write(directory: Path, files: Mapping[str, bytes | Path]) -> None:
    for name, content in files.items():
        path = inside(directory, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.read_bytes())


def _delete_others(
    directory: Path, files: Mapping[str, object], patterns: Sequence[str] | None, keep: set[Path]
) -> None:
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory).as_posix()
        is_own = ".git" in path.relative_to(directory).parts or path.name == ".kestraignore"
        if name in files or is_own or path in keep or (path.is_dir() and not path.is_symlink()):
            continue
        candidates = (name, path.name, path.stem)
        if patterns is None or any(fnmatchcase(one, pattern) for one in candidates for pattern in patterns):
            path.unlink()
