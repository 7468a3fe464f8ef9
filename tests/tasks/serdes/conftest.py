"""What tests of conversions share: a task run on a stored file, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from nbflow.plugins import RunnableTask
from nbflow.testing import TaskResult, run_task


@dataclass(frozen=True)
class Converted:
    """How a conversion ended; `content` is the new file."""

    result: TaskResult
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()

    @property
    def rows(self) -> list[object]:
        return [json.loads(line) for line in self.content.splitlines()]

    @property
    def error(self) -> str:
        assert self.result.state == "FAILED"
        return self.result.messages[-1]


def convert(kind: type[RunnableTask], content: bytes | str, **properties: object) -> Converted:
    """Run a conversion of this file."""
    raw = content.encode() if isinstance(content, str) else content
    task = kind.model_validate({"id": "convert", "from": "{{ vars.files['in'] }}", **properties})
    result = run_task(task, files={"in": raw})
    uri = result.outputs.get("uri")
    return Converted(result, result.files[uri] if isinstance(uri, str) else b"")


def lines(*records: Mapping[str, object] | list[object]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)
