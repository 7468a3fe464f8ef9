"""Moving one execution on over REST: pause, resume, restart, replay, force-run, unqueue; labels and states by hand."""

from __future__ import annotations

import asyncio

from nbflow.engine import Engine, Execution
from nbflow.errors import ConflictError, NbflowError
from nbflow.model.inputs import Input
from nbflow.model.state import State
from nbflow.server.errors import RequestError, encode
from nbflow.server.handler import ApiHandler, read_body
from nbflow.server.multipart import form_inputs, is_json, read_start
from nbflow.server.requests import Label, StateOfTaskRun, read_list
from nbflow.server.rights import Right, may
from nbflow.types import JsonValue


class Act(ApiHandler):
    """`POST /executions/{id}/actions/{action}`, and the older `/executions/{id}/{action}`."""

    takes_uploads = True

    @may(Right.RUN)
    async def post(self, execution_id: str, action: str) -> None:
        engine = await self.engine()
        execution = await self._act(engine, execution_id, action)
        self.answer(await asyncio.to_thread(execution.to_dict))

    async def _act(self, engine: Engine, execution_id: str, action: str) -> Execution:
        match action:
            case "pause":
                return await engine.apause(execution_id)
            case "resume":
                return await engine.aresume(execution_id, await answers(self, engine, execution_id))
            case "restart":
                return await restart(engine, execution_id, self.query_int("revision"))
            case "force-run":
                return await engine.aforce_run(execution_id)
            case "unqueue":
                return await unqueue(engine, execution_id, self.query("state"))
            case "state":
                wanted = read_body(StateOfTaskRun, self.request.body)
                return await engine.achange_state(execution_id, wanted.task_run_id, wanted.state)
            case _:
                inputs = await self._new_inputs(engine, execution_id) if action == "replay-with-inputs" else None
                return await engine.areplay(
                    execution_id, self.query("taskRunId"), revision=self.query_int("revision"), inputs=inputs
                )

    async def _new_inputs(self, engine: Engine, execution_id: str) -> dict[str, object] | None:
        """The inputs to replay with; None, those of the old one, when none are given."""
        record = await asyncio.to_thread(engine.record, execution_id)
        flow = await engine.aflow(record.namespace, record.flow_id, self.query_int("revision") or record.flow_revision)
        given: dict[str, object] = dict(read_start(self.request).inputs) if is_json(self.request) else {}
        given.update(form_inputs(flow.inputs, self.form, given, flow.uid))
        return given or None


async def answers(handler: ApiHandler, engine: Engine, execution_id: str) -> dict[str, object]:
    """What a form or JSON says to the inputs that a paused execution asks for; all of it where it asks for nothing."""
    asked = await asyncio.to_thread(_asked_by_pause, engine, execution_id)
    given: dict[str, object] = dict(read_start(handler.request).inputs) if is_json(handler.request) else {}
    given.update(form_inputs(asked, handler.form, given, "the pause"))
    undeclared = {name for name in handler.form.texts if name not in {one.id for one in asked}}
    return given | {name: handler.form.texts[name][-1].decode("utf-8", "replace") for name in undeclared}


def _asked_by_pause(engine: Engine, execution_id: str) -> list[Input]:
    record = engine.record(execution_id)
    paused = next((run for run in engine.task_runs_of(execution_id) if run.state is State.PAUSED), None)
    if paused is None:
        return []
    flow = engine.flow(record.namespace, record.flow_id, record.flow_revision)
    task = next((task for task in flow.all_tasks() if task.id == paused.task_id), None)
    asked: list[Input] = getattr(task, "on_resume", None) or []
    return asked


async def restart(engine: Engine, execution_id: str, revision: int | None) -> Execution:
    """Go on with a failed execution; in another revision, as a new execution from the task that failed first."""
    if revision is None:
        return await engine.arestart(execution_id)
    old = await engine.aexecution(execution_id)
    if not old.record.state.is_terminal:
        raise ConflictError(f"execution {execution_id} is {old.record.state}: nobody can restart it now")
    failed = next((run for run in old.task_runs if run.state.is_failure and run.attempts), None)
    return await engine.areplay(execution_id, failed.id if failed is not None else None, revision=revision)


async def unqueue(engine: Engine, execution_id: str, state: str | None) -> Execution:
    """Let an execution that is queued run, or end without having run. Raises: ConflictError, RequestError."""
    wanted = (state or "RUNNING").upper()
    if wanted == "RUNNING":
        return await engine.aforce_run(execution_id)
    if wanted not in ("KILLED", "CANCELLED", "FAILED"):
        raise RequestError(f"`state` must be RUNNING, CANCELLED, FAILED or KILLED, got `{state}`", path="state")
    record = await asyncio.to_thread(engine.record, execution_id)
    if record.state is not State.QUEUED:
        raise ConflictError(f"execution {execution_id} is {record.state}, not QUEUED")
    await engine.akill(execution_id)
    ended = await engine.await_(execution_id)
    return ended if ended.state == wanted else await engine.achange_status(execution_id, wanted)


class CheckAnswers(ApiHandler):
    """`POST /executions/{id}/actions/resume/validate`: what would become of the inputs to resume with."""

    takes_uploads = True

    @may(Right.VIEW)
    async def post(self, execution_id: str) -> None:
        engine = await self.engine()
        record = await asyncio.to_thread(engine.record, execution_id)
        if record.state is not State.PAUSED:
            raise ConflictError(f"execution {execution_id} is {record.state}: there is nothing to resume")
        asked = await asyncio.to_thread(_asked_by_pause, engine, execution_id)
        given = await answers(self, engine, execution_id)
        flow = await engine.aflow(record.namespace, record.flow_id, record.flow_revision)
        checked = flow.model_copy(update={"inputs": asked})
        inputs = await engine.atry_inputs(checked, given)
        self.answer({"id": record.id, "namespace": record.namespace, "inputs": inputs, "checks": []})


class ChangeStatus(ApiHandler):
    """`POST /executions/{id}/actions/change-status?status=`: an execution that has ended is taken to have ended so."""

    @may(Right.RUN)
    async def post(self, execution_id: str) -> None:
        engine = await self.engine()
        execution = await engine.achange_status(execution_id, self.needed("status"))
        self.answer(await asyncio.to_thread(execution.to_dict))


class SetLabels(ApiHandler):
    """`POST /executions/{id}/actions/labels`: labels of an execution that has ended."""

    @may(Right.EDIT)
    async def post(self, execution_id: str) -> None:
        labels = label_map(read_list(Label, self.request.body))
        engine = await self.engine()
        record = await asyncio.to_thread(engine.record, execution_id)
        if not record.state.is_terminal:
            raise RequestError(
                f"execution {execution_id} is {record.state}: it can have labels once it ended", status=400
            )
        execution = await engine.aset_labels(execution_id, labels)
        self.answer(await asyncio.to_thread(execution.to_dict))


def label_map(labels: list[Label]) -> dict[str, str]:
    """Labels by their keys. Raises: RequestError for a key that is there twice."""
    found = {label.key: label.value for label in labels}
    if len(found) < len(labels):
        raise RequestError("a label is there twice", path="labels")
    return found


class Evaluate(ApiHandler):
    """`POST /executions/{id}/actions/eval`, and with a task run: what an expression comes to in an execution."""

    @may(Right.VIEW)
    async def post(self, execution_id: str, task_run_id: str | None = None) -> None:
        engine = await self.engine()
        text = self.body_text()
        await engine.aexecution(execution_id)
        try:
            result = await engine.arender(text, execution_id, task=task_run_id)
        except NbflowError as error:
            if not error.code.startswith("template"):
                raise
            failure: dict[str, JsonValue] = {"error": str(error), "stackTrace": ""}
            self.answer(failure)
            return
        self.finish(encode({"result": result}))
