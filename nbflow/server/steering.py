"""Moving executions on over REST: pause, resume, restart, replay, a state set by hand, force-run, deletion, bulk."""

from __future__ import annotations

import asyncio
import json

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from nbflow.engine import Engine, Execution
from nbflow.errors import BulkError
from nbflow.server.errors import RequestError
from nbflow.server.handler import ApiHandler
from nbflow.types import JsonValue


class Act(ApiHandler):
    """`POST /executions/{id}/actions/{action}`, and the older `/executions/{id}/{action}`."""

    @authenticated
    @authorized
    async def post(self, execution_id: str, action: str) -> None:
        engine = await self.engine()
        execution = await self._act(engine, execution_id, action)
        self.answer(await asyncio.to_thread(execution.to_dict))

    async def _act(self, engine: Engine, execution_id: str, action: str) -> Execution:
        match action:
            case "pause":
                return await engine.apause(execution_id)
            case "resume":
                return await engine.aresume(execution_id, self._form())
            case "restart":
                return await engine.arestart(execution_id, revision=self.query_int("revision"))
            case "force-run":
                return await engine.aforce_run(execution_id)
            case "state":
                return await engine.achange_state(execution_id, *self._state_body())
            case _:
                inputs = self._form() if action == "replay-with-inputs" else None
                task_run_id, revision = self.query("taskRunId"), self.query_int("revision")
                return await engine.areplay(execution_id, task_run_id, revision=revision, inputs=inputs)

    def _form(self) -> dict[str, object]:
        """The inputs of a form."""
        return {name: values[-1].decode("utf-8", "replace") for name, values in self.request.body_arguments.items()}

    def _state_body(self) -> tuple[str, str]:
        try:
            body = json.loads(self.body_text())
            return str(body["taskRunId"]), str(body["state"])
        except (ValueError, LookupError, TypeError):
            raise RequestError("the body must be JSON with `taskRunId` and `state`", path="state") from None


class Bulk(ApiHandler):
    """`POST /executions/{action}/by-ids`, and DELETE for `kill/by-ids` and plain `by-ids`: a list of ids."""

    @authenticated
    @authorized
    async def post(self, action: str) -> None:
        await self._all(action)

    @authenticated
    @authorized
    async def delete(self, action: str = "delete") -> None:
        await self._all(action or "delete")

    async def _all(self, action: str) -> None:
        try:
            ids = json.loads(self.body_text() or "[]")
        except ValueError as cause:
            raise RequestError(f"the body is no JSON: {cause}") from cause
        if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
            raise RequestError("the body must be a list of ids")
        engine = await self.engine()
        try:
            done = await engine.abulk(action, ids)
        except BulkError as refused:
            problems: list[JsonValue] = [
                {"message": problem.message, "invalidValue": problem.path} for problem in refused.problems
            ]
            self.answer({"message": refused.message, "invalids": problems}, 400)
            return
        self.answer({"count": len(done)})
