"""Triggers and backfills of a home."""

from __future__ import annotations

from dataclasses import replace

from nbflow.cli.places import Range, Row, TriggerKey
from nbflow.engine import Engine
from nbflow.errors import ConflictError
from nbflow.model.backfill import Backfill
from nbflow.model.execution import instant

MOST_DATES = 1000


class LocalTriggers:
    """What can be asked about the triggers of a home."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self, namespace: str | None, flow_id: str | None) -> list[Row]:
        return [row.to_dict() for row in self._engine.triggers(namespace, flow_id, prefix=flow_id is None)]

    def get(self, key: TriggerKey) -> Row:
        return self._engine.trigger(*key).to_dict()

    def switch(self, key: TriggerKey, *, disabled: bool) -> Row:
        return self._engine.set_trigger(*key, disabled=disabled).to_dict()

    def unlock(self, key: TriggerKey) -> Row:
        return self._engine.unlock_trigger(*key).to_dict()

    def restart(self, key: TriggerKey) -> Row:
        return self._engine.restart_trigger(*key).to_dict()

    def delete(self, key: TriggerKey) -> None:
        self._engine.delete_trigger(*key)


class LocalBackfills:
    """What can be asked about the backfills of a home. The scheduler of the home runs them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self, namespace: str | None, flow_id: str | None, *, going_on: bool) -> list[Row]:
        return [one.to_dict() for one in self._engine.backfills(namespace, flow_id, going_on=going_on)]

    def create(self, key: TriggerKey, wish: Range, *, dry_run: bool) -> tuple[Row, list[str]]:
        made = self._engine.create_backfill(
            *key,
            wish.start,
            wish.end,
            dates=wish.dates,
            inputs=dict(wish.inputs),
            labels=dict(wish.labels),
            order=wish.order,
            parallelism=wish.parallelism,
            only=wish.only,
            dry_run=dry_run,
        )
        dates = self._engine.backfill_dates(made, MOST_DATES) if dry_run else []
        return made.to_dict(), [instant(date) for date in dates]

    def move(self, which: str | TriggerKey, verb: str) -> Row:
        found = self._found(which)
        move = {
            "pause": self._engine.pause_backfill,
            "resume": self._engine.resume_backfill,
            "cancel": self._engine.cancel_backfill,
        }[verb]
        return move(found.id).to_dict()

    def get(self, which: str | TriggerKey) -> Row:
        return self._found(which).to_dict()

    def _found(self, which: str | TriggerKey) -> Backfill:
        if isinstance(which, str):
            return self._engine.get_backfill(which)
        going_on = self._engine.backfills(*which, going_on=True, limit=1)
        if not going_on:
            raise ConflictError(f"no backfill of the trigger {which[2]} of {which[0]}.{which[1]} goes on")
        return replace(going_on[0])
