"""The task type that clones a Git repository into the working directory."""

from __future__ import annotations

import asyncio
from typing import Self

from pydantic import Field, model_validator

from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.git.repository import GitTask


@task_type(
    "io.kestra.plugin.git.Clone",
    aliases=["git_clone"],
    examples=[
        Example(
            """
            id: work
            type: io.kestra.plugin.core.flow.WorkingDirectory
            tasks:
              - id: clone
                type: io.kestra.plugin.git.Clone
                url: https://github.com/octocat/Hello-World
                branch: master
              - id: look
                type: io.kestra.plugin.scripts.shell.Commands
                commands: [ls]
            """,
            title="Clone a repository for the tasks that follow",
            needs="the network",
        )
    ],
)
class Clone(GitTask):
    """Clone a Git repository; in a WorkingDirectory, the tasks that follow find its files."""

    class Output(RunnableTask.Output):
        directory: str = Field(description="Where the repository lies.")
        commit_id: str | None = Field(default=None, description="Id of the commit that is checked out.")

    url: Dynamic[Text] = Field(description="Address of the repository, or its path here.")
    directory: Dynamic[Text] | None = Field(
        default=None, description="Folder of the working directory to clone into; the working directory unless said."
    )
    branch: Dynamic[Text] | None = Field(
        default=None, description="Branch to check out; the default one of the repository unless said."
    )
    depth: Dynamic[int] = Field(
        default=1, description="How many commits of history to fetch; 0 for all. Not used with `commit` or `tag`."
    )
    commit: Dynamic[Text] | None = Field(default=None, description="Commit to check out instead, by its id.")
    tag: Dynamic[Text] | None = Field(default=None, description="Tag to check out instead.")
    clone_all_branches: Dynamic[bool] = Field(default=True, description="Whether all branches are fetched.")
    no_tags: Dynamic[bool] = Field(default=False, description="Whether tags are left out.")

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.clone_all_branches is False and not self.branch:
            raise ValueError("`cloneAllBranches: false` needs `branch`")
        if self.tag and self.no_tags is True:
            raise ValueError("`tag` does not go with `noTags`")
        return self

    async def run(self, ctx: RunContext) -> Output:
        target = ctx.path(self.directory or ".")
        await asyncio.to_thread(target.mkdir, parents=True, exist_ok=True)
        async with self.git(ctx) as git:
            ctx.log.info("cloning %s", git.url)
            await git.clone(
                target,
                branch=self.branch,
                commit=self.commit,
                tag=self.tag,
                depth=self.depth,
                all_branches=self.clone_all_branches,
                no_tags=self.no_tags,
                submodules=self.clone_submodules,
                config=self.git_config,
            )
            commit = await git.head(target)
        return self.Output(directory=str(target), commit_id=commit)
