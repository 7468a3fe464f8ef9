"""Who may do what: Jupyter's Authorizer decides, and the audit trail remembers."""

from __future__ import annotations

import base64
import runpy
from pathlib import Path

import pytest
from jupyter_server.serverapp import ServerApp

from nbflow.engine import Engine
from nbflow.server.handler import ApiHandler
from nbflow.server.rights import ACTIONS, Right, right_of
from nbflow.server.routing import ROUTES
from tests.server.rest_calls import HELLO, Call

ROLES = Path(__file__).parents[2] / "notebooks" / "operations" / "roles.py"
NAMES = {"viewer": "eve", "operator": "ada", "editor": "grace", "administrator": "root"}


ASKED = [
    ("GET", "api/v1/flows/search", "", "viewer"),
    ("POST", "api/v1/flows/validate", HELLO, "viewer"),
    ("POST", "api/v1/executions/company.team/hello", "", "operator"),
    ("POST", "api/v1/executions/restart/by-ids", "[]", "operator"),
    ("DELETE", "api/v1/executions/kill/by-ids", "[]", "operator"),
    ("PUT", "api/v1/flows/company.team/hello", HELLO, "editor"),
    ("PUT", "api/v1/namespaces/company.team/kv/a", "1", "editor"),
    ("DELETE", "api/v1/executions/by-ids", "[]", "administrator"),
    ("PUT", "api/v1/namespaces/company.team/secrets", '{"key": "A", "value": "b"}', "administrator"),
    ("GET", "api/v1/audit", "", "administrator"),
]
RANKS = ["viewer", "operator", "editor", "administrator"]


@pytest.mark.parametrize("role", RANKS)
async def test_each_role_may_do_what_it_is_for(jp_serverapp: ServerApp, call: Call, hello: str, role: str) -> None:
    """With the Authorizer of the documentation."""
    provider, token = jp_serverapp.identity_provider, jp_serverapp.identity_provider.token
    jp_serverapp.web_app.settings["authorizer"] = runpy.run_path(str(ROLES))["ThreeRoles"](
        identity_provider=provider, operators=["ada"], editors=["grace"], administrators=["root"]
    )
    headers = {"Authorization": "Basic " + base64.b64encode(f"{NAMES[role]}:{token}".encode()).decode()}
    for method, path, body, needed in ASKED:
        answer = await call(method, path, body, headers=headers, is_known=False)
        is_allowed = RANKS.index(role) >= RANKS.index(needed)
        assert (answer.status == 200) is is_allowed, (method, path, answer.body)
        if not is_allowed:
            assert answer.status == 403
            assert "may not" in answer.body["message"]


def test_every_method_says_which_right_it_needs() -> None:
    for path, handler in ROUTES:
        for method in ("get", "post", "put", "patch", "delete"):
            own = getattr(handler, method, None)
            if own is not getattr(ApiHandler, method):
                assert right_of(own) in (*ACTIONS, Right.OPEN), f"{method} {path}"


def test_only_webhooks_are_open() -> None:
    is_open = {
        path
        for path, handler in ROUTES
        for method in ("get", "post", "put", "delete")
        if right_of(getattr(handler, method, None)) is Right.OPEN
    }
    assert all("webhook" in path for path in is_open)


async def test_the_audit_trail_says_who_did_what(call: Call, engine: Engine) -> None:
    await call("POST", "api/v1/flows", HELLO, headers={"Content-Type": "application/x-yaml"})
    started = await call("POST", "api/v1/executions/company.team/hello", "")
    await call("GET", "api/v1/flows/search")
    await call("PUT", "api/v1/namespaces/company.team/secrets", '{"key": "A", "value": "hidden"}')
    await call("DELETE", "api/v1/flows/company.team/nothing")
    answer = await call("GET", "api/v1/audit")
    did = [(entry["action"], entry["what"]) for entry in answer.body["results"]]
    assert did == [
        ("PUT", "namespaces/company.team/secrets/A"),
        ("POST", f"executions/company.team/hello/{started.body['id']}"),
        ("POST", "flows/company.team/hello"),
    ]
    assert answer.body["total"] == 3
    assert all(entry["who"] for entry in answer.body["results"])
    assert "hidden" not in answer.content.decode()
