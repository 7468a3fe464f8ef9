"""`RemotePlace`: a server, asked through its REST API."""

from __future__ import annotations

from functools import cached_property
from types import TracebackType
from typing import Self

from nbflow.cli.connection import Connection
from nbflow.cli.places import LogQuery, Row
from nbflow.cli.remote.client import Client
from nbflow.cli.remote.executions import RemoteExecutions, search_logs
from nbflow.cli.remote.flows import RemoteFlows
from nbflow.cli.remote.namespaces import RemoteFiles, RemoteNamespaces, RemoteSecrets, RemoteValues
from nbflow.cli.remote.runs import RemoteRuns
from nbflow.cli.remote.triggers import RemoteBackfills, RemoteTriggers


class RemotePlace:
    """One server. Nothing is asked before a command wants to know something."""

    is_remote = True

    def __init__(self, connection: Connection) -> None:
        self.client = Client(connection)
        self.name = self.client.url

    @cached_property
    def flows(self) -> RemoteFlows:
        return RemoteFlows(self.client)

    @cached_property
    def executions(self) -> RemoteExecutions:
        return RemoteExecutions(self.client)

    @cached_property
    def runs(self) -> RemoteRuns:
        return RemoteRuns(self.client)

    @cached_property
    def namespaces(self) -> RemoteNamespaces:
        return RemoteNamespaces(self.client)

    @cached_property
    def files(self) -> RemoteFiles:
        return RemoteFiles(self.client)

    @cached_property
    def values(self) -> RemoteValues:
        return RemoteValues(self.client)

    @cached_property
    def secrets(self) -> RemoteSecrets:
        return RemoteSecrets(self.client)

    @cached_property
    def triggers(self) -> RemoteTriggers:
        return RemoteTriggers(self.client)

    @cached_property
    def backfills(self) -> RemoteBackfills:
        return RemoteBackfills(self.client)

    def search_logs(self, query: LogQuery) -> list[Row]:
        return search_logs(self.client, query)

    def close(self) -> None:
        self.client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
