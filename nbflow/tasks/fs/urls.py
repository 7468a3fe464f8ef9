"""How a file system is reached by a URL that fsspec knows: `s3://…`, `gs://…`, `sftp://…`, `https://…` and others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from nbflow.errors import MissingExtraError, TaskFailedError
from nbflow.tasks.fs.places import Place
from nbflow.types import JsonValue

_BUCKETS = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "oci"}
"""File systems without folders, where making one would make a bucket."""
_PASSWORD = re.compile(r"(?<=://)([^/@:]*):[^/@]*@")
_PART = 8 << 20
_MOST_PARTS = 10_000
_SPARING: dict[str, JsonValue] = {"default_block_size": _PART, "max_concurrency": 4}
"""What s3fs is told: without it, ten parts of 50 MB are held in memory."""
_EXTRAS = {"s3": "s3", "s3a": "s3", "sftp": "ssh", "ssh": "ssh"}


@dataclass(slots=True)
class UrlPlace(Place):
    """The file system of a URL. What it shows of files are URLs as well."""

    url: str = ""
    found: str = ""
    """The path of `url` there."""
    protocols: set[str] = field(default_factory=set)

    def path(self, given: str) -> str:
        given = given.strip()
        if given == self.url:
            path = self.found
        elif "://" not in given:
            path = given
        elif without_password(given).startswith(self.prefix):
            path = str(self.system._strip_protocol(given))
        else:
            raise TaskFailedError(f"{without_password(given)} does not lie where {self.uri(self.found)} does")
        return f"{path}/" if given.endswith("/") and not path.endswith("/") else path

    def shown(self, path: str) -> str:
        return self.uri(path)

    def name(self, path: str) -> str:
        # What follows the ? of a signed address is long, and a secret.
        return PurePosixPath(path.partition("?")[0] if "://" in path else path).name or "file"

    def uri(self, path: str) -> str:
        return without_password(path if "://" in path else self.prefix + path)

    def put(self, source: Path, path: str) -> None:
        if "s3" in self.protocols:
            part = max(_PART, -(-source.stat().st_size // _MOST_PARTS))
            self.system.put_file(str(source), path, chunksize=part)
        else:
            Place.put(self, source, path)

    def make_folder_of(self, path: str) -> None:
        if not self.protocols & _BUCKETS:
            Place.make_folder_of(self, path)


def without_password(url: str) -> str:
    """A URL as it may be shown."""
    return url if url.startswith("github://") else _PASSWORD.sub(r"\1@", url)  # there it is owner:repository@revision


def reach(url: str, options: Mapping[str, JsonValue]) -> UrlPlace:
    """The file system of a URL. Raises: TaskFailedError; MissingExtraError when its package is not installed."""
    from fsspec.core import url_to_fs

    url = url.strip()
    shown = without_password(url)
    scheme = url.partition(":")[0]
    if "://" not in url and "::" not in url and not url.startswith("/"):
        raise TaskFailedError(f"`{url[:200]}` is no URL", hint="write one such as s3://bucket/path/file.csv")
    if scheme in ("s3", "s3a"):
        options = {**_SPARING, **options}
    try:
        # Instances are not shared: each task has its own secrets and closes what it opened.
        system, path = url_to_fs(url, skip_instance_cache=True, **options)
    except ImportError as missing:
        extra = _EXTRAS.get(scheme)
        raise MissingExtraError(
            f"{shown} cannot be reached: {missing}", hint=f"pip install 'jupyter-nbflow[{extra}]'" if extra else ""
        ) from missing
    except TypeError as cause:
        raise TaskFailedError(f"{shown}: `storageOptions` do not fit: {cause}") from cause
    except ValueError as cause:
        raise TaskFailedError(f"{shown} cannot be reached: {cause}") from cause
    protocols = {system.protocol} if isinstance(system.protocol, str) else set(system.protocol)
    return UrlPlace(system, _prefix(shown, str(path)), url=url, found=str(path), protocols=protocols)


def _prefix(url: str, path: str) -> str:
    """What makes a path there a URL again."""
    url, path = url.rstrip("/"), path.rstrip("/")
    if "::" in url or not url.endswith(path):  # one in another, such as zip://a.csv::s3://b/c.zip
        return f"{url.partition('://')[0]}://"
    prefix = url[: len(url) - len(path)]
    return f"{prefix}//" if prefix.endswith(":") else prefix
