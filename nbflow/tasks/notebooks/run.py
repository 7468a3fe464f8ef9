"""The task type that runs a notebook."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from pydantic import AliasChoices, Field, field_validator

from nbflow.errors import TaskFailedError
from nbflow.plugins import (
    Duration,
    Dynamic,
    Example,
    RunContext,
    RunnableTask,
    State,
    TaskRunner,
    Text,
    registry,
    task_type,
)
from nbflow.plugins.kernels import KernelKey, Kernels, WarmKernel, kernels
from nbflow.tasks.notebooks.execution import Ending, NotebookRun
from nbflow.tasks.notebooks.job import Job
from nbflow.tasks.notebooks.loading import Place, find_notebook, read_notebook
from nbflow.tasks.notebooks.parking import Resume, park, resumed, take_resume
from nbflow.tasks.notebooks.preparing import prepare
from nbflow.tasks.notebooks.saving import to_html
from nbflow.tasks.scripts.environments import environment_with
from nbflow.tasks.scripts.languages import base_environment, has_kestra
from nbflow.tasks.scripts.script import PROCESS
from nbflow.tasks.scripts.settings import NamespaceFiles, Size
from nbflow.tasks.working_files import put_input_files, put_namespace_files, store_output_files
from nbflow.types import JsonValue

_EXAMPLE = """\
type: notebook
inputFiles:
  report.py: |
    # %% tags=["parameters"]
    name: str = "nobody"  # Whom to greet
    times: int = 1

    # %% Greet
    import nbflow

    print(f"Hello {name}! " * times)
    nbflow.outputs(letters=len(name))
path: report.py
parameters:
  name: Ada
"""
_FILES = """\
type: notebook
namespaceFiles: true
path: report.ipynb
parameters:
  token: "{{ secret('TOKEN') }}"
html: true
outputFiles: ["*.csv"]
onFailure: keepKernel
"""
_PACKAGES = """\
type: notebook
inputFiles:
  packages.py: |
    import cowsay

    cowsay.cow("moo")
path: packages.py
dependencies: [cowsay]
"""


class OnFailure(StrEnum):
    """What becomes of the kernel of a notebook that fails."""

    FAIL = "fail"
    KEEP_KERNEL = "keepKernel"


class NotebookOutput(RunnableTask.Output):
    """What a notebook leaves behind."""

    notebook: str = Field(default="", description="URI of the notebook with its outputs.")
    html: str | None = Field(default=None, description="URI of the same as a page, with `html: true`.")
    vars: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="Values it gave with `nbflow.outputs`, `Kestra.outputs` or scrapbook's `glue`.",
    )
    output_files: dict[str, str] = Field(default_factory=dict, description="Name → URI of its stored files.")
    cells: int = Field(default=0, description="Cells that are run.")
    stopped: str | None = Field(default=None, description="What it said when it ended itself early.")
    failed_cell: int | None = Field(default=None, description="Number of the cell that failed.")
    kernel: str | None = Field(
        default=None, description="Id of the kernel that was kept, with `onFailure: keepKernel`."
    )


@task_type(
    "nbflow.notebook.Run",
    aliases=["notebook", "papermill", "nbflow.papermill.Run"],
    examples=[
        Example(_EXAMPLE, "Run a notebook with parameters, and take values from it."),
        Example(
            _FILES,
            "Run one of the namespace's notebooks with a secret; keep its kernel when it fails.",
            needs="a notebook among the namespace's files, and a secret",
        ),
        Example(_PACKAGES, "Have packages installed, with a kernel that finds them.", needs="a package index"),
    ],
)
class Run(RunnableTask):
    """Run a notebook in a kernel of its own that was started in advance; each cell is a task run below this one."""

    Output: ClassVar[type[NotebookOutput]] = NotebookOutput

    path: Dynamic[Text] = Field(
        validation_alias=AliasChoices("path", "notebook", "inputPath", "input_path"),
        description="The notebook: a file of the working directory, of the namespace or of the project, or a stored "
        "one (`kestra:///…`). A Python file with `# %%` between its cells does as well.",
    )
    parameters: Dynamic[dict[str, JsonValue]] = Field(
        default_factory=dict,
        description="Values for what the cell tagged `parameters` declares; those with secrets never get into a file.",
    )
    kernel_name: Dynamic[Text] | None = Field(default=None, description="Its kernel; unless said, the notebook's own.")
    input_files: dict[str, JsonValue] | Text | None = Field(
        default=None, description="Files to find in the working directory: name → content or URI of a stored file."
    )
    namespace_files: NamespaceFiles | None = Field(default=None, description="Files of the namespace to find.")
    output_files: list[Text] = Field(
        default_factory=list, description="Files to store afterwards: names or globs, such as `*.csv`."
    )
    env: Dynamic[dict[str, Text]] = Field(default_factory=dict, description="Variables of the environment.")
    dependencies: Dynamic[list[Text]] = Field(
        default_factory=list,
        description="Python packages to install first, with a kernel of their own; they are kept for the next run.",
    )
    preimports: Dynamic[list[Text]] = Field(
        default_factory=list, description="Modules that kernels import in advance, such as `pandas`."
    )
    cell_timeout: Dynamic[Duration] | None = Field(default=None, description="Longest time a cell may take.")
    html: Dynamic[bool] = Field(default=False, description="Store it as a page as well.")
    output_size: Dynamic[Size] = Field(
        default=20 * 2**20, gt=0, description="Room for all its outputs; what is more is left out, and it is told."
    )
    on_failure: Dynamic[OnFailure] = Field(
        default=OnFailure.FAIL, description="`keepKernel`: its kernel lives on, to be looked at or to be resumed."
    )
    keep_for: Dynamic[Duration] = Field(
        default_factory=lambda: timedelta(minutes=30), description="How long such a kernel lives on."
    )

    @field_validator("namespace_files", mode="before")
    @classmethod
    def _read_switch(cls, value: object) -> object:
        return {"enabled": value} if isinstance(value, bool) else value

    async def run(self, ctx: RunContext) -> NotebookOutput:
        resume = await asyncio.to_thread(take_resume, ctx)
        job = await asyncio.to_thread(self._load, ctx, resume)
        pool = kernels()
        if resume is not None:
            async with resumed(pool, resume) as kernel:
                if kernel is not None:
                    first = resume.take_over(job)
                    return await self._finish(ctx, job, kernel, await self._run(job, kernel, first))
            ctx.log.warning("%s", f"{resume.gone()}: all {job.count} cells are run again, in a new kernel")
            await asyncio.to_thread(resume.forget)
            job.place = replace(job.place, directory=resume.found.directory)
        key = await self._key(ctx, pool, job)
        async with pool.lend(key) as kernel:
            if job.language == "python":
                await prepare(kernel, job.place.directory, self._environment(ctx))
            return await self._finish(ctx, job, kernel, await self._run(job, kernel, 1))

    def _load(self, ctx: RunContext, resume: Resume | None) -> Job:
        if self.namespace_files is not None and self.namespace_files.enabled:
            put_namespace_files(ctx, self.namespace_files)
        if self.input_files:
            put_input_files(ctx, self.input_files, {})
        place = find_notebook(ctx, self.path)
        if resume is not None:
            place = resume.place(place)
        job = Job(ctx, place, read_notebook(place.text, self.path, is_python=place.is_python))
        job.read_parameters(self.parameters, self.kernel_name or "", self.output_size)
        return job

    async def _key(self, ctx: RunContext, pool: Kernels, job: Job) -> KernelKey:
        """Which kernel the notebook runs in."""
        python = ""
        if self.dependencies:
            runner = registry().find(TaskRunner, PROCESS)()
            python = await environment_with(ctx, runner, [*self.dependencies, "ipykernel"], sys.executable)
        elif (language := pool.language_of(job.kernel_name)) is None and job.language == "python":
            if not self.kernel_name:  # the notebook names the one it was written with, on whatever machine that was
                ctx.log.debug("no kernel is installed as `%s`; `python3` is taken", job.kernel_name)
                job.kernel_name = "python3"
        else:
            job.language = language or job.language
        env = base_environment({}, python or sys.executable, stand_in=bool(python) or not has_kestra())
        directory = ""
        if job.language != "python":  # only a Python kernel can be taken to a folder later on
            env, directory = {**env, **self._environment(ctx)}, str(job.place.directory)
        return KernelKey(job.kernel_name, python, tuple(sorted(env.items())), tuple(self.preimports), directory)

    def _environment(self, ctx: RunContext) -> dict[str, str]:
        """Variables of the task's own, and those that tell a notebook that an execution runs it."""
        return {
            "NBFLOW_EXECUTION_ID": ctx.execution_id,
            "NBFLOW_FLOW": f"{ctx.namespace}.{ctx.flow_id}",
            "NBFLOW_TASK_ID": ctx.task_id,
            **self.env,
        }

    async def _run(self, job: Job, kernel: WarmKernel, first: int) -> Ending:
        timeout = self.cell_timeout if isinstance(self.cell_timeout, timedelta) else None
        run = NotebookRun(job.ctx, kernel, job.notebook, job.shared, job.saver, job.times, timeout, job.secret_code())
        try:
            return await run.run(first)
        except asyncio.CancelledError:
            with contextlib.suppress(Exception):  # it is being ended: what can be saved is saved
                job.ctx.log.info("the notebook as far as it came: %s", await job.saver.finish())
            raise

    async def _finish(self, ctx: RunContext, job: Job, kernel: WarmKernel, ending: Ending) -> NotebookOutput:
        job.note_ending(ending)
        uri = await job.saver.finish()
        await asyncio.to_thread(job.times.keep)
        output = NotebookOutput(notebook=uri, vars=job.sealed_vars(), cells=job.count)
        if self.html:
            page = await asyncio.to_thread(to_html, job.saver.text(), job.saver.name)
            output.html = ctx.store_bytes(page.encode(), str(Path(job.saver.name).with_suffix(".html")))
        if job.shared.budget.cut:
            ctx.log.warning(
                "%s", f"{job.shared.budget.cut:,} characters of output are left out of the notebook: see `outputSize`"
            )
        if ending.state is not State.FAILED:
            if self.output_files:
                output.output_files = await asyncio.to_thread(self._store_files, ctx, job.place)
            if ending.cell:
                output.stopped = ending.message
                ctx.log.info("%s", f"cell {ending.cell} ended the notebook: {ending.message}")
            job.forget()
            return output.ending_in(ending.state)
        output.failed_cell = ending.cell
        if self.on_failure is OnFailure.KEEP_KERNEL and ending.is_alive:
            output.kernel = await park(job, kernel, ending.cell, self.keep_for)
        raise TaskFailedError(job.saver.scrubber().text(ending.message), outputs=dict(output.to_json()))

    def _store_files(self, ctx: RunContext, place: Place) -> dict[str, str]:
        patterns = [ctx.render(pattern) for pattern in self.output_files]
        if place.directory.resolve() != ctx.working_dir.resolve():
            for pattern in patterns:
                for file in place.directory.glob(pattern):
                    target = ctx.path(file.relative_to(place.directory))
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(file, target)
        return store_output_files(ctx, patterns)
