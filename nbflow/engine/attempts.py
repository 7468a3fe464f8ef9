"""Run a task until an attempt ends it: retries, their waits, and what a crash left of them."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from nbflow.engine.attempt import Result, attempt
from nbflow.engine.context import TaskContext
from nbflow.engine.history import History
from nbflow.engine.log_files import LogFile, keep_log
from nbflow.engine.rendering import Renderer
from nbflow.engine.retries import next_attempt
from nbflow.engine.workings import Workings
from nbflow.model.execution import Attempt, TaskRun
from nbflow.model.policies import Retry, RetryBehavior
from nbflow.model.state import State, StateHistory
from nbflow.model.task import Task
from nbflow.plugins import FlowableTask, RunnableTask
from nbflow.store import Store


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

    async def work(run: TaskRun) -> tuple[TaskRun, Result]:
        async with workings.slot(task, run) as admitted:
            run = _begin(replace(admitted, attempts=run.attempts), history)
            render = renderer(run)
            file = LogFile(history, workings.store, run) if task.log_to_file else None
            ctx = TaskContext(history, workings.store, render, run, task.log_level, directory, file, workings.store)
            try:
                result = await attempt(task, render, ctx, workings.store)
            finally:
                if ctx.log.file is not None:
                    run = await keep_log(ctx.log.file, history, run)
        return run, result

    run = await _without_lost_attempt(run, history, workings.store)
    return await _until_one_ends_it(workings, task, run, retry, work)


async def run_calls(
    workings: Workings, task: FlowableTask, run: TaskRun, retry: Retry | None, call: Callable[[], Awaitable[Result]]
) -> tuple[TaskRun, Result]:
    """As `run_attempts`, for a flowable that is attempted as a whole; an attempt of before a crash goes on."""
    history = workings.history

    async def work(run: TaskRun) -> tuple[TaskRun, Result]:
        if not run.attempts or run.attempts[-1].state.is_terminal:
            run = _begin(run, history)
        result = await call()
        return history.by_id(run.id), result

    return await _until_one_ends_it(workings, task, run, retry, work)


Work = Callable[[TaskRun], Awaitable[tuple[TaskRun, Result]]]
"""Makes one attempt: the task run with the attempt open, and how it ended."""


async def _until_one_ends_it(
    workings: Workings, task: Task, run: TaskRun, retry: Retry | None, work: Work
) -> tuple[TaskRun, Result]:
    history = workings.history
    if retry is not None and retry.behavior is RetryBehavior.CREATE_NEW_EXECUTION:
        retry = None  # it is the execution's to try again
    wait = _rest_of_wait(run, retry, history)
    while True:
        if wait is not None:
            await history.clock.sleep(wait.total_seconds())
        run, result = await work(run)
        now = history.now()
        run = replace(run, attempts=(*run.attempts[:-1], run.attempts[-1].move(result.state, now)))
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


def _begin(run: TaskRun, history: History) -> TaskRun:
    now = history.now()
    begun = Attempt(StateHistory.begin(now).move(State.RUNNING, now))
    return history.save(replace(run.move(State.RUNNING, now), attempts=(*run.attempts, begun)))


def tries_of(run: TaskRun) -> tuple[Attempt, ...]:
    """The attempts that count for retries: those since a restart, without those that the end of an engine cut off."""
    begun = next((since for state, since in reversed(run.history.moves) if state is State.RESTARTED), run.start)
    return tuple(each for each in run.attempts if each.state is not State.KILLED and each.start >= begun)


def _rest_of_wait(run: TaskRun, retry: Retry | None, history: History) -> timedelta | None:
    """What is left of the wait before the next attempt, when the engine before this one ended meanwhile."""
    if run.state is not State.RETRYING or retry is None:
        return None
    since = run.history.moves[-1][1]
    wait = retry.wait_before(len(tries_of(run)) + 1, random.random())
    return max(since + wait - history.now(), timedelta())


async def _without_lost_attempt(run: TaskRun, history: History, store: Store) -> TaskRun:
    """Close the attempt that was under way when the engine before this one ended: it is made again."""
    if not run.attempts or run.attempts[-1].state.is_terminal:
        return run
    run = await keep_log(LogFile(history, store, run), history, run)
    return replace(run, attempts=(*run.attempts[:-1], run.attempts[-1].move(State.KILLED, history.now())))
