"""Run a task until an attempt ends it: retries, their waits, and what a crash left of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from nbflow.engine.attempt import Result, attempt
from nbflow.engine.context import TaskContext
from nbflow.engine.history import History
from nbflow.engine.rendering import Renderer
from nbflow.engine.retries import next_attempt
from nbflow.engine.workings import Workings
from nbflow.model.execution import Attempt, TaskRun
from nbflow.model.policies import Retry, RetryBehavior
from nbflow.model.state import State, StateHistory
from nbflow.plugins import RunnableTask


async def run_attempts(
    workings: Workings,
    task: RunnableTask,
    run: TaskRun,
    retry: Retry | None,
    renderer: Callable[[TaskRun], Renderer],
    directory: Path | None,
) -> tuple[TaskRun, Result]:
    """The task run as its last attempt left it, and how that ended."""
    history = workings.history
    if retry is not None and retry.behavior is RetryBehavior.CREATE_NEW_EXECUTION:
        workings.retry_of_task = retry if task.retry is retry else workings.retry_of_task
        retry = None
    run = _without_lost_attempt(run, history)
    wait = _rest_of_wait(run, retry, history)
    while True:
        if wait is not None:
            await history.clock.sleep(wait.total_seconds())
        async with workings.slot(task):
            now = history.now()
            begun = Attempt(StateHistory.begin(now).move(State.RUNNING, now))
            run = history.save(replace(run.move(State.RUNNING, now), attempts=(*run.attempts, begun)))
            render = renderer(run)
            ctx = TaskContext(history, workings.store, render, run, task.log_level, directory)
            result = await attempt(task, render, ctx)
        now = history.now()
        run = replace(run, attempts=(*run.attempts[:-1], Attempt(begun.history.move(result.state, now))))
        if result.state is not State.FAILED:
            break
        tries = tries_of(run)
        wait = next_attempt(retry, len(tries), tries[0].start, now, random.random())
        if wait is None:
            break
        run = history.save(run.move(State.RETRYING, now))
    if retry is not None and retry.warning_on_retry and result.state is State.SUCCESS and len(tries_of(run)) > 1:
        result = replace(result, state=State.WARNING)
    return run, result


def tries_of(run: TaskRun) -> tuple[Attempt, ...]:
    """The attempts that count for retries: those since a restart, if there was one."""
    restarts = [since for state, since in run.history.moves if state is State.RESTARTED]
    return tuple(each for each in run.attempts if not restarts or each.start >= restarts[-1])


def _rest_of_wait(run: TaskRun, retry: Retry | None, history: History) -> timedelta | None:
    """What is left of the wait before the next attempt, when the engine before this one ended meanwhile."""
    if run.state is not State.RETRYING or retry is None:
        return None
    since = run.history.moves[-1][1]
    wait = retry.wait_before(len(tries_of(run)) + 1, random.random())
    return max(since + wait - history.now(), timedelta())


def _without_lost_attempt(run: TaskRun, history: History) -> TaskRun:
    """Close the attempt that was under way when the engine before this one ended: it is made again."""
    if not run.attempts or run.attempts[-1].state.is_terminal:
        return run
    lost = Attempt(run.attempts[-1].history.move(State.KILLED, history.now()))
    return replace(run, attempts=(*run.attempts[:-1], lost))
