"""The sub-commands of `%flow`: each reads its arguments, calls one verb of the engine and shows the outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from nbflow.magics import (
    backfill_commands,
    execution_commands,
    flow_commands,
    notebook_commands,
    parked,
    reference_commands,
    task_commands,
    trigger_commands,
)
from nbflow.magics.answers import say
from nbflow.magics.arguments import Arguments, read_arguments
from nbflow.magics.errors import FlowCellError
from nbflow.magics.history_sql import diff, sql
from nbflow.magics.running import RUN_FLAGS, RUN_VALUED
from nbflow.magics.session import Session, shows_errors
from nbflow.nearest import did_you_mean
from nbflow.widgets.output import publish, static_bundle


@dataclass(frozen=True, slots=True)
class Command:
    """A sub-command: how it is used, what it is for, the options it has, and what does it."""

    usage: str
    about: str
    run: Callable[[Session, Arguments], object]
    flags: tuple[str, ...] = ()
    valued: tuple[str, ...] = ()
    takes: str = ""
    """What its first word is, for completion: a `flow`, an `execution`, a `file`."""
    takes_line: bool = False
    """Whether all that follows is one text, as a query is."""


@shows_errors
def flow_line(session: Session, line: str) -> object:
    """Run the sub-command that a line of `%flow` names."""
    name, _, rest = line.strip().removesuffix(";").partition(" ")
    if not name:
        name = "help"
    command = COMMANDS.get(name)
    if command is None:
        if "." in name:
            raise FlowCellError(f"`{name}` is no command of %flow", f"to run a flow: %flow run {name}")
        hint = did_you_mean(name, COMMANDS) or f"there are {', '.join(COMMANDS)}"
        raise FlowCellError(f"`{name}` is no command of %flow", hint)
    if command.takes_line:
        return command.run(session, Arguments([rest.strip()] if rest.strip() else []))
    arguments = read_arguments(rest, session.variables, flags=command.flags, valued=command.valued)
    return command.run(session, arguments)


def _help(_session: Session, arguments: Arguments) -> None:
    if arguments.words and arguments.words[0] in COMMANDS:
        command = COMMANDS[arguments.words[0]]
        say(f"%flow {command.usage}\n{command.about}")
        return
    usages = [(f"%flow {command.usage}", command.about) for command in COMMANDS.values()]
    width = max(len(usage) for usage, _ in usages)
    head = "Put a flow's YAML under %%flow to deploy it, under %%flow --run to run it. Then:"
    text = "\n".join([head, *(f"  {usage:<{width}}  {about}" for usage, about in usages)])
    left = 'style="text-align:left;vertical-align:top"'
    rows = "".join(
        f"<tr><td {left}><code>{escape(usage)}</code></td><td {left}>{escape(about)}</td></tr>"
        for usage, about in usages
    )
    publish(static_bundle(f"<div>{escape(head)}</div><table><tbody>{rows}</tbody></table>", text))


COMMANDS: dict[str, Command] = {
    "run": Command(
        "run [NAMESPACE.ID] [key=value ...]",
        "Run a deployed flow, or that of the %%task cells; shows it live, returns its handle. Options: --wait --check "
        "--timeout --label --to --quiet; --detach hands it to a server, so that it outlives this kernel.",
        task_commands.run,
        RUN_FLAGS,
        RUN_VALUED,
        "flow",
    ),
    "new": Command(
        "new NAME [--namespace NAMESPACE] [input=value ...]",
        "Name the flow of the notebook's %%task cells, and its inputs; --description.",
        task_commands.new,
        (),
        ("namespace", "description"),
    ),
    "tasks": Command("tasks", "The tasks of the notebook, what they need, take and give.", task_commands.tasks),
    "forget": Command(
        "forget NAME ...", "Take tasks out of the notebook's flow; --all.", task_commands.forget, ("all",), takes="task"
    ),
    "export": Command(
        "export [FILE]", "The notebook's flow as YAML, to run anywhere.", task_commands.export, takes="file"
    ),
    "list": Command(
        "list [NAMESPACE]", "The flows there are.", flow_commands.list_flows, (), ("namespace",), "namespace"
    ),
    "show": Command(
        "show NAMESPACE.ID", "One flow, with a form to run it; --source.", flow_commands.show, ("source",), (), "flow"
    ),
    "executions": Command(
        "executions [NAMESPACE.ID]",
        "What ran, newest first. Options: --state --label --namespace --limit",
        execution_commands.executions,
        (),
        ("state", "namespace", "limit"),
        "flow",
    ),
    "gantt": Command(
        "gantt [ID]", "An execution, live; the last one if no id is given.", execution_commands.gantt, takes="execution"
    ),
    "logs": Command(
        "logs [ID]",
        "The last lines of its log. Options: --level --task --last",
        execution_commands.logs,
        (),
        ("level", "task", "last"),
        "execution",
    ),
    "outputs": Command(
        "outputs [ID]", "What its flow and its tasks put out.", execution_commands.outputs, takes="execution"
    ),
    "diff": Command(
        "diff [A [B]]", "What differs between two executions; the last two unless told.", diff, takes="execution"
    ),
    "sql": Command("sql [QUERY]", "Query the history; alone: its tables and their columns.", sql, takes_line=True),
    "kill": Command("kill [ID]", "End it, and every process it started.", execution_commands.kill, takes="execution"),
    "pause": Command(
        "pause [ID]", "Let no task of it begin until it is resumed.", execution_commands.pause, takes="execution"
    ),
    "resume": Command(
        "resume [ID] [key=value ...]",
        "Let it go on after a pause; or a notebook in the kernel it kept: --from-cell, --notebook.",
        parked.resume,
        (),
        parked.RESUME_VALUED,
        "execution",
    ),
    "attach": Command("attach ID", "Open the kernel that a notebook has kept.", parked.attach),
    "kernels": Command("kernels", "The kernels that notebooks have kept; --end.", parked.kernels, (), ("end",)),
    "restart": Command(
        "restart [ID]",
        "Give its failed tasks another attempt; --revision.",
        execution_commands.restart,
        (),
        ("revision", "to"),
        "execution",
    ),
    "replay": Command(
        "replay [ID] [key=value ...]",
        "Run it again as a new one, from a task on with --from; --revision.",
        execution_commands.replay,
        (),
        ("from", "task", "revision", "to"),
        "execution",
    ),
    "schedule": Command(
        'schedule "CRON" [key=value ...]',
        "Run the saved notebook by the clock, with parameters. Options: --timezone --namespace --id --file --snapshot",
        notebook_commands.schedule,
        ("snapshot",),
        notebook_commands.SCHEDULE_VALUED,
    ),
    "check": Command(
        "check [key=value ...]",
        "What would go wrong when the saved notebook runs by itself; --no-run --notebook --file.",
        notebook_commands.check,
        ("no-run",),
        notebook_commands.CHECK_VALUED,
        "file",
    ),
    "last": Command(
        "last [NAMESPACE.ID | EXECUTION]",
        "The notebook as its last run, or a certain one, executed it.",
        notebook_commands.last,
        (),
        ("notebook",),
        "flow",
    ),
    "triggers": Command(
        "triggers [NAMESPACE.ID]",
        "What starts flows: how it stands, when it fires next, what it waits for.",
        trigger_commands.triggers,
        takes="flow",
    ),
    "trigger": Command(
        "trigger enable|disable|unlock|restart NAMESPACE.FLOW.TRIGGER",
        "Switch a trigger on or off; let one go on that waits, or that has failed.",
        trigger_commands.trigger,
        takes="trigger",
    ),
    "next": Command(
        "next [NAMESPACE.ID] [-n 10]",
        "When its schedules fire next; of the last %%flow cell if no flow is named. Options: -n --from",
        trigger_commands.next_dates,
        (),
        trigger_commands.NEXT_VALUED,
        "flow",
    ),
    "simulate": Command(
        "simulate [NAMESPACE.ID]",
        "Every date of its schedules and what comes of it, runs missed and clock changes too. Options: --from --days "
        "--to; `%%flow --simulate` does it for a cell that is not deployed.",
        trigger_commands.simulate,
        (),
        trigger_commands.SIMULATE_VALUED,
        "flow",
    ),
    "scheduler": Command(
        "scheduler", "Whether a scheduler runs, where, what comes next, what was missed.", trigger_commands.scheduler
    ),
    "backfill": Command(
        "backfill NAMESPACE.FLOW[.TRIGGER] --start DATE [--end DATE] [key=value ...]",
        "Run past dates of a schedule, shown live. Options: --dates a,b --order oldest|newest --parallelism N --only "
        "all|missing|failed --label --dry-run --wait. Then: backfill show|pause|resume|cancel ID",
        backfill_commands.backfill,
        backfill_commands.BACKFILL_FLAGS,
        backfill_commands.BACKFILL_VALUED,
        "flow",
    ),
    "backfills": Command(
        "backfills [NAMESPACE.FLOW]",
        "Backfills with their progress, newest first.",
        backfill_commands.backfills,
        takes="flow",
    ),
    "validate": Command("validate FILE", "Check the YAML of a flow.", flow_commands.validate, takes="file"),
    "deploy": Command("deploy FILE", "Save the YAML of a flow.", flow_commands.deploy, takes="file"),
    "render": Command(
        "render TEXT [--execution ID [--task TASK]] [key=value ...]",
        "Render an expression, on an execution or with the values as its inputs.",
        reference_commands.render,
        valued=("execution", "task"),
    ),
    "expressions": Command(
        "expressions [NAME]",
        "The filters, functions and tests of expressions; one of them.",
        reference_commands.expressions,
    ),
    "doc": Command(
        "doc [TYPE]",
        "The types of tasks and triggers; one of them, with its properties.",
        reference_commands.doc,
        takes="type",
    ),
    "delete": Command("delete NAMESPACE.ID", "Delete a flow; its executions stay.", flow_commands.delete, takes="flow"),
    "chart": Command(
        "chart NAMESPACE.ID", "How long its last executions took; --limit.", flow_commands.chart, (), ("limit",), "flow"
    ),
    "help": Command("help [COMMAND]", "This list; or one command.", _help),
}
