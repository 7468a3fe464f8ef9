"""What `http()` in an expression does: one request, made as the HTTP tasks make theirs."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import cast

from pydantic import ValidationError

from nbflow.errors import TaskFailedError, TemplateError
from nbflow.plugins import RunContext
from nbflow.tasks.http.exchange import HttpTask

_log = logging.getLogger(__name__)


def fetch(uri: str, method: str, options: Mapping[str, object]) -> object:
    """The body of an answer: JSON parsed, anything else as text. Blocks until it is there.

    `options` may hold `query`, `body`, `content_type`, `headers`, `accept`, and as `options` what the HTTP tasks take
    under that name. Raises: TemplateError when there is no answer, or one that is a failure.
    """
    headers = dict(cast("Mapping[str, object]", options.get("headers") or {}))
    if "accept" in options:
        headers["Accept"] = options["accept"]
    given = {
        "id": "http",
        "uri": uri,
        "method": method,
        "params": options.get("query") or {},
        "body": options.get("body"),
        "contentType": options.get("content_type"),
        "headers": headers,
        "options": options.get("options"),
    }
    try:
        request = HttpTask.model_validate(given)
    except ValidationError as refused:
        first = refused.errors()[0]
        raise TemplateError(f"`http` cannot use {'.'.join(map(str, first['loc']))}: {first['msg']}") from refused
    # An event loop of its own: whoever renders may be on the engine's.
    with ThreadPoolExecutor(1, "nbflow-http") as thread:
        try:
            return thread.submit(asyncio.run, _exchange(request)).result()
        except TaskFailedError as failed:
            raise TemplateError(f"`http` failed: {failed.message}", hint=failed.hint) from failed


async def _exchange(request: HttpTask) -> object:
    context = cast("RunContext", SimpleNamespace(log=_log))  # all that a request without files asks of its context
    async with request.exchange(context) as response:
        await response.aread()
        text: str = response.text
    try:
        return json.loads(text)
    except ValueError:
        return text
