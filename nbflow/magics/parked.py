"""The sub-commands of `%flow` about kernels of notebooks that failed: see them, open one, go on in one, end one."""

from __future__ import annotations

from pathlib import Path

from nbflow.engine import Execution
from nbflow.magics import execution_commands
from nbflow.magics.answers import one_word, say, table
from nbflow.magics.arguments import Arguments
from nbflow.magics.errors import FlowCellError
from nbflow.magics.session import Session
from nbflow.tasks.notebooks.parking import Parked, ask_to_resume, end_parked, find_parked, parked_kernels
from nbflow.tasks.notebooks.parking import attach as attach_to

RESUME_VALUED = ("from-cell", "notebook", "to")


def kernels(session: Session, arguments: Arguments) -> None:
    """List the kernels that were kept; --end ID ends one."""
    home: Path = session.engine.settings.home
    if "end" in arguments.options:
        end_parked(home, arguments.options["end"])
        say(f"the kernel {arguments.options['end']} has ended")
        return
    found = parked_kernels(home)
    if not found:
        say("No kernel is kept. A notebook task keeps its own when it fails, with `onFailure: keepKernel`.")
        return
    rows = [
        (
            record.id,
            "alive" if record.is_alive else "ended",
            f"{record.namespace}.{record.flow_id}",
            record.task_id,
            f"{record.cell}/{record.cells}",
            record.until[:16].replace("T", " "),
            record.execution_id,
        )
        for record in found
    ]
    table(("kernel", "state", "flow", "task", "failed in cell", "until (UTC)", "execution"), rows)


def attach(session: Session, arguments: Arguments) -> None:
    """Say how a kept kernel is opened: its command, its connection file, its notebook."""
    record = attach_to(session.engine.settings.home, _id(session, one_word(arguments, "attach ID")))
    say(
        f"the kernel {record.id} lives until {record.until[:16].replace('T', ' ')} UTC. Open it in a terminal:\n"
        f"  {record.command}\n"
        f"its notebook, to be edited and resumed: {record.notebook}\n"
        f"then: %flow resume {record.id}   or: %flow resume {record.id} --from-cell {record.cell}"
    )


def resume(session: Session, arguments: Arguments) -> Execution:
    """Go on in a kept kernel, where the words name one or its execution; otherwise let a paused execution go on."""
    record = _named(session, arguments)
    if record is None:
        if arguments.has("from-cell") or arguments.has("notebook"):
            find_parked(session.engine.settings.home, one_word(arguments, "resume ID [--from-cell N]"))
        return execution_commands.resume(session, arguments)
    edited = arguments.options.get("notebook")
    first = arguments.number("from-cell", 1) if arguments.has("from-cell") else 0
    home: Path = session.engine.settings.home
    ask_to_resume(home, record.id, from_cell=first, notebook=Path(edited) if edited else None)
    words = Arguments([record.execution_id], options=arguments.options)
    return execution_commands.restart(session, words)


def _named(session: Session, arguments: Arguments) -> Parked | None:
    """The kept kernel that the words name; of an execution, its only one."""
    if len(arguments.words) != 1:
        return None
    word = arguments.words[0]
    records = parked_kernels(session.engine.settings.home)
    same = [record for record in records if word in (record.id, record.execution_id)]
    if len(same) > 1:
        ids = ", ".join(record.id for record in same)
        raise FlowCellError(f"the execution has kept several kernels: {ids}", "name one of them")
    return same[0] if same else None


def _id(session: Session, word: str) -> str:
    """The id of a kept kernel, for its own or for that of its execution."""
    records = parked_kernels(session.engine.settings.home)
    return next((record.id for record in records if word == record.execution_id), word)
