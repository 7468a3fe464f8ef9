"""The fixtures of one case, as the engine asks for them; they remember which of them were used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nbflow.engine.fixtures import Fixture
from nbflow.flowtests.suite import TaskFixture


class Mocks:
    """Fixtures by task id; those of flows that tasks call are named `task.inner`. Implements `engine.fixtures`."""

    def __init__(
        self,
        fixtures: Sequence[TaskFixture],
        variables: Mapping[str, object],
        prefix: str = "",
        used: Used | None = None,
    ) -> None:
        self._all = fixtures
        self._variables = variables
        self._prefix = prefix
        self._used = used if used is not None else Used()
        self._here: dict[str, list[TaskFixture]] = {}
        for fixture in fixtures:
            name = fixture.id.removeprefix(prefix)
            if fixture.id.startswith(prefix) and "." not in name:
                self._here.setdefault(name, []).append(fixture)

    def find(self, task_id: str, values: Sequence[str], /) -> Fixture | None:
        """One for the value of the innermost loop comes before one for all."""
        known = self._here.get(task_id)
        if known is None:
            return None
        innermost = values[-1] if values else None
        exact = (one for one in known if one.value is not None and one.value == innermost)
        found = next(exact, None) or next((one for one in known if one.value is None), None)
        if found is None:
            return None
        self._used.add(found)
        return Fixture(found.state, found.outputs, self._variables, found.description)

    def within(self, task_id: str, /) -> Mocks | None:
        """What stands for tasks of the flow that a task calls."""
        prefix = f"{self._prefix}{task_id}."
        if not any(fixture.id.startswith(prefix) for fixture in self._all):
            return None
        return Mocks(self._all, self._variables, prefix, self._used)

    @property
    def used(self) -> list[str]:
        """Names of the fixtures that stood for a task run, as the suite has them."""
        return [_name(fixture) for fixture in self._all if fixture in self._used]

    @property
    def unused(self) -> list[str]:
        """Names of those that did not."""
        return [_name(fixture) for fixture in self._all if fixture not in self._used]


class Used:
    """The fixtures that were used."""

    def __init__(self) -> None:
        self._ids: set[int] = set()

    def add(self, fixture: TaskFixture) -> None:
        self._ids.add(id(fixture))

    def __contains__(self, fixture: TaskFixture) -> bool:
        return id(fixture) in self._ids


def _name(fixture: TaskFixture) -> str:
    return fixture.id if fixture.value is None else f"{fixture.id}[{fixture.value}]"
