"""Git by its command line: what every Git task declares, and a repository that its commands run in.

A password reaches Git through `GIT_ASKPASS` and the environment alone: it is on no command line and in no
`.git/config`, and what Git says is masked.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import re
import shlex
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit, urlunsplit

from pydantic import BeforeValidator, Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Command, Duration, Dynamic, Model, RunContext, RunnableTask, TaskRunner, Text, registry

_PROCESS = "io.kestra.plugin.core.runner.Process"
_ASKPASS = """#!/bin/sh
case "$1" in
  Username*) printf '%s\\n' "$NBFLOW_GIT_USERNAME" ;;
  *passphrase*) printf '%s\\n' "$NBFLOW_GIT_PASSPHRASE" ;;
  *) printf '%s\\n' "$NBFLOW_GIT_PASSWORD" ;;
esac
"""
_REFERENCE = re.compile(r"(?!-)[^\s\x00-\x1f~^:?*\[\\]+")
_LINES_SHOWN = 5


def _read_milliseconds(value: object) -> object:
    """Kestra counts in milliseconds."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return timedelta(milliseconds=value)
    return timedelta(milliseconds=int(value)) if isinstance(value, str) and value.isdigit() else value


Milliseconds = Annotated[Duration, BeforeValidator(_read_milliseconds)]


class KestraAuth(Model):
    """How Kestra's tasks log in at its interface."""

    username: Dynamic[Text] | None = Field(default=None, description="User name.")
    password: Dynamic[Text] | None = Field(default=None, description="Password.")
    api_token: Dynamic[Text] | None = Field(default=None, description="Token.")
    auto: Dynamic[bool] = Field(default=True, description="Whether the settings say it.")


class GitTask(RunnableTask):
    """What every task that talks to a Git server declares."""

    url: Dynamic[Text] | None = Field(default=None, description="Address of the repository, or its path here.")
    username: Dynamic[Text] | None = Field(default=None, description="User name, or organisation.")
    password: Dynamic[Text] | None = Field(default=None, description="Password, or a personal access token.")
    private_key: Dynamic[Text] | None = Field(default=None, description="Private key for SSH, in PEM.")
    passphrase: Dynamic[Text] | None = Field(default=None, description="Passphrase of the private key.")
    trusted_ca_pem_path: Dynamic[Text] | None = Field(
        default=None, description="File with further certificates to trust."
    )
    no_proxy: Dynamic[bool] = Field(default=False, description="Whether no proxy is used.")
    connect_timeout: Dynamic[Milliseconds] | None = Field(
        default=None, description="Accepted; Git waits for a connection as long as the system does."
    )
    read_timeout: Dynamic[Milliseconds] = Field(
        default=timedelta(seconds=60), description="How long a server may say nothing; a number is milliseconds."
    )
    git_config: Dynamic[dict[str, Text]] = Field(
        default_factory=dict, description="Settings of Git for the repository, such as `core.fileMode: false`."
    )
    clone_submodules: Dynamic[bool] = Field(default=False, description="Whether submodules are cloned as well.")
    kestra_url: Dynamic[Text] | None = Field(default=None, description="Accepted; flows are those of this home.")
    auth: Dynamic[KestraAuth] | None = Field(default=None, description="Accepted; flows are those of this home.")

    @contextlib.asynccontextmanager
    async def git(self, ctx: RunContext) -> AsyncIterator[Git]:
        """Git, ready to log in; what that takes is removed afterwards."""
        program = shutil.which("git")
        if program is None:
            raise TaskFailedError(
                "the program `git` is not there", hint="install Git: https://git-scm.com/downloads, or apt install git"
            )
        place = ctx.path(f".nbflow-git-{ctx.task_run_id}")
        await asyncio.to_thread(place.mkdir, exist_ok=True)
        try:
            url, username, password = self._login()
            ctx.hide(*(secret for secret in (password, self.passphrase, self.private_key) if secret))
            yield Git(ctx, program, url, place, await asyncio.to_thread(self._environment, place, username, password))
        finally:
            await asyncio.to_thread(shutil.rmtree, place, True)

    def _login(self) -> tuple[str, str | None, str | None]:
        """The address without a login, the user name, the password."""
        url = (self.url or "").strip()
        username, password = self.username, self.password
        parts = urlsplit(url) if "://" in url else None
        if parts is not None and parts.scheme in ("http", "https") and "@" in parts.netloc:
            username = username or (unquote(parts.username) if parts.username else None)
            password = password or (unquote(parts.password) if parts.password else None)
            url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        return url, username, password

    def _environment(self, place: Path, username: str | None, password: str | None) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "SECRET_"))}
        environment.update(GIT_TERMINAL_PROMPT="0", LC_ALL="C", GIT_HTTP_LOW_SPEED_LIMIT="1")
        environment["GIT_HTTP_LOW_SPEED_TIME"] = str(max(math.ceil(self.read_timeout.total_seconds()), 1))
        config = {"commit.gpgSign": "false", "core.quotePath": "false", "advice.detachedHead": "false"}
        config.update(self.git_config)
        if password is not None or username is not None:
            config["credential.helper"] = ""  # what keeps passwords must not learn this one
        if self.trusted_ca_pem_path:
            config["http.sslCAInfo"] = self.trusted_ca_pem_path
        if self.no_proxy:
            config["http.proxy"] = ""
            environment["NO_PROXY"] = environment["no_proxy"] = "*"
        environment["GIT_CONFIG_COUNT"] = str(len(config))
        for number, (name, value) in enumerate(config.items()):
            environment[f"GIT_CONFIG_KEY_{number}"], environment[f"GIT_CONFIG_VALUE_{number}"] = name, value
        askpass = place / "askpass"
        askpass.write_text(_ASKPASS, encoding="ascii")
        askpass.chmod(0o700)
        environment.update(
            GIT_ASKPASS=str(askpass),
            NBFLOW_GIT_USERNAME=username or "git",
            NBFLOW_GIT_PASSWORD=password or "",
            NBFLOW_GIT_PASSPHRASE=self.passphrase or "",
        )
        if self.private_key:
            key = place / "key"
            key.touch(mode=0o600)
            key.write_text(self.private_key.strip() + "\n", encoding="utf-8")
            options = "-o IdentitiesOnly=yes -o StrictHostKeyChecking=accept-new"
            environment["GIT_SSH_COMMAND"] = f"ssh -i {shlex.quote(str(key))} {options}"
            environment.update(SSH_ASKPASS=str(askpass), SSH_ASKPASS_REQUIRE="force", DISPLAY=":0")
        return environment


@dataclass(slots=True)
class Git:
    """Git with an address and a login. `place` is a directory of this task's own, removed with the task."""

    ctx: RunContext
    program: str
    url: str
    place: Path
    environment: dict[str, str] = field(repr=False)

    async def run(self, *arguments: str, at: Path | None = None) -> list[str]:
        """The lines that a command prints. Raises: TaskFailedError with what it complains of."""
        lines: list[str] = []
        complaints: list[str] = []

        async def hear(line: str, is_error: bool) -> None:
            (complaints if is_error else lines).append(line)

        runner = registry().find(TaskRunner, _PROCESS)()
        self.ctx.log.debug("git %s", shlex.join(arguments))
        status = await runner.execute(Command([self.program, *arguments], at or self.place, self.environment), hear)
        if status:
            said = " ".join([line.strip() for line in complaints or lines if line.strip()][-_LINES_SHOWN:])
            raise TaskFailedError(f"git {arguments[0]} failed: {said}", hint=_hint(said))
        return lines

    async def heads(self) -> list[str]:
        """The branches of the remote repository; its default branch first."""
        if not self.url:
            raise TaskFailedError("there is no `url` to clone from")
        lines = await self.run("ls-remote", "--symref", "--", self.url, "HEAD", "refs/heads/*")
        heads = [line.split("\t")[1].removeprefix("refs/heads/") for line in lines if "\trefs/heads/" in line]
        symbolic = [line.split()[1].removeprefix("refs/heads/") for line in lines if line.startswith("ref: ")]
        default = [name for name in [*symbolic, "main", "master"] if name in heads][:1]
        return [*default, *(name for name in heads if name not in default)]

    async def clone(
        self,
        target: Path,
        *,
        branch: str | None = None,
        commit: str | None = None,
        tag: str | None = None,
        depth: int | None = 1,
        all_branches: bool = True,
        no_tags: bool = False,
        submodules: bool = False,
        config: dict[str, str] | None = None,
    ) -> None:
        """Clone into a directory, which may hold other files.

        Raises: TaskFailedError; nothing of a repository is left there then.
        """
        for name in (branch, commit, tag):
            check_reference(name)
        if (target / ".git").exists():
            raise TaskFailedError(f"`{target.name}` is a Git repository already", hint="give another `directory`")
        heads = await self.heads()
        branch = (branch or "").removeprefix("refs/heads/") or (heads[0] if heads else None)
        if heads and branch not in heads and not (commit or tag):
            raise TaskFailedError(
                f"there is no branch `{branch}` in the repository", hint=f"there are {', '.join(heads[:10])}"
            )
        try:
            await self.run("init", "--quiet", "--initial-branch", branch or "main", str(target))
            for name, value in (config or {}).items():
                await self.run("config", "--", name, value, at=target)
            await self.run("remote", "add", "--", "origin", self.url, at=target)
            if not heads:
                self.ctx.log.warning("the repository is empty")
                return
            wanted = "*" if all_branches or commit or tag else branch
            shallow = [f"--depth={depth}"] if depth and not (commit or tag) else []
            tags = "--no-tags" if no_tags or (shallow and not tag) else "--tags"
            references = f"+refs/heads/{wanted}:refs/remotes/origin/{wanted}"
            await self.run("fetch", "--quiet", "--no-write-fetch-head", *shallow, tags, "origin", references, at=target)
            await self._checkout(target, branch, commit, tag)
            if submodules:
                await self.run("submodule", "--quiet", "update", "--init", "--recursive", at=target)
        except BaseException:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, target / ".git", True))
            raise

    async def _checkout(self, target: Path, branch: str | None, commit: str | None, tag: str | None) -> None:
        if not commit and not tag:
            await self.run("checkout", "--quiet", "--track", "-B", str(branch), f"origin/{branch}", at=target)
            return
        wanted = commit or f"refs/tags/{tag}"
        try:
            (found,) = await self.run("rev-parse", "--verify", "--quiet", f"{wanted}^{{commit}}", at=target)
        except TaskFailedError as cause:
            what = f"commit `{commit}`" if commit else f"tag `{tag}`"
            raise TaskFailedError(f"there is no {what} in the repository") from cause
        await self.run("checkout", "--quiet", "--detach", found, at=target)

    async def head(self, at: Path) -> str | None:
        """The id of the commit that is checked out; None where there is none yet."""
        try:
            (commit,) = await self.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", at=at)
        except TaskFailedError:
            return None
        return commit


def check_reference(name: str | None) -> None:
    """Refuse what is no name of a branch, and what Git would take for an option. Raises: TaskFailedError."""
    if name is not None and (not _REFERENCE.fullmatch(name) or ".." in name):
        raise TaskFailedError(f"`{name}` is no name of a branch, a tag or a commit")


def inside(base: Path, name: str) -> Path:
    """A directory of a repository. Raises: TaskFailedError when the name leaves it, or is of Git's own."""
    path = (base / name.strip().lstrip("/")).resolve()
    if not path.is_relative_to(base.resolve()) or ".git" in path.relative_to(base.resolve()).parts:
        raise TaskFailedError(f"`{name}` is outside the repository", hint="give a path in it, without `..`")
    return path


def _hint(said: str) -> str:
    lowered = said.lower()
    if "authentication failed" in lowered or "could not read username" in lowered or "permission denied" in lowered:
        return "check `username` and `password`, or `privateKey`"
    return ""
