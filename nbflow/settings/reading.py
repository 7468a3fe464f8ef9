"""Reads the configuration file of a home: each mistake is named with its file and key."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from nbflow.errors import Location, SettingsError
from nbflow.settings.databases import postgres_url
from nbflow.settings.sections import DOCKER_POLICIES, SWITCH, DockerPolicy, DockerSettings, Durability, ServerSettings
from nbflow.settings.settings import Settings

_EMBEDDED = ("sqlite", "h2", "memory")
_REFERENCE = re.compile(r"\$\{([^}:]+)(?::([^}]*))?\}")

_DURATION = re.compile(r"P?T?(\d+)([WDHMS])")  # Kestra's short form, or ISO 8601 with one unit
_UNITS = {"W": "weeks", "D": "days", "H": "hours", "M": "minutes", "S": "seconds"}

_log = logging.getLogger(__name__)


class Reader:
    """Reads one configuration file."""

    def __init__(self, home: Path, file: Path, env: Mapping[str, str]) -> None:
        self._home = home
        self._file = file
        self._env = env
        self._tree: dict[str, object] = {}

    def read(self) -> Settings:
        self._tree = self._load()
        repository_url = self._repository()
        storage_path, storage_url, storage_options = self._storage()
        defaults = Settings(self._home)
        log_path = self._text("logging.path")
        return Settings(
            self._home,
            durability=cast("Durability", self._choice("durability", ("full", "normal"), defaults.durability)),
            repository_url=repository_url,
            storage_path=storage_path or defaults.storage_path,
            storage_url=storage_url,
            storage_options=storage_options,
            worker_slots=self._number("workerSlots", defaults.worker_slots),
            max_output_bytes=self._number("maxOutputBytes", defaults.max_output_bytes),
            max_log_lines=self._number("maxLogLines", defaults.max_log_lines),
            max_log_bytes=self._number("maxLogBytes", defaults.max_log_bytes),
            pools=self._pools(),
            server_host=self._text("server.interface") or self._text("server.host") or defaults.server_host,
            server_port=self._number("server.port", defaults.server_port),
            log_level=(self._text("logging.level") or defaults.log_level).upper(),
            log_path=self._path(log_path) if log_path else None,
            log_retention=self._duration("logging.retention"),
            environment_name=self._text("environment.name"),
            url=self._text("url"),
            env_prefix=self._text("variables.envVarsPrefix") or defaults.env_prefix,
            globals=self._section("variables.globals"),
            plugin_defaults=self._plugin_defaults(),
            encryption_key=self._text("encryption.secretKey"),
            docker=self._docker(),
            server=self._server(),
        )

    def _load(self) -> dict[str, object]:
        import yaml

        try:
            document = yaml.load(self._file.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        except OSError as cause:
            raise SettingsError(f"cannot be read: {cause.strerror}", where=Location(file=str(self._file))) from cause
        except yaml.MarkedYAMLError as cause:
            mark = cause.problem_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
            where = Location(line=line, column=column, file=str(self._file))
            raise SettingsError(f"is no valid YAML: {cause.problem}", where=where) from cause
        except yaml.YAMLError as cause:
            raise SettingsError(f"is no valid YAML: {cause}", where=Location(file=str(self._file))) from cause
        if document is None:
            return {}
        if not isinstance(document, dict):
            raise SettingsError("must hold sections, such as `nbflow:`", where=Location(file=str(self._file)))
        tree: dict[str, object] = {}
        for name in ("kestra", "nbflow"):  # what is said under nbflow wins
            section = document.get(name)
            if section is not None and not isinstance(section, dict):
                raise self._error(name, "must hold sections")
            tree = _merged(tree, {**_camel(section or {}), **_verbatim(section or {})})
        if "datasources" in document:  # where Kestra's own files keep the address of the database
            tree.setdefault("datasources", _camel(document["datasources"]))
        return tree

    def _repository(self) -> str | None:
        kind = (self._text("repository.type") or "sqlite").lower()
        if kind in ("postgres", "postgresql"):
            for section in ("repository.postgres", "repository", "datasources.postgres"):
                url = self._text(f"{section}.url")
                if url:
                    try:
                        return postgres_url(url, self._text(f"{section}.username"), self._text(f"{section}.password"))
                    except ValueError as cause:
                        raise self._error(f"{section}.url", f"cannot be read: {cause}") from cause
            raise self._error("repository.postgres.url", "is missing", "such as postgresql://localhost:5432/nbflow")
        if kind not in _EMBEDDED:
            raise self._error("repository.type", f"`{kind}` is not supported", "there are sqlite and postgres")
        if kind != "sqlite":
            _log.warning(
                "%s: repository.type `%s` is taken as sqlite, a file in the home",
                self._file,
                kind,
                extra={"action": "setting_replaced"},
            )
        return None

    def _storage(self) -> tuple[Path | None, str | None, dict[str, str]]:
        """Where files lie: a local directory, or a URL for fsspec with its options."""
        kind = (self._text("storage.type") or "local").lower()
        if kind == "local":
            path = self._text("storage.local.basePath") or self._text("storage.basePath")
            return (self._path(path) if path else None), None, {}
        if kind == "memory":
            return None, "memory://nbflow", {}
        names = _STORAGES.get(kind)
        if names is None:
            raise self._error("storage.type", f"`{kind}` is not supported", f"there are local, {', '.join(_STORAGES)}")
        scheme, bucket_key, options = names
        bucket = self._text(f"storage.{kind}.{bucket_key}")
        if not bucket:
            raise self._error(f"storage.{kind}.{bucket_key}", "is missing")
        found = {option: value for key, option in options.items() if (value := self._text(f"storage.{kind}.{key}"))}
        return None, f"{scheme}://{bucket}", found

    def _docker(self) -> DockerSettings:
        """What is said of Docker: the policy alone, as `docker: never`, or a section. Raises: SettingsError."""
        if not isinstance(self._value("docker"), dict):
            return DockerSettings(cast("DockerPolicy", self._choice("docker", DOCKER_POLICIES, "auto")))
        return DockerSettings(
            policy=cast("DockerPolicy", self._choice("docker.policy", DOCKER_POLICIES, "auto")),
            host=self._text("docker.host"),
            volumes=self._choice("docker.volumes", ("true", "false"), "true") == "true",
        )

    def _server(self) -> ServerSettings:
        of = ServerSettings
        return ServerSettings(
            token=self._text("server.token"),
            username=self._text("server.basicAuth.username"),
            password=self._text("server.basicAuth.password"),
            max_body_bytes=self._number("server.maxBodyBytes", of.max_body_bytes),
            max_upload_bytes=self._number("server.maxUploadBytes", of.max_upload_bytes),
            requests_per_second=self._number("server.requestsPerSecond", of.requests_per_second),
            grace=self._duration("server.terminationGracePeriod") or of.grace,
            scheduler=SWITCH[self._choice("server.scheduler", tuple(SWITCH), "true")],
        )

    def _value(self, key: str) -> object:
        node: object = self._tree
        for name in key.split("."):
            if node is None:
                return None
            if not isinstance(node, dict):
                raise self._error(key.rpartition(".")[0], "must hold sections")
            node = node.get(name)
        return node

    def _plugin_defaults(self) -> Sequence[Mapping[str, object]]:
        for key in ("plugins.defaults", "tasks.defaults"):
            value = self._value(key)
            if value is None:
                continue
            if not isinstance(value, list) or not all(isinstance(entry, dict) and "type" in entry for entry in value):
                raise self._error(key, "must be a list of entries with `type` and `values`")
            return value
        return ()

    def _pools(self) -> dict[str, int]:
        """Name → slots. Raises: SettingsError."""
        pools = {str(name): (f"pools.{name}", slots) for name, slots in self._section("pools").items()}
        return {name: self._whole(key, self._plain(key, slots) or "nothing") for name, (key, slots) in pools.items()}

    def _section(self, key: str) -> dict[str, object]:
        value = self._value(key)
        if value is not None and not isinstance(value, dict):
            raise self._error(key, "must hold names and values")
        return value or {}

    def _text(self, key: str) -> str | None:
        return self._plain(key, self._value(key))

    def _plain(self, key: str, value: object) -> str | None:
        """A single value as text, with what it takes from the environment."""
        if value is None:
            return None
        if isinstance(value, dict | list):
            raise self._error(key, "must be a single value")
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return _REFERENCE.sub(lambda found: self._from_env(key, found), text)

    def _from_env(self, key: str, found: re.Match[str]) -> str:
        name, default = found.groups()
        value = self._env.get(name, default)
        if value is None:
            raise self._error(key, f"the environment has no `{name}`", f"set it, or write ${{{name}:default}}")
        return value

    def _number(self, key: str, default: int) -> int:
        text = self._text(key)
        return default if text is None else self._whole(key, text)

    def _whole(self, key: str, text: str) -> int:
        if not text.isdecimal() or int(text) < 1:
            raise self._error(key, f"must be a whole number from 1 on, got {text}")
        return int(text)

    def _duration(self, key: str) -> timedelta | None:
        text = self._text(key)
        if text is None:
            return None
        found = _DURATION.fullmatch(text.strip().upper())
        if found is None:
            raise self._error(key, f"must be a duration such as 30d or P30D, got {text}")
        return timedelta(**{_UNITS[found[2]]: int(found[1])})

    def _choice(self, key: str, choices: tuple[str, ...], default: str) -> str:
        text = self._text(key) or default
        if text not in choices:
            raise self._error(key, f"must be {' or '.join(choices)}, got {text}")
        return text

    def _path(self, text: str) -> Path:
        return (self._home / Path(text).expanduser()).absolute()

    def _error(self, key: str, message: str, hint: str = "") -> SettingsError:
        return SettingsError(message, hint=hint, where=Location(path=key, file=str(self._file)))


_AWS = {"accessKey": "key", "accessKeyId": "key", "secretKey": "secret", "secretKeyId": "secret"}
_STORAGES: dict[str, tuple[str, str, dict[str, str]]] = {
    "minio": ("s3", "bucket", {**_AWS, "endpoint": "endpoint_url"}),
    "s3": ("s3", "bucket", {**_AWS, "endpoint": "endpoint_url", "sessionToken": "token"}),
    "gcs": ("gs", "bucket", {"projectId": "project", "serviceAccount": "token"}),
    "azure": ("az", "container", {"connectionString": "connection_string", "endpoint": "account_host"}),
}
"""Of each kind of storage: fsspec's scheme, the key of the bucket, and Kestra's names of fsspec's options."""


def _camel(value: Any) -> Any:  # Any: whatever YAML holds
    """The tree with `kebab-case` keys as `camelCase`: both are written, and mean the same."""
    if isinstance(value, dict):
        return {re.sub(r"-(\w)", lambda found: found[1].upper(), str(key)): _camel(item) for key, item in value.items()}
    return value


def _verbatim(section: Mapping[str, object]) -> dict[str, object]:
    """The sections whose keys are names that the user has given: they are as they are written."""
    return {name: section[name] for name in ("pools",) if name in section}


def _merged(below: dict[str, object], above: dict[str, object]) -> dict[str, object]:
    """Two trees in one; `above` wins."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _merged(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged
