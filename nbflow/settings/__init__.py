"""Where a home is, and what is set in it: the environment, the configuration file, the defaults. Anybody may import it.

The file (`nbflow.yaml` or `config.yaml` in the home) takes the sections of a Kestra configuration, under `kestra:` or
`nbflow:`, and `${NAME}` or `${NAME:default}` for what the environment holds. Without a file, nothing is read.
"""

from nbflow.settings.databases import postgres_url
from nbflow.settings.sections import DockerPolicy, DockerSettings, Durability, ServerSettings
from nbflow.settings.settings import FILE_NAMES, Settings, find_home

__all__ = [
    "FILE_NAMES",
    "DockerPolicy",
    "DockerSettings",
    "Durability",
    "ServerSettings",
    "Settings",
    "find_home",
    "postgres_url",
]
