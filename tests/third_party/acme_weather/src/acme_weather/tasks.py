"""Task types: one that works, one that can be stopped, one with parts of its own, one that runs others."""

import threading
from typing import ClassVar

from pydantic import Field

from nbflow.plugins import (
    Duration,
    Dynamic,
    Example,
    FlowableTask,
    Outcome,
    RunContext,
    RunnableTask,
    Scope,
    State,
    TaskFailedError,
    TaskField,
    Text,
    run_blocking,
    task_type,
    worst,
)


@task_type(
    "acme.weather.Report",
    aliases=["weather"],
    examples=[
        Example(
            """
            type: acme.weather.Report
            city: Oslo
            degrees: [3, 5, 4]
            """,
            title="A report from three measurements.",
        ),
        Example(
            """
            type: acme.weather.Report
            city: Oslo
            degrees: [3]
            tokenOf: WEATHER_TOKEN
            """,
            title="A report that needs a token.",
            needs="a secret WEATHER_TOKEN",
        ),
    ],
)
class Report(RunnableTask):
    """Sum up measurements of a city, and store them."""

    class Output(RunnableTask.Output):
        warmest: float = Field(description="The warmest one.")
        uri: str = Field(description="URI of the file with all of them.")

    city: Dynamic[Text] = Field(description="Name of the city.")
    degrees: Dynamic[list[float]] = Field(description="Degrees Celsius.")
    source: Dynamic[Text] | None = Field(default=None, description="Stored file with more of them, one a line.")
    token_of: Dynamic[Text] | None = Field(default=None, description="Name of the secret that lets the task in.")

    async def run(self, ctx: RunContext) -> Output:
        if self.token_of is not None:
            ctx.log.debug("let in with %s", ctx.secret(self.token_of))
        degrees = [*self.degrees]
        if self.source is not None:
            degrees += [float(line) for line in ctx.file(self.source).read_text(encoding="utf-8").split()]
        if not degrees:
            raise TaskFailedError(f"nothing was measured in {self.city}", hint="give `degrees` or a `source`")
        path = ctx.path("degrees.txt")
        path.write_text("\n".join(map(str, degrees)), encoding="utf-8")
        ctx.metric("measurements", len(degrees), tags={"city": self.city})
        ctx.log.info("%s: %d measurements", self.city, len(degrees))
        output = self.Output(warmest=max(degrees), uri=ctx.store_file(path))
        return output.ending_in(State.WARNING) if max(degrees) > 40 else output


@task_type("acme.weather.Watch", examples=[Example("{type: acme.weather.Watch, length: PT0.01S}")])
class Watch(RunnableTask):
    """Watch the sky in a thread, until it is told to stop."""

    length: Dynamic[Duration] = Field(description="How long to watch.")

    async def run(self, ctx: RunContext) -> RunnableTask.Output:
        stopped = threading.Event()

        def watch() -> None:
            ctx.log.info("watching")
            if stopped.wait(self.length.total_seconds()):
                ctx.log.warning("stopped watching")

        await run_blocking(watch, stop=stopped.set)
        return self.Output()


@task_type("acme.weather.Stations", examples=[Example("{type: acme.weather.Stations, names: [north, south]}")])
class Stations(RunnableTask):
    """Ask stations, each shown as a task run of its own."""

    names: Dynamic[list[Text]] = Field(description="Names of the stations.")

    async def run(self, ctx: RunContext) -> RunnableTask.Output:
        for number, name in enumerate(self.names):
            begun = ctx.now()
            moves = [(State.CREATED, begun), (State.RUNNING, begun), (State.SUCCESS, ctx.now())]
            ctx.child_run(name, moves, outputs={"number": number})
        return self.Output()


@task_type(
    "acme.weather.Twice",
    examples=[Example("{type: acme.weather.Twice, tasks: [{id: look, type: log, message: sunny}]}")],
)
class Twice(FlowableTask):
    """Run tasks, and run them again: the weather may have changed."""

    is_loop: ClassVar[bool] = True

    class Output(FlowableTask.Output):
        rounds: int = Field(description="How often they ran.")

    tasks: list[TaskField] = Field(min_length=1, description="Tasks to run twice.")

    async def run(self, scope: Scope) -> Outcome:
        states = [await scope.run_sequence(self.tasks, value=str(n), iteration=n) for n in range(2)]
        return Outcome(worst(states), {"rounds": len(states)})
