"""Triggers and backfills of a server."""

from __future__ import annotations

from nbflow.cli.options import UsageError
from nbflow.cli.places import Range, Row, TriggerKey
from nbflow.cli.remote.client import Client
from nbflow.errors import NotFoundError


class RemoteTriggers:
    """What can be asked about the triggers of a server."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def all(self, namespace: str | None, flow_id: str | None) -> list[Row]:
        params = {
            f"filters[namespace][{'PREFIX' if flow_id is None else 'EQUALS'}]": namespace,
            "filters[flowId][EQUALS]": flow_id,
        }
        return [row["state"] for row in self._client.every("triggers", "search", params=params)]

    def get(self, key: TriggerKey) -> Row:
        namespace, flow_id, trigger_id = key
        for row in self._client.every("triggers", namespace, flow_id):
            if row["triggerId"] == trigger_id:
                return dict(row)
        raise NotFoundError(f"{namespace}.{flow_id} has no trigger `{trigger_id}`")

    def switch(self, key: TriggerKey, *, disabled: bool) -> Row:
        return dict(self._client.ask("PUT", "triggers", "set-disabled", json={**named(key), "disabled": disabled}))

    def unlock(self, key: TriggerKey) -> Row:
        return dict(self._client.ask("POST", "triggers", *key, "unlock"))

    def restart(self, key: TriggerKey) -> Row:
        return dict(self._client.ask("POST", "triggers", *key, "restart"))

    def delete(self, key: TriggerKey) -> None:
        self._client.ask("DELETE", "triggers", *key)


class RemoteBackfills:
    """What can be asked about the backfills of a server."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def all(self, namespace: str | None, flow_id: str | None, *, going_on: bool) -> list[Row]:
        params = {"namespace": namespace, "flowId": flow_id, "goingOn": "true" if going_on else None}
        return list(self._client.ask("GET", "backfills", params=params)["results"])

    def create(self, key: TriggerKey, wish: Range, *, dry_run: bool) -> tuple[Row, list[str]]:
        asked = {
            "start": None if wish.start is None else wish.start.isoformat(),
            "end": None if wish.end is None else wish.end.isoformat(),
            "dates": None if wish.dates is None else [date.isoformat() for date in wish.dates],
            "inputs": dict(wish.inputs),
            "labels": [{"key": name, "value": value} for name, value in wish.labels.items()],
            "order": wish.order,
            "parallelism": wish.parallelism,
            "only": wish.only,
            "dryRun": dry_run,
        }
        backfill = {name: value for name, value in asked.items() if value is not None}
        row = self._client.ask("PUT", "triggers", "backfill", "create", json={**named(key), "backfill": backfill})
        return dict(row["backfill"]), list(row.get("dates") or ())

    def move(self, which: str | TriggerKey, verb: str) -> Row:
        found = self.get(which)
        body = {name: found[name] for name in ("namespace", "flowId", "triggerId")}
        method, action = {"pause": ("PUT", "pause"), "resume": ("PUT", "unpause"), "cancel": ("POST", "delete")}[verb]
        self._client.ask(method, "triggers", "backfill", action, json=body)
        return self.get(found["id"])

    def get(self, which: str | TriggerKey) -> Row:
        for one in self.all(None, None, going_on=False):
            if one["id"] == which or (one["namespace"], one["flowId"], one["triggerId"]) == which:
                return one
        raise UsageError(f"there is no backfill of `{which if isinstance(which, str) else '/'.join(which)}`")


def named(key: TriggerKey) -> Row:
    """A trigger as the server wants it named."""
    namespace, flow_id, trigger_id = key
    return {"namespace": namespace, "flowId": flow_id, "triggerId": trigger_id}
