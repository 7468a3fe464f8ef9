"""Task types that run a notebook's cells of shell commands and of Markdown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.scripts.languages import SHELL, Language
from nbflow.tasks.scripts.script import ScriptOutput, ScriptTask
from nbflow.types import JsonValue

_SHELL = """
type: nbflow.cells.Shell
in:
  name: Ada
  rows: [1, 2]
script: |
  echo "$name has $rows"
"""
_MARKDOWN = """
type: nbflow.cells.Markdown
in:
  rows: 3
script: |
  ## Today
  There are **{{ rows }}** rows.
"""
_STORED = ("kestra:///", "nbflow:///")


@task_type(
    "nbflow.cells.Shell", aliases=["shell_cell"], examples=[Example(_SHELL, "Values come as variables of the shell.")]
)
class Shell(ScriptTask):
    """Run a cell of shell commands; values of earlier cells are variables: texts as they are, data frames as a file."""

    language: ClassVar[Language] = SHELL

    in_: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="Variables: name → value. A stored file comes as its path, a list or a map as JSON.",
    )
    directory: Dynamic[Text] | None = Field(
        default=None, description="Folder to run in, seen from where nbflow runs; unless said, that of the task."
    )
    warning_on_std_err: Dynamic[bool] = Field(
        default=False, description="End in WARNING when it wrote to standard error."
    )

    async def run(self, ctx: RunContext) -> ScriptOutput:
        given = await asyncio.to_thread(_variables, ctx, self.in_)
        text = self.script or ""
        if self.directory:
            text = f'cd "$NBFLOW_DIRECTORY"\n{text}'
            given["NBFLOW_DIRECTORY"] = self.directory
        env: dict[str, str | None] = {name: _verbatim(value) for name, value in given.items()}
        cell = self.model_copy(update={"env": {**env, **self.env}, "script": text})
        return await ScriptTask.run(cell, ctx)


@task_type(
    "nbflow.cells.Markdown",
    aliases=["markdown_cell"],
    examples=[Example(_MARKDOWN, "A report with values in it.")],
)
class Markdown(RunnableTask):
    """Render a cell of Markdown, with the values of earlier cells in `{{ … }}`, and store it."""

    class Output(RunnableTask.Output):
        text: str = Field(description="The Markdown, rendered.")
        uri: str = Field(description="URI of the same as a file.")

    in_: dict[str, JsonValue] = Field(default_factory=dict, description="Names that expressions in it see.")
    script: Text = Field(description="The Markdown.")

    async def run(self, ctx: RunContext) -> Output:
        values = ctx.render_value(self.in_)
        text = ctx.render(self.script, values if isinstance(values, Mapping) else {})
        uri = await asyncio.to_thread(ctx.store_bytes, text.encode(), f"{self.id}.md")
        ctx.log.info("%s", text)
        return self.Output(text=text, uri=uri)


def _variables(ctx: RunContext, given: Mapping[str, JsonValue]) -> dict[str, str]:
    values = ctx.render_value(given)
    return {str(name): _as_text(ctx, value) for name, value in (values.items() if isinstance(values, Mapping) else ())}


def _as_text(ctx: RunContext, value: object) -> str:
    if isinstance(value, str):
        return str(ctx.file(value)) if value.startswith(_STORED) else value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _verbatim(text: str) -> str:
    """A text that rendering leaves as it is."""
    has_expression = any(opener in text for opener in ("{{", "{%", "{#"))
    return f"{{% verbatim %}}{text}{{% endverbatim %}}" if has_expression else text
