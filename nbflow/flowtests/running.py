"""Runs suites: each case in a home of its own, several at once, and none of them can touch what is real."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from nbflow.clock import SystemClock
from nbflow.engine import Engine, Execution
from nbflow.engine.fixtures import TEST
from nbflow.engine.services import NamespaceServices
from nbflow.errors import ConflictError, InputError, NbflowError, WaitTimeoutError
from nbflow.expressions import default_environment
from nbflow.flowtests.asserting import Judge, Ran
from nbflow.flowtests.checking import check_fixtures
from nbflow.flowtests.finding import FoundFlow, World
from nbflow.flowtests.homes import build_home, scratch_settings
from nbflow.flowtests.loading import LoadedSuite
from nbflow.flowtests.mocking import Mocks
from nbflow.flowtests.results import CaseResult, CaseState, Checked, SuiteResult
from nbflow.flowtests.suite import Case
from nbflow.model.durations import format_duration
from nbflow.model.flow import Flow
from nbflow.model.state import State
from nbflow.settings import Settings
from nbflow.types import JsonValue, derived_id

AT_ONCE = 4
"""Cases that run at the same time, unless said."""
_LOOK_SECONDS = 0.25
_LAST_LINES = 20


@dataclass(frozen=True, slots=True)
class Prepared:
    """A suite that can be run: its flow, and the home that each case gets a copy of."""

    loaded: LoadedSuite
    found: FoundFlow
    flow: Flow
    home: Path
    settings: Settings


@contextmanager
def prepared(suites: Sequence[LoadedSuite], world: World) -> Iterator[list[Prepared]]:
    """The suites, made ready to be run while this is open. Raises: SuiteError for what is wrong before anything ran."""
    with tempfile.TemporaryDirectory(prefix="nbflow-tests-", ignore_cleanup_errors=True) as root:
        ready = []
        for number, loaded in enumerate(suites):
            home = Path(root) / f"suite-{number}"
            found = world.tested(loaded)
            flow = build_home(home, found, world, loaded.document.text)
            check_fixtures(loaded, flow, world)
            ready.append(Prepared(loaded, found, flow, home, world.settings))
        yield ready


def run_suites(
    ready: Sequence[Prepared],
    *,
    at_once: int = AT_ONCE,
    only: Sequence[str] = (),
    on_suite: Callable[[SuiteResult], None] | None = None,
) -> list[SuiteResult]:
    """Run the cases, or `only` those of these ids; an interrupt ends what runs. `on_suite` is told of each suite."""
    stop = threading.Event()
    with ThreadPoolExecutor(max_workers=max(at_once, 1), thread_name_prefix="nbflow-test") as pool:
        try:
            waiting: list[tuple[Prepared, list[Future[CaseResult]]]] = []
            for suite in ready:
                cases = [
                    (number, case)
                    for number, case in enumerate(suite.loaded.suite.test_cases)
                    if not only or case.id in only
                ]
                if cases:
                    waiting.append((suite, [pool.submit(_run_case, suite, *one, stop) for one in cases]))
            results = []
            for suite, futures in waiting:
                result = SuiteResult(
                    id=suite.loaded.suite.id,
                    namespace=suite.flow.namespace,
                    flow_id=suite.flow.id,
                    file=suite.loaded.file,
                    origin=suite.found.origin,
                    cases=[future.result() for future in futures],
                )
                results.append(result)
                if on_suite is not None:
                    on_suite(result)
            return results
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@dataclass(slots=True)
class _Notes:
    """What is found out while a case runs."""

    execution_id: str | None = None
    execution_state: str | None = None
    checked: list[Checked] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    mocked: list[str] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)

    @property
    def state(self) -> CaseState:
        if self.errors:
            return CaseState.ERROR
        return CaseState.SUCCESS if all(one.is_success for one in self.checked) else CaseState.FAILED


def _run_case(suite: Prepared, number: int, case: Case, stop: threading.Event) -> CaseResult:
    start = datetime.now(UTC)
    place = suite.loaded.place(("testCases", number))
    notes = _Notes()
    is_left_out = case.disabled or suite.loaded.suite.disabled
    if not is_left_out:
        with tempfile.TemporaryDirectory(prefix="nbflow-test-", ignore_cleanup_errors=True) as root:
            home = Path(root) / "home"
            shutil.copytree(suite.home, home)
            with Engine(settings=scratch_settings(suite.settings, home), takes_over=False) as engine:
                try:
                    _try_case(engine, suite, number, case, stop, notes)
                except InputError as refused:
                    notes.errors.append(refused.message)
                    notes.errors += [f"{one.path}: {one.message}" for one in refused.problems]
                except NbflowError as error:
                    notes.errors.append(str(error))
    return CaseResult(
        id=case.id,
        state=CaseState.SKIPPED if is_left_out else notes.state,
        start=start,
        end=datetime.now(UTC),
        description=case.description,
        line=place.line,
        column=place.column,
        execution_id=notes.execution_id,
        execution_state=notes.execution_state,
        checked=notes.checked,
        errors=notes.errors,
        warnings=notes.warnings,
        mocked=notes.mocked,
        logs=notes.logs,
    )


def _try_case(engine: Engine, suite: Prepared, number: int, case: Case, stop: threading.Event, notes: _Notes) -> None:
    flow, fixtures = suite.flow, case.fixtures
    folder = f"{flow.namespace.replace('.', '/')}/{flow.id}/tests/{case.id}"
    files = {
        name: engine.store.files.put_bytes(f"{folder}/{name}", content.encode())
        for name, content in fixtures.files.items()
    }
    services = NamespaceServices(flow.namespace, engine.store, SystemClock(), lambda secret: None)
    environment = default_environment()
    inputs = environment.render_value_typed(fixtures.inputs, {"files": files}, services)
    assert isinstance(inputs, dict)
    mocks = Mocks(fixtures.tasks, {"files": files})
    trigger: dict[str, JsonValue] | None = None
    if fixtures.trigger is not None:
        kind = next((one.type for one in flow.triggers if one.id == fixtures.trigger.id), "")
        variables = environment.render_value_typed(fixtures.trigger.variables, {"files": files}, services)
        trigger = {"id": fixtures.trigger.id, "type": fixtures.trigger.type or kind, "variables": variables}  # type: ignore[dict-item]  # JSON in, JSON out
    execution = engine.run_flow(flow, inputs, trigger=trigger, kind=TEST, fixtures=mocks)
    notes.execution_id = execution.id
    try:
        _wait(engine, execution, case, stop)
        while execution.state is State.RETRIED:  # a new execution took its place
            execution = _next_try(engine, execution)
            notes.execution_id = execution.id
            _wait(engine, execution, case, stop)
    except NbflowError as error:
        notes.errors.append(str(error))
    finally:
        engine.store.writer.flush()
        logs = execution.logs()
        notes.mocked, notes.execution_state = mocks.used, str(execution.state)
    if not notes.errors:
        ran = Ran(flow, execution.refresh().record, list(execution.task_runs), logs, files)
        judge = Judge(ran, engine.store, SystemClock())
        for place, assertion in enumerate(case.assertions):
            path = ("testCases", number, "assertions", place)
            notes.checked += judge.checked(assertion, suite.loaded, path)
        _warn(case, execution, mocks, notes)
    if notes.state is not CaseState.SUCCESS:
        notes.logs = [f"{entry.level:<5} {entry.task_id or '-'}: {entry.message}" for entry in logs][-_LAST_LINES:]


def _warn(case: Case, execution: Execution, mocks: Mocks, notes: _Notes) -> None:
    notes.warnings += [f"the fixture of `{name}` was not used: no such task run came to be" for name in mocks.unused]
    asks_state = any(one.state is not None and one.task_id is None for one in case.assertions)
    asks_state = asks_state or any("state" in str(one.value) for one in case.assertions)
    if execution.state.is_failure and not asks_state:
        notes.warnings.append(f"the execution ended as {execution.state}; `- state: {execution.state}` would expect it")


def _wait(engine: Engine, execution: Execution, case: Case, stop: threading.Event) -> None:
    """Return when the execution has ended. Raises: WaitTimeoutError when it does not in time; ConflictError."""
    end = time.monotonic() + case.timeout.total_seconds()
    while True:
        left = end - time.monotonic()
        try:
            engine.wait(execution.id, timeout=max(min(left, _LOOK_SECONDS), 0.001))
            return
        except WaitTimeoutError:
            stuck = _paused_for_ever(engine)
            if left > 0 and not stop.is_set() and not stuck:
                continue
        try:
            engine.kill(execution.id)
            engine.wait(execution.id, timeout=10)
        except (ConflictError, WaitTimeoutError):  # it has ended meanwhile; or its engine ends it with itself
            pass
        if stuck:
            raise ConflictError(f"the execution waits at the task `{stuck}`", hint="give that a fixture")
        if stop.is_set():
            raise ConflictError("it was interrupted")
        length = format_duration(case.timeout)
        raise WaitTimeoutError(f"it did not end within {length}", hint="mock what takes long, or set `timeout`")


def _next_try(engine: Engine, execution: Execution) -> Execution:
    """The execution that was started because this one failed. Raises: ExecutionNotFoundError."""
    return engine.execution(derived_id(execution.id, f"attempt {execution.record.attempt_number + 1}"))


def _paused_for_ever(engine: Engine) -> str:
    """The task at which an execution waits for somebody; empty when it goes on by itself."""
    for execution in engine.executions(state=State.PAUSED):
        tasks = {task.id: task for task in engine.flow(execution.namespace, execution.flow_id).all_tasks()}
        for run in execution.task_runs:
            task = tasks.get(run.task_id) if run.state is State.PAUSED else None
            if task is not None and getattr(task, "pause_duration", None) is None and task.timeout is None:
                return task.id
    return ""
