"""`nbflow executions pause|resume|restart|replay|force-run|set-state|delete|metrics`: what moves executions on."""

from __future__ import annotations

from typing import Annotated

import typer

from nbflow.cli.executions import IdArgument, IdOption
from nbflow.cli.options import HomeOption, InputsArgument, Output, OutputOption, read_id, read_pairs
from nbflow.cli.showing import coloured, say, show_json, show_table

app = typer.Typer(rich_markup_mode=None)

RevisionOption = Annotated[int | None, typer.Option("--revision", min=1, help="Another revision of the flow.")]


@app.command("pause")
def pause(
    execution_id: IdArgument = None, id_: IdOption = None, output: OutputOption = Output.TEXT, home: HomeOption = None
) -> None:
    """Let no task of an execution begin until it is resumed."""
    from nbflow.engine import Engine

    with Engine(home, takes_over=False) as engine:
        execution = engine.pause(read_id(execution_id, id_))
    if output is Output.JSON:
        show_json(execution.to_dict())
    else:
        say(f"{execution.id} {coloured(execution.state)}")


@app.command("resume")
def resume(
    execution_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the execution.")],
    inputs: InputsArgument = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Let a paused execution go on, with the inputs that it asks for. Runs it here when nobody else does."""
    from nbflow.cli.live import run_live
    from nbflow.engine import Engine

    given = read_pairs(inputs, "an input")
    with Engine(home, takes_over=False) as engine:
        status = run_live(engine, lambda: engine.resume(execution_id, given), output=output)
    raise typer.Exit(status)


@app.command("restart")
def restart(
    execution_id: IdArgument = None,
    id_: IdOption = None,
    revision: RevisionOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Go on with an execution that has failed; its failed tasks get another attempt."""
    from nbflow.cli.live import run_live
    from nbflow.engine import Engine

    wanted = read_id(execution_id, id_)
    with Engine(home, takes_over=False) as engine:
        status = run_live(engine, lambda: engine.restart(wanted, revision=revision), output=output)
    raise typer.Exit(status)


@app.command("replay")
def replay(
    execution_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the execution.")],
    inputs: InputsArgument = None,
    task_run: Annotated[
        str | None, typer.Option("--task-run", help="Start at this task run; what came before is taken over.")
    ] = None,
    task: Annotated[str | None, typer.Option("--from", "--task", help="Start at the last run of this task.")] = None,
    revision: RevisionOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Run an execution again, as a new one; inputs given replace the old ones."""
    from nbflow.cli.live import run_live
    from nbflow.engine import Engine

    given = read_pairs(inputs, "an input") or None
    with Engine(home, takes_over=False) as engine:
        start = engine.execution(execution_id).task_runs[task].id if task is not None else task_run
        status = run_live(
            engine, lambda: engine.replay(execution_id, start, revision=revision, inputs=given), output=output
        )
    raise typer.Exit(status)


@app.command("force-run")
def force_run(
    execution_id: IdArgument = None, id_: IdOption = None, output: OutputOption = Output.TEXT, home: HomeOption = None
) -> None:
    """Run a queued execution beyond the concurrency limit of its flow."""
    from nbflow.cli.live import run_live
    from nbflow.engine import Engine

    wanted = read_id(execution_id, id_)
    with Engine(home, takes_over=False) as engine:
        status = run_live(engine, lambda: engine.force_run(wanted), output=output)
    raise typer.Exit(status)


@app.command("set-state")
def set_state(
    execution_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the execution.")],
    task_run: Annotated[str, typer.Argument(metavar="TASK_RUN", help="Id of the task run.")],
    state: Annotated[str, typer.Argument(metavar="STATE", help="The state to take it to have ended in.")],
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Take a task run to have ended in a state, and go on from there."""
    from nbflow.cli.live import run_live
    from nbflow.engine import Engine

    with Engine(home, takes_over=False) as engine:
        status = run_live(engine, lambda: engine.change_state(execution_id, task_run, state), output=output)
    raise typer.Exit(status)


@app.command("metrics")
def metrics(
    execution_id: IdArgument = None,
    id_: IdOption = None,
    task: Annotated[str | None, typer.Option("--task", help="Only of this task.")] = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Show the numbers of an execution: how long its tasks took, waited and tried, and what they reported."""
    from nbflow.engine import Engine

    with Engine(home, takes_over=False) as engine:
        found = engine.execution(read_id(execution_id, id_)).metrics(task)
    if output is Output.JSON:
        keys = ("task_id", "task_run_id", "type", "name", "value")
        show_json([{key: getattr(metric, key) for key in keys} for metric in found])
        return
    rows = [(metric.task_id, metric.name, metric.type, f"{metric.value:g}") for metric in found]
    show_table(("TASK", "NAME", "TYPE", "VALUE"), rows)


@app.command("delete")
def delete(execution_id: IdArgument = None, id_: IdOption = None, home: HomeOption = None) -> None:
    """Delete an execution that has ended, with its log and files."""
    from nbflow.engine import Engine

    wanted = read_id(execution_id, id_)
    with Engine(home, takes_over=False) as engine:
        engine.delete_execution(wanted)
    say(f"{wanted} deleted")
