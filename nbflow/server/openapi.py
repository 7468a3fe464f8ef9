"""The OpenAPI document of the REST API, read from the routes and the handlers themselves, so that it is never stale.

A handler's method says by its code what it takes: `self.query("q")`, `self.needed("path")`, `read_body(Model, …)`,
`read_page(…)`. That code is read, never run.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from nbflow import __version__
from nbflow.server.handler import ApiHandler
from nbflow.server.rights import ACTIONS, Right, may, right_of, serves

Json = dict[str, Any]  # Any: a document of many shapes

METHODS = ("get", "post", "put", "delete")
_TYPES = {
    "query": "string",
    "query_list": "string",
    "query_int": "integer",
    "query_flag": "boolean",
    "needed": "string",
}
_SEARCHES = {"read_filter", "read_conditions", "read_asked"}
_ERRORS = {
    "400": "The request lacks something, or cannot be read.",
    "401": "No credentials, or wrong ones.",
    "403": "Not allowed.",
    "404": "There is no such thing.",
    "405": "Not with this method.",
    "409": "Not in the present state of things.",
    "410": "It has expired.",
    "413": "The body is too long.",
    "415": "The body is of a kind that is not taken.",
    "422": "What was sent is not valid.",
    "429": "Too many requests.",
}


class ErrorPart(BaseModel):
    """One thing that is wrong."""

    message: str
    path: str = ""


class Errors(BaseModel):
    """All that is wrong."""

    errors: list[ErrorPart]


class Error(BaseModel):
    """What is said when a request fails, in the words of every generation of clients."""

    message: str = Field(description="What is wrong, in one text.")
    title: str
    status: int
    type: str = "about:blank"
    detail: str = ""
    code: str = Field(default="", description="A stable name of the kind of error.")
    embedded: Errors | None = Field(default=None, alias="_embedded")
    invalids: list[dict[str, Any]] | None = None


@dataclass
class Taken:
    """What a method takes, as its code says."""

    query: dict[str, str] = field(default_factory=dict)
    needed: set[str] = field(default_factory=set)
    body: type[BaseModel] | None = None
    is_list: bool = False
    has_text: bool = False
    has_pages: bool = False
    has_filters: bool = False
    kinds: set[str] = field(default_factory=set)


class OpenApi(ApiHandler):
    """`GET /openapi.json`: this API, described for programs."""

    @may(Right.VIEW)
    async def get(self) -> None:
        self.answer(document())


@cache
def document() -> Json:
    """The document, version 3.1."""
    from nbflow.server.routing import ROUTES  # the routes know this module's handler

    operations = [
        (path, method, handler, _taken(handler, method))
        for pattern, handler in ROUTES
        for path in _paths(pattern)
        for method in METHODS
        if serves(getattr(handler, method, None), re.compile(pattern).groups)
    ]
    models = sorted(
        {taken.body for *_, taken in operations if taken.body is not None} | {Error}, key=lambda one: one.__name__
    )
    _, schemas = models_json_schema(
        [(model, "validation") for model in models], by_alias=True, ref_template="#/components/schemas/{model}"
    )
    paths: Json = {}
    for path, method, handler, taken in operations:
        paths.setdefault(f"/api/v1/{path}", {})[method] = _operation(path, method, handler, taken)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "nbflow",
            "version": __version__,
            "description": "The API that Kestra's clients know. `/api/v1/main/…` is the same as `/api/v1/…`.",
        },
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
        "security": [{"basic": []}, {"bearer": []}],
    }


def _paths(pattern: str) -> Iterator[str]:
    """The paths of a route: `{1}` for what varies; each choice of words is a path of its own."""
    if ".*" in pattern:
        return
    pattern = (
        pattern.replace("(?:actions/)?", "actions/").replace("(?:/(.+))?", "").replace("[0-9A-Za-z]{16,}", "[^/]+")
    )
    for optional in ("", "/([^/]+)"):
        whole = pattern.replace("(?:/([^/]+))?", optional)
        yield from _spelled(whole)
        if whole == pattern:
            return


def _spelled(pattern: str) -> Iterator[str]:
    found = re.search(r"\((?:\?:)?([\w-]+(?:\|[\w-]+)*)\)", pattern)
    if found is not None:
        for word in found[1].split("|"):
            yield from _spelled(pattern[: found.start()] + word + pattern[found.end() :])
        return
    count = 0

    def number(_: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return f"{{{count}}}"

    path = re.sub(r"\(\[\^/\]\+\)", number, pattern).replace("(?:/groups)?", "")
    if not set("()[]?*|") & set(path):
        yield path


def _operation(path: str, method: str, handler: type[ApiHandler], taken: Taken) -> Json:
    right = right_of(getattr(handler, method)) or Right.VIEW
    first, _, rest = inspect.cleandoc(handler.__doc__ or "").partition("\n")
    found: Json = {
        "operationId": re.sub(r"\W+", "_", f"{method}_{path}").strip("_"),
        "summary": first,
        "tags": [path.partition("/")[0]],
        "parameters": [*_in_path(path), *_in_query(taken)],
        "responses": _responses(taken),
        "x-right": str(right),
    }
    if rest.strip():
        found["description"] = rest.strip()
    if right is Right.OPEN:
        found["security"] = []
    elif right in ACTIONS:
        found["x-authorizer"] = dict(zip(("action", "resource"), ACTIONS[right], strict=True))
    body = _body(handler, taken) if method in ("post", "put", "delete") else None
    if body is not None:
        found["requestBody"] = {"required": taken.body is not None, "content": body}
    return found


def _in_path(path: str) -> list[Json]:
    numbers = re.findall(r"\{(\d+)\}", path)
    return [
        {"name": number, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for number in numbers
    ]


def _in_query(taken: Taken) -> list[Json]:
    found: list[Json] = [
        {"name": name, "in": "query", "required": name in taken.needed, "schema": {"type": kind}}
        for name, kind in sorted(taken.query.items())
    ]
    if taken.has_pages:
        for name, most in (("page", None), ("size", 1000)):
            limits = {} if most is None else {"maximum": most}
            found.append({"name": name, "in": "query", "schema": {"type": "integer", "minimum": 1, **limits}})
        sort = {"type": "array", "items": {"type": "string", "pattern": "^[A-Za-z.]+:(asc|desc)$"}}
        found.append({"name": "sort", "in": "query", "schema": sort})
    if taken.has_filters:
        found.append(
            {
                "name": "filters",
                "in": "query",
                "style": "deepObject",
                "description": "`filters[field][OPERATION]=value`; groups: `filters[or][0][field][OPERATION]=value`.",
                "schema": {"type": "object", "additionalProperties": {"type": "object"}},
            }
        )
    return found


def _responses(taken: Taken) -> Json:
    error = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
    kinds: Json = {
        "answer_text": {"text/plain": {}, "text/csv": {}},
        "answer_file": {"application/octet-stream": {}},
        "send_stored": {"application/octet-stream": {}},
        "event": {"text/event-stream": {}},
    }
    content: Json = {"application/json": {}}
    for kind in taken.kinds & set(kinds):
        content |= kinds[kind]
    found: Json = {"200": {"description": "Done.", "content": content}}
    found["204"] = {"description": "Done; there is nothing to say."}
    found["302"] = {"description": "It is elsewhere."}
    return found | {status: {"description": text, **error} for status, text in _ERRORS.items()}


def _body(handler: type[ApiHandler], taken: Taken) -> Json | None:
    content: Json = {}
    if taken.body is not None:
        schema: Json = {"$ref": f"#/components/schemas/{taken.body.__name__}"}
        content["application/json"] = {"schema": {"type": "array", "items": schema} if taken.is_list else schema}
    if taken.has_text:
        content |= {kind: {"schema": {"type": "string"}} for kind in ("application/x-yaml", "text/plain")}
    if handler.takes_uploads:
        content["multipart/form-data"] = {"schema": {"type": "object", "additionalProperties": {"type": "string"}}}
    return content or None


def _taken(handler: type[ApiHandler], method: str) -> Taken:
    """What a method takes, and what the methods of the same handler take that it calls."""
    known = _methods(handler)
    taken, seen, waiting = Taken(), {method}, [method]
    while waiting:
        name = waiting.pop()
        if name not in known:
            continue
        node, module = known[name]
        for call in (inner for inner in ast.walk(node) if isinstance(inner, ast.Call)):
            _note(call, module, taken)
        for inner in ast.walk(node):
            if isinstance(inner, ast.Attribute) and inner.attr in known and inner.attr not in seen:
                seen.add(inner.attr)
                waiting.append(inner.attr)
    return taken


def _note(call: ast.Call, module: str, taken: Taken) -> None:
    function = call.func
    name = (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )
    first = call.args[0] if call.args else None
    text = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
    if name in _TYPES and text is not None:
        taken.query[text] = _TYPES[name]
        if name == "needed":
            taken.needed.add(text)
    elif name in ("read_body", "read_list") and isinstance(first, ast.Name):
        model = getattr(sys.modules[module], first.id, None)
        if isinstance(model, type) and issubclass(model, BaseModel):
            taken.body, taken.is_list = model, name == "read_list"
    elif name in ("body_text", "body_json"):
        taken.has_text = True
    elif name == "read_page":
        taken.has_pages = True
    elif name in _SEARCHES:
        taken.has_filters = True
    taken.kinds.add(name)


def _methods(handler: type[ApiHandler]) -> dict[str, tuple[ast.AST, str]]:
    """The methods of a handler and of those it goes by, each with the module that it is written in."""
    found: dict[str, tuple[ast.AST, str]] = {}
    for cls in handler.__mro__:
        if cls is ApiHandler:
            break
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
        for node in tree.body if isinstance(tree, ast.ClassDef) else ():
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found.setdefault(node.name, (node, cls.__module__))
    return found
