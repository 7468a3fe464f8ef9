"""What all script tasks share: their properties, and how one runs from its files in to its files out."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from pydantic import AliasChoices, Field, field_validator, model_validator

from nbflow.errors import TaskFailedError
from nbflow.plugins import Command, RunContext, RunnableTask, RunnerField, State, TaskRunner, Text, registry
from nbflow.tasks.scripts.environments import environment_with
from nbflow.tasks.scripts.languages import SHELL, Language, base_environment, has_kestra, is_shell
from nbflow.tasks.scripts.listening import Listener
from nbflow.tasks.scripts.settings import DockerOptions, NamespaceFiles, RunConfig, RunnerKind
from nbflow.tasks.working_files import put_input_files, put_namespace_files, store_directory, store_output_files
from nbflow.types import JsonValue

PROCESS = "io.kestra.plugin.core.runner.Process"
DOCKER = "io.kestra.plugin.scripts.runner.docker.Docker"

_LONGEST_ARGUMENT = 100_000
"""Bytes of commands that are handed to a shell as an argument; Linux refuses more than 128 KiB."""


class ScriptOutput(RunnableTask.Output):
    """What a script leaves behind."""

    vars: dict[str, JsonValue] = Field(default_factory=dict, description='Values it printed as ::{"outputs": …}::.')
    output_files: dict[str, str] = Field(default_factory=dict, description="Name → URI of its stored files.")
    exit_code: int = Field(default=0, description="Exit status of its process.")
    std_out_line_count: int = Field(default=0, description="Lines on standard output.")
    std_err_line_count: int = Field(default=0, description="Lines on standard error.")
    warning_on_std_err: bool = Field(default=True, description="Whether such a line makes a WARNING.")


@dataclass(slots=True)
class _Workplace:
    """Where one run of a script takes place; `names` are what its expressions see beside the usual ones."""

    directory: Path
    output_dir: Path
    names: Mapping[str, object]
    own_files: list[Path]


class ScriptTask(RunnableTask):
    """Runs a script, or commands, in a process of its own.

    Texts are rendered as the task runs, not before: they may name `workingDir`, `outputDir` and `outputFiles.name`.
    """

    Output: ClassVar[type[ScriptOutput]] = ScriptOutput
    language: ClassVar[Language] = SHELL

    script: Text | None = Field(default=None, description="The script; give this or `commands`.")
    commands: list[Text] | None = Field(default=None, description="Shell commands; give these or `script`.")
    input_files: dict[str, JsonValue] | Text | None = Field(
        default=None, description="Files to find in the working directory: name → content or URI of a stored file."
    )
    output_files: list[Text] = Field(
        default_factory=list,
        validation_alias=AliasChoices("outputFiles", "outputsFiles"),
        description="Files to store afterwards: names or globs, such as `*.csv`.",
    )
    output_directory: bool = Field(default=False, description="Accepted; `outputDir` can always be used.")
    env: dict[str, Text | None] = Field(default_factory=dict, description="Variables of the environment.")
    before_commands: list[Text] = Field(default_factory=list, description="Shell commands to run first.")
    dependencies: list[Text] = Field(
        default_factory=list,
        validation_alias=AliasChoices("dependencies", "requirements"),
        description="Python packages to install first; they are kept for the next run.",
    )
    interpreter: list[Text] | Text | None = Field(
        default=None, description="Program to run the script, or shell (`/bin/sh -c`) to run the commands."
    )
    interpreter_args: list[Text] = Field(default_factory=list, description="Further arguments of the interpreter.")
    fail_fast: bool = Field(
        default=True,
        validation_alias=AliasChoices("failFast", "exitOnFailed"),
        description="Whether the first command that fails ends the task.",
    )
    warning_on_std_err: bool = Field(default=True, description="End in WARNING when it wrote to standard error.")
    task_runner: RunnerField | None = Field(default=None, description="Where it runs; a process here unless said.")
    runner: RunnerKind | None = Field(default=None, description="Older form of `taskRunner`.")
    docker: DockerOptions | None = Field(
        default=None,
        validation_alias=AliasChoices("docker", "dockerOptions"),
        description="Older form of a Docker `taskRunner`.",
    )
    container_image: Text | None = Field(default=None, description="Image, for task runners that use containers.")
    namespace_files: NamespaceFiles | None = Field(default=None, description="Files of the namespace to find.")
    run_config: RunConfig | None = Field(default=None, description="Limits of its process.")
    target_os: Text | None = Field(
        default=None, validation_alias="targetOS", description="System the script is written for; accepted."
    )

    @field_validator("namespace_files", mode="before")
    @classmethod
    def _read_switch(cls, value: object) -> object:
        return {"enabled": value} if isinstance(value, bool) else value

    @model_validator(mode="after")
    def _says_what_to_run(self) -> Self:
        if (self.script is None) == (self.commands is None):
            which = "both" if self.script is not None else "neither"
            raise ValueError(f"needs `script` or `commands`, got {which}")
        return self

    async def run(self, ctx: RunContext) -> ScriptOutput:
        runner = self._runner(ctx)
        place = self._workplace(ctx)
        if self.namespace_files is not None and self.namespace_files.enabled:
            await asyncio.to_thread(put_namespace_files, ctx, self.namespace_files)
        if self.input_files:
            await asyncio.to_thread(put_input_files, ctx, self.input_files, place.names)
        command = await self._command(ctx, place, runner)
        listener = Listener(ctx)
        try:
            try:
                status = await runner.execute(command, listener.hear)
            finally:
                for path in place.own_files:
                    path.unlink(missing_ok=True)
            files = await asyncio.to_thread(self._store_files, ctx, place, status)
        finally:
            # The directory may be shared: the next task, or attempt, is not to find what was for this one alone.
            await asyncio.to_thread(shutil.rmtree, place.output_dir, ignore_errors=True)
        output = ScriptOutput(
            vars=listener.vars,
            output_files=files,
            exit_code=status,
            std_out_line_count=listener.out_lines,
            std_err_line_count=listener.error_lines,
            warning_on_std_err=self.warning_on_std_err,
        )
        if status:
            raise TaskFailedError(_failure(status, listener.last_error), outputs=dict(output.to_json()))
        if listener.error_lines and self.warning_on_std_err:
            output._final_state = State.WARNING
        return output

    def _runner(self, ctx: RunContext) -> TaskRunner:
        wants_container = self.runner is RunnerKind.DOCKER or (
            self.runner is None and (self.container_image is not None or self.docker is not None)
        )
        runner = self.task_runner or registry().find(TaskRunner, DOCKER if wants_container else PROCESS)()
        if runner.notice:
            ctx.log.warning("%s", runner.notice)
        return runner

    def _workplace(self, ctx: RunContext) -> _Workplace:
        directory = ctx.working_dir
        output_dir = directory / f".nbflow-out-{ctx.task_run_id}"
        output_dir.mkdir(exist_ok=True)
        names = {
            "workingDir": str(directory),
            "outputDir": str(output_dir),
            "outputFiles": {name: str(directory / name) for name in self.output_files},
        }
        return _Workplace(directory, output_dir, names, [])

    async def _command(self, ctx: RunContext, place: _Workplace, runner: TaskRunner) -> Command:
        env = {name: ctx.render(value or "", place.names) for name, value in self.env.items()}
        env.update(WORKING_DIR=str(place.directory), OUTPUT_DIR=str(place.output_dir))
        python = None
        if self.dependencies:
            wanted = [ctx.render(dependency, place.names) for dependency in self.dependencies]
            python = await environment_with(ctx, runner, wanted, self._own_python())
        limits = self.run_config or RunConfig()
        image = self.container_image or (self.docker.image if self.docker else None)
        return Command(
            arguments=self._arguments(ctx, place, python),
            working_dir=place.directory,
            env=base_environment(env, python or sys.executable, stand_in=self._needs_stand_in()),
            image=ctx.render(image, place.names) if image else None,
            memory=limits.memory,
            cpu_seconds=limits.cpu_time.total_seconds() if limits.cpu_time else None,
        )

    def _needs_stand_in(self) -> bool:
        """Whether `import kestra` may fail: unless it is certain to run here, where the package is."""
        is_plain = self.script is not None and not (self.interpreter or self.before_commands or self.dependencies)
        return not (is_plain and has_kestra())

    def _own_python(self) -> str:
        program = self._interpreter()
        return program[0] if program and not is_shell(program) and "python" in Path(program[0]).name else sys.executable

    def _interpreter(self) -> list[str]:
        given = [self.interpreter] if isinstance(self.interpreter, str) else list(self.interpreter or [])
        return [*given, *self.interpreter_args] if given else []

    def _arguments(self, ctx: RunContext, place: _Workplace, python: str | None) -> list[str]:
        """The command line: an interpreter with the script's file, or a shell with commands."""
        given = self._interpreter()
        before = [ctx.render(line, place.names) for line in self.before_commands]
        if self.commands is not None:
            lines = [*before, *(ctx.render(line, place.names) for line in self.commands)]
            return self._shell(ctx, place, given, lines)
        assert self.script is not None
        file = self._write(ctx, place, ctx.render(self.script, place.names), self.language.suffix)
        program = given if given and not is_shell(given) else list(self.language.program())
        if python is not None and (not given or is_shell(given)) and self.language.suffix == ".py":
            program = [python]
        if not before:
            return [*program, str(file)]
        return self._shell(ctx, place, given, [*before, shlex.join([*program, str(file)])])

    def _shell(self, ctx: RunContext, place: _Workplace, given: list[str], lines: list[str]) -> list[str]:
        text = "\n".join(["set -e", *lines] if self.fail_fast else lines)
        shell = given if given and (is_shell(given) or self.commands is not None) else ["/bin/sh", "-c"]
        if shell[-1] == "-c" and len(text.encode()) <= _LONGEST_ARGUMENT:
            return [*shell, text]
        program = shell[:-1] if shell[-1] == "-c" else shell
        return [*program, str(self._write(ctx, place, text, ".commands.sh"))]

    def _write(self, ctx: RunContext, place: _Workplace, text: str, suffix: str) -> Path:
        # A name that no `import` can mean: a task called `csv` must not hide the module.
        file = place.directory / f"script-{ctx.task_id}{suffix}"
        try:
            file.touch(exist_ok=False)
        except FileExistsError:  # of another run of this task that shares the directory
            file = place.directory / f"script-{ctx.task_id}-{ctx.task_run_id}{suffix}"
        place.own_files.append(file)
        file.write_text(text, encoding="utf-8")
        return file

    def _store_files(self, ctx: RunContext, place: _Workplace, status: int) -> dict[str, str]:
        files = store_directory(ctx, place.output_dir)
        if self.output_files and status == 0:
            patterns = [ctx.render(pattern, place.names) for pattern in self.output_files]
            files.update(store_output_files(ctx, patterns))
        return files


def _failure(status: int, last_error: str) -> str:
    if status >= 0:
        how = f"the script ended with exit status {status}"
    else:
        names = {int(number): number.name for number in signal.Signals}
        how = f"the script was ended by {names.get(-status, f'signal {-status}')}"
    return f"{how}: {last_error}" if last_error else how
