"""`Store`: one open home, with its history and its files."""

from __future__ import annotations

from types import TracebackType

from nbflow.errors import SettingsError
from nbflow.plugins.storages import FileStorage
from nbflow.settings import Settings
from nbflow.store.audit import AuditStore
from nbflow.store.backfills import BackfillStore
from nbflow.store.commands import CommandStore
from nbflow.store.commits import CommitCounter
from nbflow.store.database import Database
from nbflow.store.engines import EngineStore
from nbflow.store.executions import ExecutionStore
from nbflow.store.files import LocalFiles
from nbflow.store.flows import FlowStore
from nbflow.store.history_sql import HistorySql
from nbflow.store.kv import KvStore
from nbflow.store.leases import LeaseStore
from nbflow.store.logs import LogStore
from nbflow.store.metrics import MetricStore
from nbflow.store.namespace_files import NamespaceFiles
from nbflow.store.namespaces import NamespaceStore
from nbflow.store.outcomes import OutcomeStore
from nbflow.store.pools import PoolStore
from nbflow.store.purging import Purger
from nbflow.store.remote import RemoteFiles
from nbflow.store.schedules import ScheduleStore
from nbflow.store.schema import ensure_schema
from nbflow.store.secrets import SecretStore
from nbflow.store.state_changes import StateChangeStore
from nbflow.store.triggers import TriggerStore
from nbflow.store.writer import Writer


class Store:
    """Opens or creates a home. Safe to use from any thread; a context manager that closes it.

    Raises: SettingsError when the home cannot be used; StoreError when its history cannot.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        try:
            settings.home.mkdir(parents=True, exist_ok=True)
        except OSError as cause:
            raise SettingsError(
                f"the home {settings.home} cannot be made: {cause.strerror}",
                hint="set NBFLOW_HOME to another directory",
            ) from cause
        self._database = Database(settings)
        try:
            ensure_schema(self._database)
        except BaseException:
            self._database.close()
            raise
        self.writer = Writer(self._database)
        self.files: FileStorage = (
            RemoteFiles(settings.storage_url, settings.storage_options)
            if settings.storage_url
            else LocalFiles(settings.storage_path, durable=settings.durability == "full")
        )
        self.flows = FlowStore(self._database, self.writer)
        self.executions = ExecutionStore(self._database, self.writer)
        self.logs = LogStore(self._database, self.writer)
        self.metrics = MetricStore(self._database)
        self.engines = EngineStore(self._database, self.writer)
        self.commands = CommandStore(self._database, self.writer)
        self.triggers = TriggerStore(self._database, self.writer)
        self.schedules = ScheduleStore(self._database, self.writer)
        self.backfills = BackfillStore(self._database, self.writer)
        self.leases = LeaseStore(self._database, self.writer)
        self.state_changes = StateChangeStore(self._database, self.writer)
        self.audit = AuditStore(self._database, self.writer)
        self.namespaces = NamespaceStore(self._database, self.writer)
        self.namespace_files = NamespaceFiles(self.files)
        self.kv = KvStore(self._database, self.writer)
        self.secrets = SecretStore(self._database, self.writer, settings)
        self.outcomes = OutcomeStore(self._database, self.writer)
        self.pools = PoolStore(self._database, self.writer)
        self.purging = Purger(self._database, self.writer, self.files, settings)
        self.sql = HistorySql(self._database)
        self._commits = CommitCounter(self._database)
        self._is_closed = False

    def data_version(self) -> int:
        """A number that grows when anybody has committed since the last call. Cheap enough to ask all the time."""
        return self._commits.read()

    def close(self) -> None:
        """Write what is deferred and let go of the database. Calling it again does nothing. Raises: StoreError."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self.writer.close()
        finally:
            self._commits.close()
            self._database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
