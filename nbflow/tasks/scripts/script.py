"""What all script tasks share: their properties, and how one runs from its files in to its files out."""

from __future__ import annotations

import asyncio
import contextlib
import json
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
from nbflow.plugins import Command, Dynamic, RunContext, RunnableTask, RunnerField, State, TaskRunner, Text, registry
from nbflow.tasks.scripts.command_line import CommandLine
from nbflow.tasks.scripts.environments import environment_with
from nbflow.tasks.scripts.in_image import environment_in_image, install_in_image, put_stand_in, remove
from nbflow.tasks.scripts.languages import PYTHON, SHELL, Language, base_environment, has_kestra, is_shell
from nbflow.tasks.scripts.listening import Listener
from nbflow.tasks.scripts.named_files import NamedFiles
from nbflow.tasks.scripts.settings import DockerOptions, NamespaceFiles, RunConfig, RunnerKind
from nbflow.tasks.working_files import put_input_files, put_namespace_files, store_directory, store_output_files
from nbflow.types import JsonValue

PROCESS = "io.kestra.plugin.core.runner.Process"
DOCKER = "io.kestra.plugin.scripts.runner.docker.Docker"

_TOO_LONG = int(getattr(signal, "SIGXCPU", 24))


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
    main_file: ClassVar[str] = ""
    """Of the `inputFiles`, the one that is run when there are neither a script nor commands: older flows rely on it."""

    script: Text | None = Field(default=None, description="The script; give this or `commands`.")
    commands: list[Text] | None = Field(default=None, description="Shell commands; give these or `script`.")
    input_files: dict[str, JsonValue] | Text | None = Field(
        default=None, description="Files to find in the working directory: name → content or URI of a stored file."
    )
    output_files: list[Text] = Field(
        default_factory=list,
        validation_alias=AliasChoices("outputFiles", "outputsFiles", "files"),
        description="Files to store afterwards: names or globs, such as `*.csv`.",
    )
    output_dirs: list[Text] = Field(
        default_factory=list, description="Folders to make before and to store afterwards; `outputFiles` does as well."
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
    args: list[Text] = Field(default_factory=list, description="Arguments of the script.")
    fail_fast: Dynamic[bool] = Field(
        default=True,
        validation_alias=AliasChoices("failFast", "exitOnFailed"),
        description="Whether the first command that fails ends the task.",
    )
    warning_on_std_err: Dynamic[bool] = Field(
        default=True, description="End in WARNING when it wrote to standard error."
    )
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
        is_main = self.main_file and self.main_file in _names_in(self.input_files)
        if (self.script is None) == (self.commands is None) and not (self.script is None and is_main):
            which = "both" if self.script is not None else "neither"
            raise ValueError(f"needs `script` or `commands`, got {which}")
        return self

    async def run(self, ctx: RunContext) -> ScriptOutput:
        place = self._workplace(ctx)
        runner = await self._runner(ctx, place)
        if self.namespace_files is not None and self.namespace_files.enabled:
            await asyncio.to_thread(put_namespace_files, ctx, self.namespace_files)
        if self.input_files:
            await asyncio.to_thread(put_input_files, ctx, self.input_files, place.names)
        command = await self._command(ctx, place, runner)
        listener = self._listener(ctx)
        try:
            try:
                status = await runner.execute(command, listener)
            finally:
                for path in place.own_files:
                    remove(path)
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

    def _listener(self, ctx: RunContext) -> Listener:
        """What takes in the lines that it prints."""
        return Listener(ctx)

    async def _runner(self, ctx: RunContext, place: _Workplace) -> TaskRunner:
        wants_container = self.runner is RunnerKind.DOCKER or (
            self.runner is None and (self.container_image is not None or self.docker is not None)
        )
        runner = self.task_runner
        if runner is None and wants_container:
            options = self.docker.for_runner() if self.docker else {}
            runner = registry().find(TaskRunner, DOCKER).model_validate(options)
        runner = runner or registry().find(TaskRunner, PROCESS)()
        if runner.notice:
            ctx.log.warning("%s", runner.notice)
        return await runner.prepared(ctx, self._image(ctx, place) or self.language.image, place.names)

    def _image(self, ctx: RunContext, place: _Workplace) -> str | None:
        image = self.container_image or (self.docker.image if self.docker else None)
        return ctx.render(image, place.names) if image else None

    def _workplace(self, ctx: RunContext) -> _Workplace:
        directory = ctx.working_dir
        output_dir = directory / f".nbflow-out-{ctx.task_run_id}"
        output_dir.mkdir(exist_ok=True)
        names = {
            "workingDir": str(directory),
            "outputDir": str(output_dir),
            "outputFiles": {name: str(directory / name) for name in self.output_files},
            "outputDirs": {name: str(ctx.path(name)) for name in self.output_dirs},
        }
        for folder in self.output_dirs:
            ctx.path(folder).mkdir(parents=True, exist_ok=True)
        return _Workplace(directory, output_dir, names, [])

    async def _command(self, ctx: RunContext, place: _Workplace, runner: TaskRunner) -> Command:
        env = {name: ctx.render(value or "", place.names) for name, value in self.env.items()}
        env.update(WORKING_DIR=str(place.directory), OUTPUT_DIR=str(place.output_dir))
        before = list[str]()
        wanted = [ctx.render(dependency, place.names) for dependency in self.dependencies]
        given = self._interpreter()
        program = given if given and not is_shell(given) else list(self.language.in_image)
        if not runner.runs_here:
            library = put_stand_in(place.directory, ctx.task_run_id)
            place.own_files.append(library)
            env = environment_in_image(env, str(library))
            before = [install_in_image(wanted)] if wanted else []
        else:
            python = await self._python(ctx, runner, place.directory, wanted)
            env = base_environment(env, python or sys.executable, stand_in=self._needs_stand_in(python))
            if self.commands is None:
                program = self._program(env["PATH"], python)
        limits = self.run_config or RunConfig()
        return Command(
            arguments=await asyncio.to_thread(self._arguments, ctx, place, program, before),
            working_dir=place.directory,
            env=env,
            image=self._image(ctx, place),
            memory=limits.memory,
            cpu_seconds=limits.cpu_time.total_seconds() if limits.cpu_time else None,
        )

    async def _python(
        self, ctx: RunContext, runner: TaskRunner, directory: Path, dependencies: list[str]
    ) -> str | None:
        """The Python of an environment with these packages; None for the one that nbflow runs in."""
        return await environment_with(ctx, runner, dependencies, self._own_python()) if dependencies else None

    def _needs_stand_in(self, python: str | None) -> bool:
        """Whether `import kestra` may fail: unless it is certain to run here, where the package is."""
        is_plain = self.script is not None and not (self.interpreter or self.before_commands or python)
        return not (is_plain and has_kestra())

    def _own_python(self) -> str:
        program = self._interpreter()
        return program[0] if program and not is_shell(program) and "python" in Path(program[0]).name else sys.executable

    def _interpreter(self) -> list[str]:
        given = [self.interpreter] if isinstance(self.interpreter, str) else list(self.interpreter or [])
        return [*given, *self.interpreter_args] if given else []

    def _program(self, path: str, python: str | None) -> list[str]:
        """What runs the script here. Raises: TaskFailedError when it is not installed."""
        given = self._interpreter()
        if given and not is_shell(given):
            return given  # whether there is one is seen as it starts
        if self.language is PYTHON:
            return [python or sys.executable]
        return self.language.in_image if self.before_commands else self.language.here(path)

    def _options(self) -> list[str]:
        """Arguments of the program that come before the script's file."""
        return []

    def _suffix(self, ctx: RunContext) -> str:
        """How the name of the script's file ends."""
        return self.language.suffix

    def _before_main(self, files: frozenset[str]) -> list[str]:
        """Commands that come before the main file, with these `inputFiles`."""
        return []

    def _arguments(self, ctx: RunContext, place: _Workplace, program: list[str], before: list[str]) -> list[str]:
        """The command line; `before` come first."""

        def write(text: str, suffix: str) -> Path:
            return self._write(ctx, place, text, suffix)

        named = NamedFiles(ctx, place.directory)
        place.own_files.append(named.folder)

        def render(texts: list[Text]) -> list[str]:
            return [named.in_place(ctx.render(text, place.names)) for text in texts]

        line = CommandLine(self.language, self._interpreter(), self.fail_fast, write)
        before = [*before, *render(self.before_commands)]
        args = render(self.args)
        if self.commands is not None:
            tail = " ".join(["", *args])
            return line.of_commands([*before, *(command + tail for command in render(self.commands))])
        program = [*program, *self._options()]
        if self.script is None:
            main = shlex.join([*program, self.main_file, *args])
            return line.of_commands([*before, *self._before_main(_names_in(self.input_files)), main])
        script = named.in_place(ctx.render(self.script, place.names))
        return line.of_script(script, program, before, args, self._suffix(ctx))

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
        if status == 0 and (self.output_files or self.output_dirs):
            patterns = [ctx.render(pattern, place.names) for pattern in [*self.output_files, *self.output_dirs]]
            files.update(store_output_files(ctx, patterns))
        return files


def _names_in(input_files: dict[str, JsonValue] | str | None) -> frozenset[str]:
    """The names of `inputFiles`, where these are no expression."""
    if isinstance(input_files, str):
        with contextlib.suppress(ValueError):
            input_files = json.loads(input_files)
    return frozenset(input_files) if isinstance(input_files, dict) else frozenset()


def _failure(status: int, last_error: str) -> str:
    if status in (-_TOO_LONG, 128 + _TOO_LONG):  # 128 more is how a shell says it of what it has run
        how = "the script was ended: it computed longer than its limit"
    elif status >= 0:
        how = f"the script ended with exit status {status}"
    else:
        names = {int(number): number.name for number in signal.Signals}
        how = f"the script was ended by {names.get(-status, f'signal {-status}')}"
    return f"{how}: {last_error}" if last_error else how
