"""Triggers that run a script or commands now and then, and start the flow when these end as wished.

With `edge`, the default, only a change counts: from ends that do not fit to one that does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from textwrap import dedent, indent

from pydantic import Field

from nbflow import regexes
from nbflow.errors import TaskFailedError, TemplateError
from nbflow.plugins import (
    Dynamic,
    Example,
    Found,
    PollingTrigger,
    RunContext,
    RunnerField,
    Task,
    Text,
    Trigger,
    registry,
    trigger_type,
)
from nbflow.tasks.scripts.script import ScriptTask
from nbflow.tasks.scripts.settings import NamespaceFiles
from nbflow.types import JsonValue

OTHERS = "python node r ruby go julia perl php powershell lua groovy jbang bun deno dotnet"
"""Languages whose triggers have no properties of their own."""
_PACKAGE = "io.kestra.plugin.scripts"
_EXIT = re.compile(r"\s*exit\s+(\d+)\s*", re.IGNORECASE)


class EndTrigger(PollingTrigger):
    """Fires when what it runs ends as `exitCondition` says."""

    class Output(Trigger.Output):
        timestamp: datetime = Field(description="When it was run.")
        condition: Text = Field(description="The `exitCondition`.")
        exit_code: int | None = Field(default=None, description="Exit status of the process.")
        vars: dict[str, JsonValue] = Field(
            default_factory=dict, description='Values it printed as ::{"outputs": …}::; of one that failed, none.'
        )

    exit_condition: Dynamic[Text] = Field(
        description="`exit N`: the exit status is N. Anything else is a regular expression, or a part, "
        "of the values that were printed or of the message of what failed."
    )
    edge: Dynamic[bool] = Field(
        default=True, description="Whether it fires only when the look before did not end as wished."
    )
    container_image: Text | None = Field(default=None, description="Image to run it in; a process here unless said.")
    task_runner: RunnerField | None = Field(default=None, description="Where it runs; a process here unless said.")
    before_commands: list[Text] = Field(default_factory=list, description="Shell commands to run first.")
    dependencies: list[Text] = Field(default_factory=list, description="Python packages to install first.")
    env: dict[str, Text | None] = Field(default_factory=dict, description="Variables of the environment.")
    input_files: dict[str, JsonValue] | Text | None = Field(
        default=None, description="Files to find in the working directory: name → content or URI of a stored file."
    )
    namespace_files: NamespaceFiles | None = Field(default=None, description="Files of the namespace to find.")

    async def look(self, ctx: RunContext) -> Trigger.Output | Found | None:
        now, task = ctx.now(), self._task()
        status: int | None = 0
        said: dict[str, JsonValue] = {}
        failure = ""
        try:
            said = (await task.run(ctx)).vars
        except TaskFailedError as failed:
            code = (failed.outputs or {}).get("exitCode")
            if not isinstance(code, int):  # it did not run at all
                raise
            status, failure = code, str(failed)
        fits = _fits(self.exit_condition, status, said, failure)
        if not self.edge:
            return self._output(now, status, said) if fits else None
        did_fit = self._did_fit(ctx)
        if fits and not did_fit:
            return Found(self._output(now, status, said), True)
        if did_fit and not fits:
            ctx.kv.put(*self._memory(ctx), False, ctx.now())
        return None

    async def seen(self, ctx: RunContext, receipt: JsonValue) -> None:
        ctx.kv.put(*self._memory(ctx), receipt, ctx.now())

    def _output(self, now: datetime, status: int | None, said: dict[str, JsonValue]) -> Trigger.Output:
        return self.Output(timestamp=now, condition=self.exit_condition, exit_code=status, vars=said)

    def _task(self) -> ScriptTask:
        """The script task of the same language."""
        written = self.type if "." in self.type else type(self).type_name
        kind = written.removesuffix("Trigger")
        cls = registry().find(Task, kind)
        assert issubclass(cls, ScriptTask)
        own = EndTrigger.model_fields.keys() - {"exit_condition", "edge"} - PollingTrigger.model_fields.keys()
        names = [*own, *(name for name in ("script", "commands") if name in type(self).model_fields)]
        values = {name: getattr(self, name) for name in names}
        defaults = {name: field.get_default(call_default_factory=True) for name, field in cls.model_fields.items()}
        return cls.model_construct(**{**defaults, **values, "id": self.id, "type": kind})

    def _did_fit(self, ctx: RunContext) -> bool:
        kept = ctx.kv.get(*self._memory(ctx), ctx.now())
        return kept is not None and kept.value is True

    def _memory(self, ctx: RunContext) -> tuple[str, str]:
        """Namespace and key under which the last end is remembered."""
        flow = ctx.variables["flow"]
        assert isinstance(flow, Mapping)
        return str(flow["namespace"]), f"end_seen_{flow['id']}_{self.id}"


def _fits(condition: str, status: int | None, said: Mapping[str, JsonValue], failure: str) -> bool:
    """Whether what was run ended as wished."""
    wanted = _EXIT.fullmatch(condition)
    if wanted is not None:
        return status == int(wanted[1])
    told = "\n".join([*(f"{name}={_shown(value)}" for name, value in said.items()), failure]).strip()
    condition = condition.strip()
    if not told or not condition:
        return False
    try:
        return regexes.full_match(told, f"(?s).*(?:{condition}).*")
    except TemplateError:  # it is no pattern, or one that takes too long
        return condition in told


def _shown(value: JsonValue) -> str:
    return value if isinstance(value, str) else str(value)


def _names(kind: str) -> list[str]:
    return [f"{_PACKAGE}.{language}.{kind}" for language in OTHERS.split()]


def _example(kind: str, what: str) -> Example:
    head = f"""
        id: not_there
        type: {_PACKAGE}.shell.{kind}
        interval: PT10S
        exitCondition: exit 1
    """
    return Example(dedent(head) + indent(dedent(what).strip(), "") + "\n", title="Once a file is not there.")


@trigger_type(
    f"{_PACKAGE}.shell.CommandsTrigger",
    aliases=["commands_trigger", *_names("CommandsTrigger")],
    examples=[_example("CommandsTrigger", "commands:\n  - test -f /data/ready\n")],
)
class CommandsTrigger(EndTrigger):
    """Start the flow when commands end as wished."""

    commands: list[Text] = Field(description="Shell commands to run.")


@trigger_type(
    f"{_PACKAGE}.shell.ScriptTrigger",
    aliases=["script_trigger", *_names("ScriptTrigger")],
    examples=[_example("ScriptTrigger", "script: |\n  test -f /data/ready\n")],
)
class ScriptTrigger(EndTrigger):
    """Start the flow when a script ends as wished."""

    script: Text = Field(description="The script to run.")
