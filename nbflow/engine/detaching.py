"""Handing a run to an engine that stays: a server of the home takes it, whatever becomes of this process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from nbflow.engine.handle import Execution
from nbflow.engine.loop import awaitable, blocking
from nbflow.engine.scheduling.backfill_verbs import Backfills
from nbflow.engine.starting import check_labels, new_execution
from nbflow.errors import ConflictError
from nbflow.model import execution as records
from nbflow.model.flow import Flow
from nbflow.settings import Settings


class Detaching(Backfills):
    """The verb of an engine that runs a flow elsewhere."""

    settings: Settings

    async def _run_detached(
        self,
        namespace: str,
        flow_id: str,
        inputs: Mapping[str, object] | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        revision: int | None = None,
    ) -> Execution:
        """Leave a new execution to a server of the home, `nbflow server` or JupyterLab; it outlives this process.

        Raises: ConflictError when none runs, or the flow is disabled; nothing is started then. FlowNotFoundError,
        InputError.
        """
        check_labels(labels or {})
        flow: Flow = await asyncio.to_thread(self._flows.get, namespace, flow_id, revision)
        if flow.disabled or flow.draft:
            state = "disabled" if flow.disabled else "a draft"
            raise ConflictError(f"the flow {flow.uid} is {state}", hint="deploy it without that to run it")
        status = await asyncio.to_thread(self.scheduler_status)
        if not status.is_running:
            raise ConflictError(
                f"no server runs on {self.settings.home} that could take the run",
                hint="start one in a terminal, `nbflow server`, or open JupyterLab on this home",
            )
        start = await asyncio.to_thread(new_execution, flow, inputs or {}, labels or {}, self.store, self._clock)
        record: records.Execution = await self._owned.hand_out(start)
        return self._handle(record)

    run_detached = blocking(_run_detached)
    arun_detached = awaitable(_run_detached)
