"""Where a home is, and what is set in it: the environment, the configuration file, the defaults.

The file (`nbflow.yaml` or `config.yaml` in the home) takes the sections of a Kestra configuration, under `kestra:` or
`nbflow:`, and `${NAME}` or `${NAME:default}` for what the environment holds. Without a file, nothing is read.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from nbflow.errors import Location, SettingsError

Durability = Literal["full", "normal"]
DockerPolicy = Literal["auto", "require", "never"]

FILE_NAMES = ("nbflow.yaml", "nbflow.yml", "config.yaml", "config.yml")

_EMBEDDED = ("sqlite", "h2", "memory")
_LIBPQ = ("sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout", "application_name", "options")
_REFERENCE = re.compile(r"\$\{([^}:]+)(?::([^}]*))?\}")

_DURATION = re.compile(r"P?T?(\d+)([WDHMS])")  # Kestra's short form, or ISO 8601 with one unit
_UNITS = {"W": "weeks", "D": "days", "H": "hours", "M": "minutes", "S": "seconds"}

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DockerSettings:
    """Whether and where containers run.

    `policy` "auto": a script that wants a container runs as a process where no engine is reachable; "require": it
    fails; "never": it always runs as a process. `host` is the engine's address. `volumes`: whether flows may mount.
    """

    policy: DockerPolicy = "auto"
    host: str | None = None
    volumes: bool = True


@dataclass(frozen=True)
class Settings:
    """What a home is set to. `Settings(home)` takes the defaults, `Settings.load()` reads the home's file.

    `durability` "full": a commit survives power loss; "normal": it survives the end of the process.
    `repository_url` is None for SQLite in the home. `storage_url` is set when files between tasks lie elsewhere than in
    `storage_path`, such as `s3://bucket`. `max_output_bytes`: of the JSON of what a task run puts out. `max_log_lines`
    and `max_log_bytes`: of the log of one attempt in the history; what is longer becomes a file. `pools`: how many task
    runs of each pool work at once, over all flows and engines of the home. `encryption_key`: base64 of 16, 24 or 32
    bytes; None for a key of the home's own, in its file `secret.key`.
    """

    home: Path
    durability: Durability = "full"
    repository_url: str | None = field(default=None, repr=False)  # it may hold a password
    storage_path: Path = Path()
    storage_url: str | None = None
    storage_options: Mapping[str, str] = field(default_factory=dict, repr=False)
    worker_slots: int = field(default_factory=lambda: os.cpu_count() or 1)
    max_output_bytes: int = 1_000_000
    max_log_lines: int = 20_000
    max_log_bytes: int = 10_000_000
    pools: Mapping[str, int] = field(default_factory=dict)
    server_host: str = "127.0.0.1"
    server_port: int = 8080
    log_level: str = "INFO"
    log_path: Path | None = None
    log_retention: timedelta | None = None
    environment_name: str | None = None
    url: str | None = None
    env_prefix: str = "ENV_"
    globals: Mapping[str, object] = field(default_factory=dict, repr=False)
    plugin_defaults: Sequence[Mapping[str, object]] = ()
    encryption_key: str | None = field(default=None, repr=False)
    docker: DockerSettings = field(default_factory=DockerSettings)

    def __post_init__(self) -> None:
        if self.storage_path == Path():
            object.__setattr__(self, "storage_path", self.home / "storage")

    @classmethod
    def load(cls, home: str | Path | None = None, env: Mapping[str, str] = os.environ) -> Settings:
        """The settings of a home. Raises: SettingsError naming the file and the key."""
        place = find_home(home, env)
        file = next((file for name in FILE_NAMES if (file := place / name).is_file()), None)
        settings = cls(place) if file is None else _Reader(place, file, env).read()
        settings = replace(settings, docker=_docker_of(env, settings.docker))
        key = env.get("NBFLOW_ENCRYPTION_KEY")
        return replace(settings, encryption_key=key) if key else settings


def find_home(home: str | Path | None = None, env: Mapping[str, str] = os.environ) -> Path:
    """The home: as given, else `NBFLOW_HOME`, else `.nbflow/` here or in a folder above, else `~/.nbflow`."""
    named = home or env.get("NBFLOW_HOME")
    if named:
        return Path(named).expanduser().absolute()
    here = Path.cwd()
    project = next((found for folder in (here, *here.parents) if (found := folder / ".nbflow").is_dir()), None)
    return project or Path("~/.nbflow").expanduser().absolute()


def postgres_url(url: str, username: str | None = None, password: str | None = None) -> str:
    """A PostgreSQL URL, of JDBC or libpq, as SQLAlchemy takes it. Raises: ValueError when it is none."""
    parts = urlsplit(url.removeprefix("jdbc:"))
    if parts.scheme not in ("postgresql", "postgres", "postgresql+psycopg") or not parts.hostname:
        raise ValueError("it does not begin with postgresql://host or jdbc:postgresql://host")
    options = dict(parse_qsl(parts.query))
    user = username or options.pop("user", None) or (unquote(parts.username) if parts.username else None)
    secret = password or options.pop("password", None) or (unquote(parts.password) if parts.password else None)
    if "currentSchema" in options:
        options["options"] = f"-csearch_path={options.pop('currentSchema')}"
    # What only the JDBC driver knows would be refused by libpq.
    query = urlencode({name: value for name, value in options.items() if name in _LIBPQ})
    login = quote(user, safe="") + (f":{quote(secret, safe='')}" if secret else "") + "@" if user else ""
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(("postgresql+psycopg", login + place, parts.path, query, ""))


_DOCKER_POLICIES: tuple[str, ...] = ("auto", "require", "never")


def _docker_of(env: Mapping[str, str], docker: DockerSettings) -> DockerSettings:
    """The settings of Docker with the policy that `NBFLOW_DOCKER` says, if any. Raises: SettingsError."""
    policy = env.get("NBFLOW_DOCKER")
    if not policy:
        return docker
    if policy not in _DOCKER_POLICIES:
        where = Location(path="NBFLOW_DOCKER")
        raise SettingsError(f"must be {' or '.join(_DOCKER_POLICIES)}, got {policy}", where=where)
    return replace(docker, policy=cast("DockerPolicy", policy))


class _Reader:
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
            return DockerSettings(cast("DockerPolicy", self._choice("docker", _DOCKER_POLICIES, "auto")))
        return DockerSettings(
            policy=cast("DockerPolicy", self._choice("docker.policy", _DOCKER_POLICIES, "auto")),
            host=self._text("docker.host"),
            volumes=self._choice("docker.volumes", ("true", "false"), "true") == "true",
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
