"""Who logs in where images come from: `credentials` and `config` of a flow become what the engine's API wants."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping

from nbflow.errors import MissingExtraError, TaskFailedError
from nbflow.model.containers import Credentials
from nbflow.types import JsonValue

HUB = "https://index.docker.io/v1/"
"""What Docker Hub is called among logins."""

_HUB_HOSTS = ("docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com")


def login_for(image: str, credentials: Credentials | None, config: JsonValue) -> dict[str, str] | None:
    """The login for an image's registry; None for that of this machine's own Docker configuration, or for none.

    Raises: TaskFailedError when what is given cannot be read.
    """
    registry = registry_of(image)
    if credentials is not None:
        named = str(credentials.registry or "")
        if not named or host_of(named) == registry or (is_hub(named) and registry == "docker.io"):
            return _of_credentials(credentials, registry)
    return _of_config(config, registry) if config else None


def registry_of(image: str) -> str:
    """The registry that an image's name begins with: `ghcr.io/a/b` is from ghcr.io, `a/b` from docker.io."""
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"


def host_of(registry: str) -> str:
    """Host and port of a registry's address, which may have a scheme and a path."""
    return registry.rpartition("://")[2].partition("/")[0]


def is_hub(registry: str) -> bool:
    """Whether this address is that of Docker Hub."""
    return host_of(registry) in _HUB_HOSTS


def in_registry(image: str, credentials: Credentials | None) -> str:
    """An image's name, with the registry of the credentials before it unless it is there."""
    registry = str(credentials.registry or "") if credentials else ""
    if not registry or is_hub(registry) or image.startswith(f"{host_of(registry)}/"):
        return image
    return f"{host_of(registry)}/{image}"


def _of_credentials(credentials: Credentials, registry: str) -> dict[str, str]:
    login = {
        "username": credentials.username,
        "password": credentials.password,
        "identitytoken": credentials.identity_token,
        "registrytoken": credentials.registry_token,
    }
    found = {name: str(value) for name, value in login.items() if value is not None}
    if credentials.auth:
        found = {**_decoded(str(credentials.auth)), **found}
    return {**found, "serveraddress": HUB if registry == "docker.io" else registry}


def _decoded(auth: str) -> dict[str, str]:
    try:
        name, _, password = base64.b64decode(auth, validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as cause:
        raise TaskFailedError("`credentials.auth` cannot be read", hint="it is `user:password` in base64") from cause
    return {"username": name, "password": password}


def _of_config(config: JsonValue, registry: str) -> dict[str, str] | None:
    """The login of a registry in the map that Docker keeps as config.json."""
    try:
        from docker.auth import load_config
    except ImportError as missing:
        raise MissingExtraError("Docker needs the package `docker`") from missing
    logins = load_config(config_dict=config_map(config)).resolve_authconfig(
        HUB if registry == "docker.io" else registry
    )
    return dict(logins) if logins else None


def config_map(config: JsonValue) -> dict[str, object]:
    """Docker's client configuration as a map. Raises: TaskFailedError."""
    if isinstance(config, str):
        try:
            config = json.loads(config)
        except ValueError as cause:
            raise TaskFailedError("`config` is text that is no JSON", hint="write it as config.json has it") from cause
    if not isinstance(config, Mapping):
        raise TaskFailedError("`config` must be a map, as config.json of Docker holds one")
    logins = config.get("auths")
    if not isinstance(logins, Mapping):
        return dict(config)
    return {**config, "auths": {name: _with_auth(login) for name, login in logins.items()}}


def _with_auth(login: JsonValue) -> JsonValue:
    """A login with `auth`, which config.json has, made from the `username` and `password` that flows write."""
    if not isinstance(login, Mapping) or "auth" in login or "username" not in login:
        return login
    pair = f"{login['username']}:{login.get('password') or ''}"
    return {**login, "auth": base64.b64encode(pair.encode()).decode()}
