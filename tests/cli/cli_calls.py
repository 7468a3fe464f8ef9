"""How tests call the command line: in this process, or as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HELLO = """\
id: hello
namespace: company.team
description: Greets.
inputs:
  - id: name
    type: STRING
    defaults: World
tasks:
  - id: greet
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

FAILING = """\
id: failing
namespace: company.team
tasks:
  - id: broken
    type: io.kestra.plugin.core.execution.Fail
    errorMessage: it is broken
"""

SLEEPER = """\
id: sleeper
namespace: company.team
tasks:
  - id: nap
    type: io.kestra.plugin.core.flow.Sleep
    duration: PT60S
"""

BROKEN = """\
id: broken
namespace: company.team
tasks:
  - id: greet
    type: io.kestra.plugin.core.log.Lob
    message: hello
"""


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # Any: whatever the command printed
        return json.loads(self.out)


Nbflow = Callable[..., Done]


def command(*arguments: str) -> list[str]:
    """The command line as a process."""
    return [sys.executable, "-m", "nbflow.cli.main", *arguments]


def environment(home: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "NBFLOW_HOME": str(home), "PYTHONUNBUFFERED": "1", **more}


def run_process(home: Path, arguments: Sequence[str], stdin: str = "", **more: str) -> Done:
    """Run the command line to its end."""
    done = subprocess.run(
        command(*arguments),
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        env=environment(home, **more),
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)
