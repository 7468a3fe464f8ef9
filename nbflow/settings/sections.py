"""The parts of the settings that have a section of their own, and what of the environment wins over each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal, cast

from nbflow.errors import Location, SettingsError

Durability = Literal["full", "normal"]
DockerPolicy = Literal["auto", "require", "never"]
SWITCH = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}
DOCKER_POLICIES: tuple[str, ...] = ("auto", "require", "never")


@dataclass(frozen=True)
class DockerSettings:
    """Whether and where containers run.

    `policy` "auto": a script that wants a container runs as a process where no engine is reachable; "require": it
    fails; "never": it always runs as a process. `host` is the engine's address. `volumes`: whether flows may mount.
    """

    policy: DockerPolicy = "auto"
    host: str | None = None
    volumes: bool = True

    def of(self, env: Mapping[str, str]) -> DockerSettings:
        """The same with the policy that the environment names. Raises: SettingsError."""
        policy = env.get("NBFLOW_DOCKER")
        if not policy:
            return self
        if policy not in DOCKER_POLICIES:
            where = Location(path="NBFLOW_DOCKER")
            raise SettingsError(f"must be {' or '.join(DOCKER_POLICIES)}, got {policy}", where=where)
        return replace(self, policy=cast("DockerPolicy", policy))


@dataclass(frozen=True)
class ServerSettings:
    """Who may call the server: whoever has the `token`, or `username` and `password`; and how much at once.

    `max_body_bytes` is of a body without files, `max_upload_bytes` of one with files, `requests_per_second` of one
    address. `grace`: how long running tasks may go on when the server is stopped. `scheduler`: whether it fires what is
    due, in JupyterLab as well; NBFLOW_SCHEDULER in the environment wins.
    """

    token: str | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    max_body_bytes: int = 16 * 2**20
    max_upload_bytes: int = 2**30
    requests_per_second: int = 1000
    grace: timedelta = timedelta(seconds=30)
    scheduler: bool = True

    def of(self, env: Mapping[str, str]) -> ServerSettings:
        """The same with what the environment names. Raises: SettingsError."""
        username, _, password = env.get("NBFLOW_BASIC_AUTH", "").partition(":")
        if username and not password:
            raise SettingsError("must be user:password", where=Location(path="NBFLOW_BASIC_AUTH"))
        named = replace(self, username=username, password=password) if username else self
        switch = env.get("NBFLOW_SCHEDULER", "").lower()
        if switch not in ("", *SWITCH):
            raise SettingsError(f"must be on or off, got {switch}", where=Location(path="NBFLOW_SCHEDULER"))
        return replace(named, token=env.get("NBFLOW_TOKEN") or self.token, scheduler=SWITCH.get(switch, self.scheduler))
