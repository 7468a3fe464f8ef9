"""The sub-commands of `%flow` about the notebook as a whole: check it, put it on a schedule, fetch its last run."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from nbflow.engine import Execution
from nbflow.magics.answers import find_execution, one_word, say, table
from nbflow.magics.arguments import Arguments
from nbflow.magics.cell_record import notebook_path
from nbflow.magics.errors import FlowCellError
from nbflow.magics.session import Session, split_uid
from nbflow.magics.time_words import scheduler_text
from nbflow.model.input_values import plain
from nbflow.types import JsonValue
from nbflow.widgets.moments import away, local, zone_name

RUNS_AS_TASK = "NBFLOW_EXECUTION_ID"
"""Set in the kernel of a notebook that an execution runs: there it must not schedule or check itself again."""
SCHEDULE_VALUED = ("timezone", "notebook", "file", "id", "namespace")
CHECK_VALUED = ("notebook", "file")


def schedule(session: Session, arguments: Arguments) -> None:
    """Deploy a flow that runs the saved notebook by the clock, with `key=value` as its parameters."""
    from nbflow.notebooks import NotebookFlow, check_file, name_of, publish

    cron = one_word(arguments, 'schedule "CRON" [key=value ...]', rest=True)
    if RUNS_AS_TASK in os.environ:
        say("this notebook runs as a task: its schedule stays as it is")
        return
    file, files = _notebook(session, arguments), arguments.repeated.get("file", [])
    wanted = NotebookFlow(
        arguments.options.get("id", name_of(file.stem)),
        arguments.options.get("namespace", "notebooks"),
        "",
        cron,
        arguments.options.get("timezone"),
        _plain(arguments),
    )
    found = check_file(file, files)
    published = publish(session.engine, file, wanted, files=files, snapshot=arguments.has("snapshot"))
    lines = [f"{published.flow.uid}, revision {published.flow.revision}: {published.words}"]
    lines += [f"  {'error' if finding.is_error else 'warning'}: {finding}" for finding in found.findings]
    lines += _coming(session, published.flow.uid)
    lines.append("Try it now: %flow run " + published.flow.uid)
    say("\n".join(lines))


def _coming(session: Session, uid: str) -> list[str]:
    """When a flow fires next, and whether somebody is there to fire it."""
    now = datetime.now(UTC)
    dates: list[datetime] = session.engine.next_dates(session.engine.flow(*split_uid(uid)), n=1)
    lines = [f"It fires next at {local(date)} {zone_name(date)} ({away(date, now)})." for date in dates]
    return [
        *(lines or ["It will not fire."]),
        scheduler_text(session, session.engine.scheduler_status(), now).split("\n")[0],
    ]


def check(session: Session, arguments: Arguments) -> None:
    """Look for what would go wrong when the saved notebook runs by itself, and run it once in a clean kernel."""
    from nbflow.notebooks import check_file, try_out

    if RUNS_AS_TASK in os.environ:
        return
    file, files = _notebook(session, arguments), arguments.repeated.get("file", [])
    found = check_file(file, files)
    if found.findings:
        rows = [
            (
                "error" if one.is_error else "warning",
                str(one.kind),
                f"{one.cell}:{one.line}" if one.line else str(one.cell),
                one.message,
                one.hint,
            )
            for one in found.findings
        ]
        table(("", "About", "Cell", "What", "How to mend"), rows)
    if arguments.has("no-run"):
        if not found.findings:
            say("nothing found")
        return
    execution = try_out(session.engine, file, _plain(arguments), [*files, *found.needs])
    errors = "".join(f"\n{entry.message}" for entry in execution.logs("ERROR")[-1:])
    say(f"a run of {file.name} in a clean kernel ended in {execution.state}{errors}")


def last(session: Session, arguments: Arguments) -> object:
    """Save the notebook that the last run of its flow executed, and link to it."""
    from nbflow.notebooks import executed_notebook, last_executed, name_of

    if arguments.words and "." not in arguments.words[0]:
        execution = find_execution(session, one_word(arguments, "last [NAMESPACE.ID | EXECUTION]"))
        found = executed_notebook(session.engine, execution)
        if found is None:
            raise FlowCellError(f"execution {execution.id} has left no executed notebook")
        return _link(execution, found, f"{execution.flow_id}.{execution.id}")
    if arguments.words:
        namespace, flow_id = split_uid(one_word(arguments, "last [NAMESPACE.ID]"))
    else:
        namespace, flow_id = "notebooks", name_of(_notebook(session, arguments).stem)
    execution, content = last_executed(session.engine, namespace, flow_id)
    return _link(execution, content, flow_id)


def _link(execution: Execution, content: bytes, name: str) -> object:
    from IPython.display import FileLink

    target = Path(f"{name}.executed.ipynb")
    target.write_bytes(content)
    say(f"{target}: execution {execution.id}, {execution.state}, {execution.start:%Y-%m-%d %H:%M}")
    return FileLink(str(target))  # type: ignore[no-untyped-call]


def _plain(arguments: Arguments) -> dict[str, JsonValue]:
    """The given values, which must be such as a flow can hold. Raises: FlowCellError."""
    try:
        return {name: plain(value) for name, value in arguments.inputs.items()}
    except ValueError as cause:
        raise FlowCellError(f"a parameter must be plain: {cause}", "numbers, texts, lists and maps are") from None


def _notebook(session: Session, arguments: Arguments) -> Path:
    """The file that is meant: the one that is named, or that of this kernel. Raises: FlowCellError."""
    named = arguments.options.get("notebook")
    path = Path(named) if named else notebook_path(session.shell)
    if path is None:
        raise FlowCellError("which notebook this is cannot be told here", "name its file: --notebook report.ipynb")
    return path
