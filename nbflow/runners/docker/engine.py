"""Finds the Docker engine, and asks it for what concerns images.

Which engine: the `host` of the flow, of the settings, `DOCKER_HOST`, or the first socket that is where Docker, Docker
Desktop, Colima or Podman put theirs.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from nbflow.errors import MissingExtraError, NbflowError, TaskFailedError
from nbflow.model.containers import EngineOptions, PullPolicy
from nbflow.runners.docker.login import config_map, login_for, registry_of
from nbflow.settings import DockerSettings

Say = Callable[[str], None]

_PROBE_SECONDS = 3
_ANSWER_SECONDS = 300
_HINT = "start Docker or Podman, or name the engine by `DOCKER_HOST`, or by `docker.host` of the settings"


_versions: dict[str, str] = {}
"""The API's version that each engine speaks: Podman takes long to tell."""


class NoEngineError(TaskFailedError):
    """No Docker engine is within reach."""

    code = "docker-missing"


class Engine:
    """One connection to a Docker engine. All methods block; whoever is done closes it."""

    def __init__(self, client: Any, address: str, options: EngineOptions) -> None:  # Any: docker has no types
        self.client = client
        self.address = address
        self.check: Callable[[], None] = _go_on
        """Called now and then while an image comes or goes; what it raises ends that."""
        self._options = options
        if options.config:  # a build takes the logins from here; there is no other way to hand them over
            from docker.auth import load_config

            client.api._auth_configs = load_config(config_dict=config_map(options.config))

    def close(self) -> None:
        with contextlib.suppress(Exception):  # what is closed anyway need not be closed well
            self.client.close()

    def ensure(self, image: str, policy: PullPolicy, say: Say) -> None:
        """Have an image there, pulled if need be. Raises: TaskFailedError."""
        if policy is not PullPolicy.ALWAYS and self.has(image):
            return
        if policy is PullPolicy.NEVER:
            raise TaskFailedError(
                f"the image {image} is not there, and `pullPolicy: NEVER` forbids to pull it",
                hint="pull it beforehand, or set `pullPolicy: IF_NOT_PRESENT`",
            )
        self.pull(image, say)

    def has(self, image: str) -> bool:
        """Whether the engine has an image."""
        from docker.errors import ImageNotFound

        with refusals(f"the engine cannot say whether it has the image {image}"):
            try:
                self.client.api.inspect_image(image)
            except ImageNotFound:
                return False
        return True

    def pull(self, image: str, say: Say, platform: str | None = None) -> None:
        """Pull an image. Raises: TaskFailedError."""
        say(f"pulling the image {image}")
        name, tag = _parts(image)
        login = login_for(image, self._options.credentials, self._options.config)
        with refusals(f"the image {image} cannot be pulled", _advice(image)):
            steps = self.client.api.pull(name, tag=tag, stream=True, decode=True, auth_config=login, platform=platform)
            self._follow(steps, f"the image {image} cannot be pulled", _advice(image))

    def push(self, image: str, say: Say) -> None:
        """Push an image to the registry that its name says. Raises: TaskFailedError."""
        say(f"pushing the image {image}")
        name, tag = _parts(image)
        login = login_for(image, self._options.credentials, self._options.config)
        with refusals(f"the image {image} cannot be pushed", _advice(image)):
            steps = self.client.api.push(name, tag=tag, stream=True, decode=True, auth_config=login)
            self._follow(steps, f"the image {image} cannot be pushed", _advice(image))

    def tag(self, source: str, target: str) -> None:
        """Give an image a further name. Raises: TaskFailedError."""
        name, tag = _parts(target)
        with refusals(f"the image {source} cannot be named {target}"):
            self.client.api.tag(source, name, tag, force=True)

    def build(
        self,
        directory: Path,
        dockerfile: str,
        tags: Sequence[str],
        say: Say,
        *,
        pull: bool = True,
        platform: str | None = None,
        args: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        target: str | None = None,
    ) -> str:
        """Build an image from a directory and a Dockerfile in it; its id. Raises: TaskFailedError."""
        credentials = self._options.credentials
        if credentials is not None and credentials.registry:
            image = f"{credentials.registry}/image"
            login = login_for(image, credentials, None) or {}
            self.client.api._auth_configs.add_auth(login.get("serveraddress", ""), login)
        failure = "the image cannot be built"
        with refusals(failure):
            steps = self.client.api.build(
                path=str(directory),
                dockerfile=dockerfile,
                tag=tags[0] if tags else None,
                decode=True,
                rm=True,
                forcerm=True,
                pull=pull,
                platform=platform,
                buildargs=dict(args or {}),
                labels=dict(labels or {}),
                target=target,
            )
            image_id = _built(self._follow(steps, failure, said=say))
        for further in tags[1:]:
            self.tag(image_id, further)
        return image_id

    def remove_container(self, container: str, *, force: bool, volumes: bool) -> None:
        """Remove a container. Raises: TaskFailedError."""
        with refusals(f"the container {container} cannot be removed", "`force: true` removes one that runs"):
            self.client.api.remove_container(container, force=force, v=volumes)

    def remove_image(self, image: str, *, force: bool) -> None:
        """Remove an image. Raises: TaskFailedError."""
        with refusals(f"the image {image} cannot be removed"):
            self.client.api.remove_image(image, force=force)

    def stop_container(self, container: str, *, kill: bool) -> None:
        """End a container. Raises: TaskFailedError."""
        with refusals(f"the container {container} cannot be stopped"):
            if kill:
                self.client.api.kill(container)
            else:
                self.client.api.stop(container)

    def _follow(
        self, steps: Iterable[Mapping[str, Any]], failure: str, hint: str = "", said: Say | None = None
    ) -> list[Mapping[str, Any]]:
        """Read what an engine reports until it is done; what it left behind. Raises: TaskFailedError."""
        kept = []
        for step in steps:
            self.check()
            if "error" in step:
                reason = (step.get("errorDetail") or {}).get("message") or step["error"]
                raise TaskFailedError(f"{failure}: {str(reason).strip()}", hint=hint)
            text = str(step.get("stream") or "").strip()
            if text and said is not None:
                said(text)
            if "aux" in step or text:
                kept.append(step)
                del kept[:-20]
        return kept


def _go_on() -> None:
    """Nothing speaks against it."""


def connect(options: EngineOptions, settings: DockerSettings) -> Engine:
    """A connection to the engine, which has answered. Raises: NoEngineError; MissingExtraError."""
    address, variables = _address(str(options.host or ""), settings)
    try:
        import docker
        from docker.errors import DockerException
        from docker.utils import kwargs_from_env
    except ImportError as missing:
        raise MissingExtraError(
            "Docker needs the package `docker`, which is not installed",
            hint="pip install 'jupyter-nbflow[docker]'",
        ) from missing
    choices = {**kwargs_from_env(environment=variables), "base_url": address}
    probe = None
    try:
        _knock(address)
        probe = docker.DockerClient(**choices, version=_versions.get(address), timeout=_PROBE_SECONDS)
        probe.ping()
        _versions[address] = probe.api._version
        client = docker.DockerClient(**choices, version=probe.api._version, timeout=_ANSWER_SECONDS)
    except (DockerException, OSError) as cause:  # what requests raises is an OSError
        raise NoEngineError(f"there is no Docker engine at {address}", hint=_HINT) from cause
    finally:
        if probe is not None:
            probe.close()
    return Engine(client, address, options)


def _address(host: str, settings: DockerSettings) -> tuple[str, dict[str, str]]:
    """Where the engine is, and the environment that says how to talk to it. Raises: NoEngineError."""
    named = host or settings.host
    if named:
        return (named if "://" in named else f"tcp://{named}"), {}
    if os.environ.get("DOCKER_HOST"):
        return os.environ["DOCKER_HOST"], dict(os.environ)
    if os.name == "nt":
        return "npipe:////./pipe/docker_engine", {}
    sockets = list(_sockets())
    found = next((place for place in sockets if place.exists()), None)
    if found is None:
        raise NoEngineError(f"there is no Docker engine at unix://{sockets[0]}", hint=_HINT)
    return f"unix://{found}", {}


def _knock(address: str) -> None:
    """Raises: OSError when nobody listens at a socket; the docker package would leave its own end open then."""
    if address.startswith("unix://"):
        with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as knocking:
            knocking.settimeout(_PROBE_SECONDS)
            knocking.connect(address.removeprefix("unix://"))


def _sockets() -> Iterator[Path]:
    yield Path("/var/run/docker.sock")
    with contextlib.suppress(RuntimeError):  # a user without a home
        yield Path.home() / ".docker/run/docker.sock"
        yield Path.home() / ".colima/default/docker.sock"
    if os.environ.get("XDG_RUNTIME_DIR"):
        yield Path(os.environ["XDG_RUNTIME_DIR"]) / "docker.sock"
        yield Path(os.environ["XDG_RUNTIME_DIR"]) / "podman/podman.sock"
    yield Path("/run/podman/podman.sock")


@contextlib.contextmanager
def refusals(what: str, hint: str = "") -> Iterator[None]:
    """Say what an engine refuses, and why, as the failure of a task."""
    from docker.errors import APIError, DockerException

    try:
        yield
    except NbflowError:
        raise
    except APIError as refused:
        reason = str(refused.explanation or refused)
        raise TaskFailedError(f"{what}: {reason.strip()}", hint=hint) from refused
    except (DockerException, OSError) as lost:
        raise TaskFailedError(f"{what}: {lost}", hint=hint) from lost


def _parts(image: str) -> tuple[str, str]:
    """Name and tag, or digest, of an image."""
    from docker.utils import parse_repository_tag

    name, tag = parse_repository_tag(image)
    return name, tag or "latest"


def _advice(image: str) -> str:
    return f"check the name, and the `credentials` for {registry_of(image)}"


def _built(steps: list[Mapping[str, Any]]) -> str:
    """The id of the image that was built: engines say it as `aux`, or in their last words."""
    for step in reversed(steps):
        found = (step.get("aux") or {}).get("ID")
        if found:
            return str(found)
        text = str(step.get("stream") or "").strip()
        words = text.rpartition(" ")
        if text.startswith("Successfully built ") or (not words[0] and len(text) == 64):
            return words[2]
    raise TaskFailedError("the engine does not say which image it has built")
