"""`LocalPlace`: a home on this machine, opened when it is first asked for something."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from nbflow.cli.local.executions import LocalExecutions, search_logs
from nbflow.cli.local.flows import LocalFlows
from nbflow.cli.local.namespaces import LocalFiles, LocalNamespaces, LocalSecrets, LocalValues
from nbflow.cli.local.runs import LocalRuns
from nbflow.cli.local.triggers import LocalBackfills, LocalTriggers
from nbflow.cli.places import LogQuery, Row
from nbflow.engine import Engine


class LocalPlace:
    """The engine of this process over a home. It takes over nothing that another engine has left."""

    is_remote = False

    def __init__(self, home: Path | None) -> None:
        self.engine = Engine(home, takes_over=False)
        self.name = str(self.engine.settings.home)

    @cached_property
    def flows(self) -> LocalFlows:
        return LocalFlows(self.engine)

    @cached_property
    def executions(self) -> LocalExecutions:
        return LocalExecutions(self.engine)

    @cached_property
    def runs(self) -> LocalRuns:
        return LocalRuns(self.engine)

    @cached_property
    def namespaces(self) -> LocalNamespaces:
        return LocalNamespaces(self.engine)

    @cached_property
    def files(self) -> LocalFiles:
        return LocalFiles(self.engine)

    @cached_property
    def values(self) -> LocalValues:
        return LocalValues(self.engine)

    @cached_property
    def secrets(self) -> LocalSecrets:
        return LocalSecrets(self.engine)

    @cached_property
    def triggers(self) -> LocalTriggers:
        return LocalTriggers(self.engine)

    @cached_property
    def backfills(self) -> LocalBackfills:
        return LocalBackfills(self.engine)

    def search_logs(self, query: LogQuery) -> list[Row]:
        return search_logs(self.engine, query)

    def close(self) -> None:
        self.engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
