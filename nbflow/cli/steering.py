"""`nbflow executions pause|resume|restart|replay|force-run|set-state|delete|…`: what moves executions on."""

from __future__ import annotations

from typing import Annotated

import typer

from nbflow.cli.executions import IdArgument, show_state
from nbflow.cli.groups import new_group, verb
from nbflow.cli.options import (
    HomeOption,
    IdOption,
    InputsArgument,
    Output,
    OutputOption,
    RevisionOption,
    WaitOption,
    read_id,
    read_pairs,
)
from nbflow.cli.places import Again, open_place
from nbflow.cli.run import InputOption
from nbflow.cli.showing import show_done
from nbflow.cli.watching import watch_of

IdNeeded = Annotated[str, typer.Argument(metavar="ID", help="Id of the execution.")]

app = new_group("")


@verb(app, "pause", is_remote=True)
def pause(
    execution_id: IdArgument = None, id_: IdOption = None, output: OutputOption = Output.TEXT, home: HomeOption = None
) -> None:
    """Let no task of an execution begin until it is resumed."""
    with open_place(home) as place:
        execution = place.executions.pause(read_id(execution_id, id_))
    show_state(output, execution)


@verb(app, "resume", is_remote=True)
def resume(
    execution_id: IdNeeded,
    inputs: InputsArgument = None,
    input_: InputOption = None,
    wait: WaitOption = True,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Let a paused execution go on, with the inputs that it asks for. Runs it here when nobody else does."""
    given = read_pairs([*(inputs or ()), *(input_ or ())], "an input")
    with open_place(home) as place:
        status = place.runs.resume(execution_id, given, watch_of(output, wait=wait))
    raise typer.Exit(status)


@verb(app, "restart", is_remote=True)
def restart(
    execution_id: IdArgument = None,
    id_: IdOption = None,
    revision: RevisionOption = None,
    wait: WaitOption = True,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Go on with an execution that has failed; its failed tasks get another attempt."""
    with open_place(home) as place:
        status = place.runs.restart(read_id(execution_id, id_), revision, watch_of(output, wait=wait))
    raise typer.Exit(status)


@verb(app, "replay", "replay-with-inputs", is_remote=True)
def replay(
    execution_id: IdNeeded,
    inputs: InputsArgument = None,
    input_: InputOption = None,
    task_run: Annotated[
        str | None,
        typer.Option("--task-run", "--task-run-id", help="Start at this task run; what came before is taken over."),
    ] = None,
    task: Annotated[str | None, typer.Option("--from", "--task", help="Start at the last run of this task.")] = None,
    revision: RevisionOption = None,
    wait: WaitOption = True,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Run an execution again, as a new one; inputs given replace the old ones."""
    given = read_pairs([*(inputs or ()), *(input_ or ())], "an input")
    with open_place(home) as place:
        again = Again(task_run, task, revision, given)
        status = place.runs.replay(execution_id, again, watch_of(output, wait=wait))
    raise typer.Exit(status)


@verb(app, "force-run", is_remote=True)
def force_run(
    execution_id: IdArgument = None,
    id_: IdOption = None,
    wait: WaitOption = True,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Run a queued execution beyond the concurrency limit of its flow."""
    with open_place(home) as place:
        status = place.runs.force_run(read_id(execution_id, id_), watch_of(output, wait=wait))
    raise typer.Exit(status)


@verb(app, "set-state", "update-taskrun", is_remote=True)
def set_state(
    execution_id: IdNeeded,
    task_run: Annotated[str, typer.Argument(metavar="TASK_RUN", help="Id of the task run.")],
    state: Annotated[str, typer.Argument(metavar="STATE", help="The state to take it to have ended in.")],
    wait: WaitOption = True,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Take a task run to have ended in a state, and go on from there."""
    with open_place(home) as place:
        status = place.runs.set_state(execution_id, task_run, state, watch_of(output, wait=wait))
    raise typer.Exit(status)


@verb(app, "change-status", is_remote=True)
def change_status(
    execution_id: IdNeeded,
    state: Annotated[str, typer.Argument(metavar="STATE", help="The state to take it to have ended in.")],
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Take an execution that has ended to have ended in another state."""
    with open_place(home) as place:
        execution = place.executions.change_status(execution_id, state)
    show_state(output, execution)


@verb(app, "delete", "rm", is_remote=True)
def delete(
    execution_id: IdArgument = None, id_: IdOption = None, output: OutputOption = Output.TEXT, home: HomeOption = None
) -> None:
    """Delete an execution that has ended, with its log and files."""
    wanted = read_id(execution_id, id_)
    with open_place(home) as place:
        place.executions.delete(wanted)
    show_done(output, {"id": wanted, "deleted": True}, f"{wanted} deleted")
