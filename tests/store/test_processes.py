"""Several processes on one home, and processes that die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nbflow.settings import Settings
from nbflow.store import Store

_SETUP = """
import sys
sys.path.insert(0, {here!r})
from tests.store.store_records import *
from nbflow.settings import Settings
from nbflow.store import *
store = Store(Settings(Path({home!r}), durability="normal", repository_url={url!r}))
"""


@contextmanager
def _process(settings: Settings, code: str) -> Iterator[subprocess.Popen[str]]:
    """A process with an open store and our records, that runs `code`."""
    setup = _SETUP.format(here=str(Path(__file__).parents[2]), home=str(settings.home), url=settings.repository_url)
    command = [sys.executable, "-c", "from pathlib import Path" + setup + code]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        try:
            yield run
        finally:
            run.kill()


def test_processes_that_write_at_once_do_not_disturb_each_other(any_settings: Settings) -> None:
    """They create the home together, and each commits some hundred times with calls in between."""
    code = """
name = new_id()
for number in range(1, 151):
    store.writer.defer(SaveExecution(execution(State.RUNNING, id=f"{name}-{number}"), 1, name))
    store.writer.defer(AppendLog(log_entry(name, number)))
    store.writer.flush()
    if number % 10 == 0:
        store.flows.save("company.team", "shared", f"{name} {number}", NOW)
store.close()
print(name)
"""
    with (
        _process(any_settings, code) as one,
        _process(any_settings, code) as two,
        _process(any_settings, code) as three,
    ):
        answers = [run.communicate(timeout=60) for run in (one, two, three)]
    assert [errors for _, errors in answers] == ["", "", ""]
    with Store(any_settings) as store:
        assert store.executions.count() == 450
        assert [len(store.logs.list(name.strip())) for name, _ in answers] == [150] * 3
        assert [flow.revision for flow in store.flows.revisions("company.team", "shared")] == list(range(1, 46))


def test_an_orphan_is_claimed_by_one_process_only(any_settings: Settings) -> None:
    code = """
for number in range(50):
    store.writer.defer(SaveExecution(execution(State.RUNNING, id=f"{number:02}"), 1, "dead"))
store.writer.flush()
"""
    with _process(any_settings, code + "store.close()") as before:
        assert before.communicate(timeout=60)[1] == ""
    claim = """
name = new_id()
print("ready", flush=True)
sys.stdin.readline()
store.engines.beat(name, NOW, at(60) - NOW, {})
print(len(store.executions.claim_orphans(name, NOW)))
store.close()
"""
    with _process(any_settings, claim) as one, _process(any_settings, claim) as two:
        for run in (one, two):
            assert run.stdout is not None
            assert run.stdout.readline() == "ready\n"
        for run in (one, two):
            assert run.stdin is not None
            run.stdin.write("\n")
            run.stdin.flush()
        answers = [run.communicate(timeout=60) for run in (one, two)]
    assert [errors for _, errors in answers] == ["", ""]
    assert sum(int(claimed) for claimed, _ in answers) == 50


def test_a_killed_process_leaves_whole_batches(any_settings: Settings) -> None:
    """Each batch holds an execution and two task runs; what was announced as committed is there."""
    code = """
for number in range(100_000):
    one = execution(State.RUNNING, id=f"{number:06}")
    store.writer.defer(SaveExecution(one, 1, "me"))
    store.writer.defer(SaveTaskRun(task_run(one.id, outputs={"text": "x" * 2000}), 2))
    store.writer.defer(SaveTaskRun(task_run(one.id), 3))
    store.writer.flush()
    print(number, flush=True)
"""
    with _process(any_settings, code) as run:
        assert run.stdout is not None
        while (announced := int(run.stdout.readline())) < 100:
            pass
        os.kill(run.pid, signal.SIGKILL)
        rest = run.stdout.read().splitlines()
        announced = int(rest[-1]) if rest else announced
    with Store(any_settings) as store:
        # The batch that was under way may be there or not, but never in part.
        found = [one.id for one in store.executions.list(limit=200_000)]
        assert len(found) in (announced + 1, announced + 2)
        assert all(len(store.executions.task_runs(id)) == 2 for id in found)


def test_a_process_that_ends_without_closing_loses_nothing_that_was_deferred(any_settings: Settings) -> None:
    with _process(any_settings, 'store.writer.defer(AppendLog(log_entry("x", 1)))') as run:
        assert run.communicate(timeout=60)[1] == ""
    with Store(any_settings) as store:
        assert len(store.logs.list("x")) == 1
