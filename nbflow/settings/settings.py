"""All that a home is set to, and where a home is."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from nbflow.settings.sections import DockerSettings, Durability, ServerSettings

FILE_NAMES = ("nbflow.yaml", "nbflow.yml", "config.yaml", "config.yml")


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
    server: ServerSettings = field(default_factory=ServerSettings)

    def __post_init__(self) -> None:
        if self.storage_path == Path():
            object.__setattr__(self, "storage_path", self.home / "storage")

    @classmethod
    def load(cls, home: str | Path | None = None, env: Mapping[str, str] = os.environ) -> Settings:
        """The settings of a home. Raises: SettingsError naming the file and the key."""
        place = find_home(home, env)
        file = next((file for name in FILE_NAMES if (file := place / name).is_file()), None)
        settings = cls(place)
        if file is not None:
            from nbflow.settings.reading import Reader

            settings = Reader(place, file, env).read()
        settings = replace(settings, docker=settings.docker.of(env), server=settings.server.of(env))
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
