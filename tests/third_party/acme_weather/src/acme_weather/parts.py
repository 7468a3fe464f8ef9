"""A trigger type, a condition and a task runner."""

import asyncio

from pydantic import Field

from nbflow.plugins import (
    Command,
    Example,
    Facts,
    OnLine,
    Question,
    TaskRunner,
    Text,
    Trigger,
    condition_type,
    runner_type,
    trigger_type,
)


@trigger_type("acme.weather.OnStorm", examples=[Example("{type: acme.weather.OnStorm, city: Oslo}")])
class OnStorm(Trigger):
    """Start the flow when a storm comes up."""

    class Output(Trigger.Output):
        strength: int = Field(description="Strength of the wind, from 0 to 12.")

    city: Text = Field(description="Name of the city.")


@condition_type("acme.weather.IsWarm")
class IsWarm(Question):
    """Whether it is warm."""

    degrees: Text = Field(description="Degrees Celsius, or an expression.")

    def holds(self, facts: Facts) -> bool:
        return float(facts.render(self.degrees)) > 20


@runner_type("acme.weather.Outdoors")
class Outdoors(TaskRunner):
    """Run commands on this machine, and hear the wind."""

    async def execute(self, command: Command, on_line: OnLine) -> int:
        await on_line("whoosh", False)
        process = await asyncio.create_subprocess_exec(
            *command.arguments, cwd=command.working_dir, env=dict(command.env), stdout=asyncio.subprocess.PIPE
        )
        try:
            assert process.stdout is not None
            async for line in process.stdout:
                await on_line(line.decode().rstrip("\n"), False)
            return await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
