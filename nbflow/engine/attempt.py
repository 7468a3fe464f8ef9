"""One try of a runnable task: what it ended in, whatever happened. A failure is an outcome here, never an exception."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from nbflow.engine.context import TaskContext
from nbflow.engine.outcomes import memory_of
from nbflow.engine.output_limits import check_size
from nbflow.engine.rendering import Renderer
from nbflow.errors import NbflowError, TaskFailedError, TemplateError
from nbflow.model.durations import format_duration
from nbflow.model.state import State
from nbflow.plugins import RunnableTask
from nbflow.store import Store
from nbflow.types import JsonValue

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Result:
    """How an attempt ended, and what the task put out."""

    state: State
    outputs: Mapping[str, JsonValue] = field(default_factory=dict)


async def attempt(task: RunnableTask, renderer: Renderer, ctx: TaskContext, store: Store) -> Result:
    """Render the task's properties, run it, and say how it ended.

    Raises: asyncio.CancelledError alone, when the execution is killed or its engine stops.
    """
    try:
        rendered = await renderer.amodel(task)
    except (TemplateError, ValueError) as error:
        ctx.log.error("a property cannot be rendered: %s", error)
        return Result(State.FAILED)
    timeout = rendered.timeout_after
    largest = store.settings.max_output_bytes
    limit = asyncio.timeout(timeout.total_seconds() if timeout is not None else None)
    try:
        async with limit:
            memory = await memory_of(task, rendered, renderer, ctx, store)
            known = await memory.recall() if memory is not None else None
            if known is not None:
                return Result(State.SUCCESS, known)
            output = await rendered.run(ctx)
        outputs = output.to_json()
        check_size(outputs, largest)
        if memory is not None and output._final_state is State.SUCCESS:
            await memory.keep(outputs)
        return Result(output._final_state, outputs)
    except TimeoutError as error:
        if limit.expired() and timeout is not None:
            ctx.log.error("the attempt was ended: it took longer than its timeout of %s", format_duration(timeout))
        else:
            ctx.log.error(_describe(error))
        return Result(State.FAILED)
    except TaskFailedError as error:
        ctx.log.error(str(error))
        return Result(State.FAILED, _outputs_of(error, largest, ctx))
    except NbflowError as error:
        ctx.log.error(str(error))
        return Result(State.FAILED)
    except Exception as error:  # whatever a plugin raises is the outcome of the attempt
        ctx.log.error(_describe(error))
        _log.debug("task %s failed", ctx.task_id, exc_info=error, extra={"action": "attempt_failed"})
        return Result(State.FAILED)
    finally:
        if ctx.has_own_dir:
            await asyncio.shield(asyncio.to_thread(ctx.close))


def _outputs_of(error: TaskFailedError, largest: int, ctx: TaskContext) -> Mapping[str, JsonValue]:
    """What a task put out before it failed; nothing when that is too much."""
    outputs: Mapping[str, JsonValue] = error.outputs  # type: ignore[assignment]  # JSON values by contract of the error
    try:
        check_size(outputs, largest)
    except TaskFailedError as too_much:
        ctx.log.error(str(too_much))
        return {}
    return outputs


def _describe(error: Exception) -> str:
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
