"""The cache of a WorkingDirectory: files that its next run, in another execution, finds again."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from nbflow.errors import NbflowError
from nbflow.plugins import RunContext
from nbflow.tasks.working_files import matching_files

_KEPT = "nbflow.kept"
"""Name of the instant the files were kept, among the headers of the archive."""

_ARCHIVE = ".nbflow-cache.tar.gz"


class DirectoryCache:
    """An archive in the internal storage for each namespace, flow and task, and for each value of a loop around it.

    A cache that cannot be read or written is told in the log and does no other harm.
    """

    def __init__(self, ctx: RunContext, patterns: Sequence[str], ttl: timedelta | None, value: str | None) -> None:
        self._ctx = ctx
        self._patterns = patterns
        self._ttl = ttl
        self._folder = f"{ctx.namespace.replace('.', '/')}/{ctx.flow_id}/tasks/{ctx.task_id}/cache"
        of_value = "" if value is None else f"-{hashlib.sha256(value.encode()).hexdigest()[:16]}"
        self._name = f"cache{of_value}.tar.gz"
        self._restored: dict[str, tuple[int, int]] = {}

    def restore(self) -> None:
        """Put the files that were kept into the directory, unless they are older than they may be."""
        ctx = self._ctx
        try:
            uri = next((uri for uri in ctx.storage.list(self._folder) if uri.endswith(f"/{self._name}")), None)
            if uri is None:
                return
            with tarfile.open(ctx.file(uri)) as archive:
                if self._is_too_old(archive):
                    ctx.log.debug("the cache is older than its ttl: it is left out")
                    return
                # This filter lets no file out of the directory, and lets links be that a virtual environment needs.
                archive.extractall(ctx.working_dir, filter="tar")
        except (NbflowError, OSError, tarfile.TarError) as error:
            ctx.log.warning("the cache cannot be read: %s", error)
            return
        self._restored = self._files()
        ctx.log.debug("%d files from the cache", len(self._restored))

    def keep(self) -> None:
        """Store the files that match now, unless they are just those that were restored."""
        ctx = self._ctx
        files = self._files()
        if not files or files == self._restored:
            return
        path = ctx.path(_ARCHIVE)
        headers = {_KEPT: ctx.now().isoformat()}
        try:
            with tarfile.open(path, "w:gz", compresslevel=3, format=tarfile.PAX_FORMAT, pax_headers=headers) as archive:
                for name in files:
                    archive.add(ctx.working_dir / name, name, recursive=False)
            ctx.storage.put_file(f"{self._folder}/{self._name}", path)
        except (NbflowError, OSError, tarfile.TarError) as error:
            ctx.log.warning("the cache cannot be written: %s", error)
        else:
            ctx.log.debug("%d files into the cache", len(files))
        finally:
            path.unlink(missing_ok=True)

    def _is_too_old(self, archive: tarfile.TarFile) -> bool:
        kept = archive.pax_headers.get(_KEPT)
        return self._ttl is not None and (kept is None or self._ctx.now() - datetime.fromisoformat(kept) > self._ttl)

    def _files(self) -> dict[str, tuple[int, int]]:
        """Name → size and time of change of the files that match."""
        base = self._ctx.working_dir.resolve()
        found: dict[str, tuple[int, int]] = {}
        for pattern in self._patterns:
            for path in matching_files(self._ctx, self._ctx.render(pattern)):
                about = Path(path).lstat()
                found[path.relative_to(base).as_posix()] = (about.st_size, about.st_mtime_ns)
        return found
