"""The verbs of an engine about backfills: past dates of a schedule, run now."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

from nbflow.engine.loop import awaitable, blocking, in_thread
from nbflow.engine.scheduling.verbs import Timekeeping
from nbflow.engine.starting import check_labels
from nbflow.errors import ConflictError, NotFoundError
from nbflow.model.backfill import Backfill, BackfillState
from nbflow.model.labels import SYSTEM
from nbflow.scheduler.backfill import Wish
from nbflow.types import JsonValue


class Backfills(Timekeeping):
    """The verbs of an engine that deal with backfills."""

    async def _create_backfill(
        self,
        namespace: str,
        flow_id: str,
        trigger_id: str,
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        dates: Sequence[datetime] | None = None,
        inputs: Mapping[str, JsonValue] | None = None,
        labels: Mapping[str, str] | None = None,
        order: str = "oldest",
        parallelism: int = 1,
        only: str = "all",
        dry_run: bool = False,
    ) -> Backfill:
        """Run past dates of a schedule, whether it is switched on or off: those from `start` to `end`, both included.

        `end` is now unless it is said; or list the `dates`. `order` is oldest or newest, `only` is all, missing or
        failed. With `dry_run` nothing runs: `backfill_dates` then tells the dates. The scheduler of the home runs it;
        where there is none, this engine. Raises: FlowNotFoundError, NotFoundError, InputError; ConflictError when the
        flow is disabled, or another backfill of the trigger goes on.
        """
        check_labels({key: value for key, value in (labels or {}).items() if key.startswith(SYSTEM)})
        flow = await asyncio.to_thread(self._flows.get, namespace, flow_id)
        wish = Wish(start, end, dates, inputs, labels, order, parallelism, only)
        planned = await asyncio.to_thread(self._time.plan_backfill, flow, trigger_id, wish)
        if dry_run:
            return planned
        if flow.disabled or flow.draft:
            state = "disabled" if flow.disabled else "a draft"
            raise ConflictError(f"the flow {flow.uid} is {state}", hint="deploy it without that to run it")
        await self._begin()
        return await asyncio.to_thread(self._time.begin_backfill, planned)

    create_backfill = blocking(_create_backfill)
    acreate_backfill = awaitable(_create_backfill)
    backfill = create_backfill
    abackfill = acreate_backfill

    def backfill_dates(self, backfill: Backfill | str, limit: int | None = None) -> list[datetime]:
        """The dates of a backfill in the order in which they run, those of a dry run too; at most `limit`.

        Raises: NotFoundError, FlowNotFoundError.
        """
        found = self.get_backfill(backfill) if isinstance(backfill, str) else backfill
        return self._time.backfill_dates(self._flows.get(found.namespace, found.flow_id), found, limit)

    abackfill_dates = in_thread(backfill_dates)

    def backfills(
        self,
        namespace: str | None = None,
        flow_id: str | None = None,
        trigger_id: str | None = None,
        *,
        going_on: bool = False,
        limit: int = 100,
    ) -> list[Backfill]:
        """Backfills with their progress, newest first; with `going_on` those that are not over."""
        return self.store.backfills.list(namespace, flow_id, trigger_id, going_on=going_on, limit=limit)

    abackfills = in_thread(backfills)

    def get_backfill(self, backfill_id: str) -> Backfill:
        """A backfill and how far it has come. Raises: NotFoundError."""
        found = self.store.backfills.get(backfill_id)
        if found is None:
            raise NotFoundError(
                f"there is no backfill `{backfill_id}`", hint="`nbflow backfill list` shows those there are"
            )
        return found

    aget_backfill = in_thread(get_backfill)

    def pause_backfill(self, backfill_id: str) -> Backfill:
        """Start no more executions of a backfill until it is resumed; those under way go on.

        Raises: NotFoundError; ConflictError when it is not running.
        """
        return self._moved(backfill_id, BackfillState.PAUSED, "pause", (BackfillState.RUNNING,))

    apause_backfill = in_thread(pause_backfill)

    async def _resume_backfill(self, backfill_id: str) -> Backfill:
        """Go on with a backfill that is paused. Raises: NotFoundError; ConflictError when it is not paused."""
        await self._begin()
        states = (BackfillState.PAUSED,)
        moved = await asyncio.to_thread(self._moved, backfill_id, BackfillState.RUNNING, "resume", states)
        if moved.owner is not None:
            self._time.go_on_with(moved)
        return moved

    resume_backfill = blocking(_resume_backfill)
    aresume_backfill = awaitable(_resume_backfill)

    def cancel_backfill(self, backfill_id: str) -> Backfill:
        """End a backfill; its executions under way go on. Raises: NotFoundError; ConflictError when it is over."""
        states = (BackfillState.RUNNING, BackfillState.PAUSED)
        return self._moved(backfill_id, BackfillState.CANCELLED, "cancel", states)

    acancel_backfill = in_thread(cancel_backfill)

    def _moved(self, backfill_id: str, state: BackfillState, verb: str, allowed: Sequence[BackfillState]) -> Backfill:
        present = self.get_backfill(backfill_id)
        if present.state not in allowed:
            raise ConflictError(f"backfill {backfill_id} is {present.state}: there is nothing to {verb}")
        owner = self._time.owner_now() if state is BackfillState.RUNNING else None
        moved = self.store.backfills.move(backfill_id, state, self._clock.now(), owner=owner)
        if moved is None:
            raise ConflictError(f"backfill {backfill_id} is over")
        self._time.look_at(backfill_id)
        return moved
