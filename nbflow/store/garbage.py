"""Removes what nothing refers to any more, and gives the space back.

What is garbage is decided by the history, and by age: whoever starts an execution stores its files first, and only then
is it in the history. A doubt is decided for keeping: what is not known to be garbage stays.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, func, select

from nbflow.errors import MissingExtraError
from nbflow.model.base import yaml_name
from nbflow.plugins.storages import FileStorage
from nbflow.settings import Settings
from nbflow.store import tables
from nbflow.store.database import Database
from nbflow.store.executions import UNFINISHED
from nbflow.store.files import uri_of
from nbflow.store.records import to_micros
from nbflow.store.writer import Writer

IN_USE = timedelta(hours=1)
"""A file that was written within this time is in use, whatever the history says."""

_LONG_DEAD = timedelta(days=1)  # a machine that sleeps has no lease either, and wakes up
_CACHE_KEPT = timedelta(days=30)  # a flow need not be deployed to be run, and to have a cache
_WORTH_VACUUM = 20  # give space back when at least one page of so many is free
_SQLITE_WAITS = 2000  # milliseconds for others to let go of the database
_AT_ONCE = 500  # what fits the parameters of one statement

_ID = re.compile(r"[0-9A-Za-z]{22}")
_WRITTEN = ("mtime", "LastModified", "last_modified", "updated", "created")  # names that file systems of fsspec use

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Garbage:
    """What was removed: folders of executions with their files, files of caches, working directories, rows.

    `outcomes` are those that `taskCache` has kept long enough, `uploads` files that never became whole. `bytes_freed`
    counts files, and what the database gave back.
    """

    folders: int = 0
    files: int = 0
    caches: int = 0
    uploads: int = 0
    working_dirs: int = 0
    logs: int = 0
    kv: int = 0
    outcomes: int = 0
    commands: int = 0
    engines: int = 0
    bytes_freed: int = 0

    def to_dict(self) -> dict[str, int]:
        return {yaml_name(each.name): getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True, slots=True)
class _Stored:
    """A file: its path in the storage, its bytes, when it was written (seconds since 1970; None: nobody knows)."""

    path: str
    size: int
    written: float | None


@dataclass(slots=True)
class _Found:
    """The garbage in the storage."""

    folders: dict[str, list[_Stored]] = field(default_factory=dict)
    caches: list[_Stored] = field(default_factory=list)
    uploads: list[_Stored] = field(default_factory=list)


class GarbageCollector:
    """Finds garbage and removes it; whatever is under way stays, in this process and in others."""

    def __init__(self, database: Database, writer: Writer, files: FileStorage, settings: Settings) -> None:
        self._database = database
        self._writer = writer
        self._files = files
        self._settings = settings

    def collect(
        self, now: datetime, older_than: timedelta, *, logs: int = 0, kv: int = 0, dry_run: bool = False
    ) -> Garbage:
        """Remove what is older than `older_than`, an hour at least; `logs` and `kv` are counts of what went before."""
        before = now - max(older_than, IN_USE)
        found = self._find(now, before)
        kept = [each for files in found.folders.values() for each in files]
        freed = sum(each.size for each in (*kept, *found.caches, *found.uploads))
        if not dry_run:
            for each in (*kept, *found.caches):
                self._files.delete(uri_of(each.path))  # one by one: what has come meanwhile is not deleted
            for each in found.uploads:
                (self._settings.storage_path / each.path).unlink(missing_ok=True)
        outcomes = self._remove(tables.outcomes, [tables.outcomes.c.expires <= to_micros(now)], dry_run)
        commands = self._remove(tables.commands, self._idle_commands(before), dry_run)
        dead = [tables.engines.c.expires < to_micros(min(before, now - _LONG_DEAD))]
        engines = self._remove(tables.engines, dead, dry_run)
        working_dirs, size = self._remove_working_dirs(before, engines if dry_run else 0, dry_run)
        freed += size + (0 if dry_run else self._give_back(now))
        return Garbage(
            folders=len(found.folders),
            files=len(kept),
            caches=len(found.caches),
            uploads=len(found.uploads),
            working_dirs=working_dirs,
            logs=logs,
            kv=kv,
            outcomes=outcomes,
            commands=commands,
            engines=engines,
            bytes_freed=freed,
        )

    def _find(self, now: datetime, before: datetime) -> _Found:
        found = _Found()
        flows: set[tuple[str, str]] | None = None
        stored = self._stored()
        while some := list(islice(stored, 10_000)):
            of_executions = [(each, place) for each in some if (place := _place_of(each.path)) is not None]
            known = self._known({id for _, (_, ids) in of_executions for id in ids})
            for each, (folder, ids) in of_executions:
                if known.isdisjoint(ids):
                    found.folders.setdefault(folder, []).append(each)
            for each in some:
                flow = _flow_of_cache(each.path)
                if each.path.startswith("."):  # no namespace begins with a dot
                    found.uploads.append(each)
                elif flow is not None:
                    flows = self._deployed() if flows is None else flows
                    if flow not in flows:
                        found.caches.append(each)
        found.folders = {name: files for name, files in found.folders.items() if _all_before(files, before)}
        found.caches = [each for each in found.caches if _all_before([each], min(before, now - _CACHE_KEPT))]
        found.uploads = [each for each in found.uploads if _all_before([each], before)]
        return found

    def _stored(self) -> Iterator[_Stored]:
        """All files of the storage."""
        if self._settings.storage_url is None:
            return _local_files(self._settings.storage_path)
        return _remote_files(self._settings.storage_url, self._settings.storage_options)

    def _known(self, ids: Iterable[str]) -> set[str]:
        """Those of the ids that name executions of the history."""
        known, remaining = set[str](), iter(ids)
        while some := list(islice(remaining, _AT_ONCE)):
            query = select(tables.executions.c.id).where(tables.executions.c.id.in_(some))
            known.update(row.id for row in self._database.all(query))
        return known

    def _deployed(self) -> set[tuple[str, str]]:
        """The flows that are deployed."""
        flows = tables.flows
        query = select(flows.c.namespace, flows.c.id).where(flows.c.deleted.is_(None)).distinct()
        return {(row.namespace, row.id) for row in self._database.all(query)}

    def _idle_commands(self, before: datetime) -> list[ColumnElement[bool]]:
        """Commands that nobody will take: those for executions that have ended, or that are no more."""
        under_way = select(tables.executions.c.id).where(tables.executions.c.state.in_(UNFINISHED))
        commands = tables.commands
        return [commands.c.created < to_micros(before), commands.c.execution_id.not_in(under_way)]

    def _remove(self, table: Table, conditions: Sequence[ColumnElement[bool]], dry_run: bool) -> int:
        row = self._database.first(select(func.count()).select_from(table).where(*conditions))
        count = 0 if row is None else int(row[0])
        if dry_run or not count:
            return count
        gone = delete(table).where(*conditions)
        return self._writer.call(lambda connection: int(connection.execute(gone).rowcount))

    def _remove_working_dirs(self, before: datetime, engines_to_go: int, dry_run: bool) -> tuple[int, int]:
        """Remove directories of attempts that a process has left behind when it died; how many, how many bytes.

        As long as an engine may live they stay: a task may work for long and write nothing.
        """
        row = self._database.first(select(func.count()).select_from(tables.engines))
        if row is not None and row[0] > engines_to_go:
            return 0, 0
        count = size = 0
        place = self._settings.home / "tmp"
        for folder in sorted(place.iterdir()) if place.is_dir() else ():
            files = list(_local_files(folder))
            newest = max((each.written or 0.0 for each in files), default=0.0)
            with suppress(OSError):  # somebody else was quicker
                if max(newest, folder.lstat().st_mtime) < before.timestamp():
                    count += 1
                    size += sum(each.size for each in files)
                    if not dry_run:
                        shutil.rmtree(folder, ignore_errors=True)
        return count, size

    def _give_back(self, now: datetime) -> int:
        """Let SQLite shrink its file; how many bytes shorter it is. Others who write would have to wait for that."""
        if not self._database.is_sqlite:
            return 0
        engines = tables.engines
        is_alone = self._database.first(select(engines.c.id).where(engines.c.expires > to_micros(now))) is None
        before = self._size()
        connection = self._database.writing.raw_connection()
        try:
            with closing(connection.cursor()) as cursor:
                cursor.execute(f"PRAGMA busy_timeout={_SQLITE_WAITS}")
                free, pages = _number(cursor, "PRAGMA freelist_count"), _number(cursor, "PRAGMA page_count")
                if is_alone and free and free * _WORTH_VACUUM >= pages:
                    cursor.execute("VACUUM")
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except self._database.writing.dialect.loaded_dbapi.OperationalError as refused:
            # Somebody else is at work, or there is no room for a copy: nothing is lost, the next time may be better.
            _log.warning("the history could not be made shorter: %s", refused, extra={"action": "vacuum_refused"})
        finally:
            connection.invalidate()  # its timeout is not that of others
        return max(before - self._size(), 0)

    def _size(self) -> int:
        """Bytes of the database and of its log."""
        size = 0
        for name in (self._database.name, f"{self._database.name}-wal"):
            with suppress(OSError):
                size += Path(name).stat().st_size
        return size


def _place_of(path: str) -> tuple[str, list[str]] | None:
    """The folder of an execution that a path lies in, and all ids that may name it; None when it lies in none.

    A namespace, a flow or a file may be called `executions` too: of several ids, one is that of the execution.
    """
    parts = path.split("/")
    if "_files" in parts:  # files of a namespace, whatever they are called
        return None
    places = [place for place in range(2, len(parts) - 2) if parts[place] == "executions"]
    first = next((place for place in places if _ID.fullmatch(parts[place + 1])), None)
    return None if first is None else ("/".join(parts[: first + 2]), [parts[place + 1] for place in places])


def _flow_of_cache(path: str) -> tuple[str, str] | None:
    """The flow whose task a cache belongs to; None when the path is that of no cache."""
    parts = path.split("/")
    is_cache = len(parts) >= 6 and parts[-2] == "cache" and parts[-4] == "tasks" and parts[-1].startswith("cache")
    if not is_cache or "_files" in parts or "executions" in parts[2:]:
        return None
    return ".".join(parts[:-5]), parts[-5]


def _all_before(files: Iterable[_Stored], moment: datetime) -> bool:
    limit = moment.timestamp()
    return all(each.written is not None and each.written < limit for each in files)


def _local_files(root: Path) -> Iterator[_Stored]:
    for folder, _, names in os.walk(root):
        for name in names:
            file = Path(folder, name)
            with suppress(OSError):  # it went meanwhile
                about = file.lstat()
                if not file.is_symlink():
                    yield _Stored(file.relative_to(root).as_posix(), about.st_size, about.st_mtime)


def _remote_files(url: str, options: Any) -> Iterator[_Stored]:  # Any: fsspec has no types
    try:
        from fsspec.core import url_to_fs

        system, root = url_to_fs(url, **options)
    except ImportError as missing:
        raise MissingExtraError(f"the storage {url} needs a package that is not installed: {missing}") from missing
    root = root.rstrip("/")
    system.invalidate_cache()
    for name, about in system.find(f"{root}/", detail=True).items():
        path = name.removeprefix(root).lstrip("/")
        written = next((about[key] for key in _WRITTEN if about.get(key) is not None), None)
        yield _Stored(path, int(about.get("size") or 0), _seconds(written))


def _seconds(written: object) -> float | None:
    """When a file was written, in whichever way a file system tells it."""
    if isinstance(written, str):
        with suppress(ValueError):
            written = datetime.fromisoformat(written)
    if isinstance(written, datetime):
        return (written if written.tzinfo else written.replace(tzinfo=UTC)).timestamp()
    return float(written) if isinstance(written, int | float) else None


def _number(cursor: Any, question: str) -> int:  # Any: each driver has a type of its own
    cursor.execute(question)
    return int(cursor.fetchone()[0])
