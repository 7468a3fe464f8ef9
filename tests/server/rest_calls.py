"""The flows and the calls that tests of the REST API share."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

HELLO = """\
id: hello
namespace: company.team
labels:
  team: qa
inputs:
  - id: name
    type: STRING
    defaults: World
tasks:
  - id: hello
    type: io.kestra.plugin.core.log.Log
    message: Hello {{ inputs.name }}
  - id: answer
    type: io.kestra.plugin.core.debug.Return
    format: "{{ inputs.name }}"
outputs:
  - id: greeted
    type: STRING
    value: "{{ outputs.answer.value }}"
"""

SLEEPER = """\
id: sleeper
namespace: company.team
tasks:
  - id: nap
    type: io.kestra.plugin.core.flow.Sleep
    duration: PT60S
"""


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.content)


Call = Callable[..., Awaitable[Answer]]


def multipart(**parts: str | tuple[str, bytes]) -> tuple[str, bytes]:
    """Content type and body of a form: a text part for a text, a file part for (file name, content)."""
    body = b""
    for name, value in parts.items():
        file_name, content = value if isinstance(value, tuple) else ("", value.encode())
        extra = f'; filename="{file_name}"' if file_name else ""
        body += f'--limit\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'.encode() + content + b"\r\n"
    return "multipart/form-data; boundary=limit", body + b"--limit--\r\n"
