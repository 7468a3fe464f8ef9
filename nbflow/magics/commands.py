"""The sub-commands of `%flow`: each reads its arguments, calls one verb of the engine and shows the outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from nbflow.engine import Execution
from nbflow.errors import (
    ConflictError,
    ExecutionNotFoundError,
    FlowValidationError,
    NotFoundError,
    UnknownTypeError,
)
from nbflow.magics.arguments import Arguments, read_arguments
from nbflow.magics.errors import FlowCellError
from nbflow.magics.running import RUN_FLAGS, RUN_VALUED, bind, run_flow
from nbflow.magics.session import Session, shows_errors, split_uid
from nbflow.nearest import did_you_mean
from nbflow.widgets.colours import sign
from nbflow.widgets.flow import show_flow
from nbflow.widgets.gantt import seconds
from nbflow.widgets.live import show_execution
from nbflow.widgets.logs import log_html, log_text
from nbflow.widgets.output import publish, static_bundle
from nbflow.widgets.problems import problems_html, problems_text
from nbflow.widgets.values import outputs_of, value_html, value_text


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
    arguments = read_arguments(rest, session.variables, flags=command.flags, valued=command.valued)
    return command.run(session, arguments)


def _run(session: Session, arguments: Arguments) -> Execution:
    return run_flow(session, *split_uid(_one(arguments, "run")), arguments)


def _list(session: Session, arguments: Arguments) -> None:
    namespace = arguments.words[0] if arguments.words else arguments.options.get("namespace")
    flows = session.engine.flows(namespace)
    if not flows:
        _say("There are no flows" + (f" in {namespace}." if namespace else "; deploy one with a %%flow cell."))
        return
    rows = [
        [
            flow.uid,
            str(flow.revision or 1),
            ", ".join(declared.id for declared in flow.inputs),
            "disabled" if flow.disabled else "",
            (flow.description or "").strip().split("\n")[0][:80],
        ]
        for flow in flows
    ]
    _table(["Flow", "Revision", "Inputs", "", "Description"], rows)


def _show(session: Session, arguments: Arguments) -> None:
    flow = session.engine.flow(*split_uid(_one(arguments, "show")))
    show_flow(session.engine, flow)
    if arguments.has("source"):
        publish(static_bundle(f"<pre>{escape(flow.source)}</pre>", flow.source))


def _executions(session: Session, arguments: Arguments) -> None:
    namespace, flow_id = split_uid(arguments.words[0]) if arguments.words else (None, None)
    state = arguments.options.get("state")
    found = session.engine.executions(
        namespace or arguments.options.get("namespace"),
        flow_id,
        state.upper() if state else None,
        arguments.labels,
        limit=arguments.number("limit", 20),
    )
    if not found:
        _say("There are no such executions.")
        return
    rows = [
        [
            f"{sign(execution.state)} {execution.state}",
            f"{execution.namespace}.{execution.flow_id}",
            execution.id,
            execution.start.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
            seconds(execution.duration),
        ]
        for execution in found
    ]
    _table(["State", "Flow", "Execution", "Started", "Duration"], rows)


def _gantt(session: Session, arguments: Arguments) -> None:
    show_execution(session.engine, _execution(session, arguments).id)


def _logs(session: Session, arguments: Arguments) -> None:
    execution = _execution(session, arguments)
    level = arguments.options.get("level")
    levels = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR")
    if level is not None and level.upper() not in levels:
        raise FlowCellError(f"there is no level `{level}`", f"there are {', '.join(levels)}")
    last = arguments.number("last", 200)
    entries = execution.logs(level, arguments.options.get("task"), last=last)
    if not entries:
        _say(f"Execution {execution.id} has written no such lines.")
        return
    publish(static_bundle(log_html(entries), log_text(entries)))


def _outputs(session: Session, arguments: Arguments) -> None:
    execution = _execution(session, arguments)
    shown = outputs_of(execution.outputs, execution.task_runs)
    if not shown:
        _say(f"Execution {execution.id} has put nothing out.")
        return
    publish(static_bundle("".join(map(value_html, shown)), "\n".join(map(value_text, shown))))


def _kill(session: Session, arguments: Arguments) -> None:
    execution = _execution(session, arguments)
    try:
        session.engine.kill(execution.id)
    except ConflictError as ended:
        raise FlowCellError(ended.message) from None
    _say(f"Execution {execution.id} is being killed.")


def _pause(session: Session, arguments: Arguments) -> None:
    execution = _execution(session, arguments)
    paused = _asked(lambda: session.engine.pause(execution.id))
    _say(f"Execution {execution.id} is {paused.state}; %flow resume {execution.id} lets it go on.")


def _resume(session: Session, arguments: Arguments) -> Execution:
    execution = _execution(session, arguments)
    return _shown(session, arguments, lambda: session.engine.resume(execution.id, arguments.inputs))


def _restart(session: Session, arguments: Arguments) -> Execution:
    execution = _execution(session, arguments)
    revision = arguments.number("revision", 1) if arguments.has("revision") else None
    return _shown(session, arguments, lambda: session.engine.restart(execution.id, revision=revision))


def _replay(session: Session, arguments: Arguments) -> Execution:
    execution = _execution(session, arguments)
    revision = arguments.number("revision", 1) if arguments.has("revision") else None
    task = arguments.options.get("from") or arguments.options.get("task")

    def start() -> Execution:
        task_run = execution.task_runs[task].id if task is not None else None
        new: Execution = session.engine.replay(
            execution.id, task_run, revision=revision, inputs=arguments.inputs or None
        )
        return new

    return _shown(session, arguments, start)


def _asked(ask: Callable[[], Execution]) -> Execution:
    try:
        return ask()
    except (ConflictError, NotFoundError) as refused:
        raise FlowCellError(refused.message, refused.hint) from None


def _shown(session: Session, arguments: Arguments, start: Callable[[], Execution]) -> Execution:
    """Ask for something that lets an execution go on, and show it live; returns its handle."""
    execution = _asked(start)
    bind(session, arguments, execution)
    session.mark_shown(execution.id)
    show_execution(session.engine, execution.id)
    return execution


def _validate(session: Session, arguments: Arguments) -> None:
    name, text = _file(arguments, "validate")
    problems = session.engine.validate(text)
    if problems:
        publish(static_bundle(problems_html(problems, text, name), problems_text(problems, text, name)))
    errors = sum(problem.is_error for problem in problems)
    if errors:
        raise FlowCellError(f"{name} is not a valid flow: {errors} problem{'' if errors == 1 else 's'}")
    _say(f"{name} is a valid flow.")


def _deploy(session: Session, arguments: Arguments) -> None:
    name, text = _file(arguments, "deploy")
    try:
        flow = session.engine.deploy(text, strict=True)
    except FlowValidationError as invalid:
        problems = invalid.problems
        publish(static_bundle(problems_html(problems, text, name), problems_text(problems, text, name)))
        raise FlowCellError(f"{name} is not a valid flow; nothing was deployed") from None
    show_flow(session.engine, flow)


def _render(session: Session, arguments: Arguments) -> object:
    from nbflow.expressions import render

    text = _one(arguments, "render", rest=True)
    given = dict(arguments.inputs)
    if "execution" in arguments.options:
        execution = _find_execution(session, arguments.options["execution"])
        return session.engine.render(text, execution.id, task=arguments.options.get("task"), variables=given)
    return render(text, {"inputs": given, "vars": given, **given})


def _expressions(_: Session, arguments: Arguments) -> None:
    from nbflow.expressions import default_environment

    everything = default_environment().reference()
    if not arguments.words:
        _table(("", "how", "what it does"), [(entry.kind, entry.usage, entry.title) for entry in everything])
        return
    name = _one(arguments, "expressions")
    found = [entry for entry in everything if entry.name == name]
    if not found:
        hint = did_you_mean(name, [entry.name for entry in everything])
        raise FlowCellError(f"there is no filter, function or test `{name}`", hint)
    _say("\n\n".join(entry.text for entry in found))


def _doc(_: Session, arguments: Arguments) -> None:
    from nbflow.plugins.pages import markdown, text
    from nbflow.plugins.reference import find_type, reference_of, types_of

    if not arguments.words:
        references = [reference_of(cls) for kind in ("task", "trigger") for cls in types_of(kind)]
        _table(
            ("", "type", "also", "what it is for"),
            [(one.kind, one.name, ", ".join(one.aliases), one.title) for one in references],
        )
        return
    try:
        reference = reference_of(find_type(_one(arguments, "doc")))
    except UnknownTypeError as unknown:
        raise FlowCellError(unknown.message, unknown.hint) from None
    shown = text(reference)
    publish({"text/markdown": markdown(reference), "text/plain": shown})


def _delete(session: Session, arguments: Arguments) -> None:
    uid = _one(arguments, "delete")
    session.engine.delete_flow(*split_uid(uid))
    _say(f"The flow {uid} is deleted; its executions stay.")


def _chart(session: Session, arguments: Arguments) -> object:
    from nbflow.widgets.charts import durations_figure

    uid = _one(arguments, "chart")
    namespace, flow_id = split_uid(uid)
    session.engine.flow(namespace, flow_id)
    return durations_figure(uid, session.engine.executions(namespace, flow_id, limit=arguments.number("limit", 50)))


def _help(_session: Session, arguments: Arguments) -> None:
    if arguments.words and arguments.words[0] in COMMANDS:
        command = COMMANDS[arguments.words[0]]
        _say(f"%flow {command.usage}\n{command.about}")
        return
    usages = [(f"%flow {command.usage}", command.about) for command in COMMANDS.values()]
    width = max(len(usage) for usage, _ in usages)
    head = "Put a flow's YAML under %%flow to deploy it, under %%flow --run to run it. Then:"
    _say("\n".join([head, *(f"  {usage:<{width}}  {about}" for usage, about in usages)]))


def _one(arguments: Arguments, command: str, *, rest: bool = False) -> str:
    """The word that a command wants. Raises: FlowCellError with its usage."""
    if not arguments.words or (len(arguments.words) > 1 and not rest):
        extra = f"`{arguments.words[1]}` is one word too many" if arguments.words else "something is missing"
        raise FlowCellError(extra, f"%flow {COMMANDS[command].usage}")
    return " ".join(arguments.words)


def _execution(session: Session, arguments: Arguments) -> Execution:
    """The execution that is named; the last one when none is."""
    return _find_execution(session, arguments.words[0] if arguments.words else "last")


def _find_execution(session: Session, wanted: str) -> Execution:
    """The execution of an id, of a variable that holds it, or the `last` one."""
    engine = session.engine
    if wanted == "last":
        newest: list[Execution] = engine.executions(limit=1)
        if not newest:
            raise FlowCellError("nothing has run yet", "%flow run NAMESPACE.ID")
        return newest[0]
    held = session.variables.get(wanted)
    if isinstance(held, Execution):
        return held
    try:
        found: Execution = engine.execution(wanted)
    except ExecutionNotFoundError as missing:
        hint = did_you_mean(wanted, [execution.id for execution in engine.executions(limit=100)])
        raise FlowCellError(missing.message, hint or "`%flow executions` shows those there are") from None
    return found


def _file(arguments: Arguments, command: str) -> tuple[str, str]:
    path = Path(_one(arguments, command)).expanduser()
    try:
        return str(path), path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise FlowCellError(f"{path} is not UTF-8 text") from None
    except OSError as cause:
        raise FlowCellError(f"{path} cannot be read: {cause.strerror}") from None


def _say(text: str) -> None:
    publish(static_bundle(f"<pre>{escape(text)}</pre>", text))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    widths = [max(len(cell) for cell in column) for column in zip(heads, *rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in (heads, *rows)
    ]
    html = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    publish(static_bundle(html, "\n".join(lines)))


COMMANDS: dict[str, Command] = {
    "run": Command(
        "run NAMESPACE.ID [key=value ...]",
        "Run a deployed flow, show it live, return its handle. Options: --wait --check --timeout --label --to --quiet",
        _run,
        RUN_FLAGS,
        RUN_VALUED,
        "flow",
    ),
    "list": Command("list [NAMESPACE]", "The flows there are.", _list, (), ("namespace",), "namespace"),
    "show": Command("show NAMESPACE.ID", "One flow, with a form to run it; --source.", _show, ("source",), (), "flow"),
    "executions": Command(
        "executions [NAMESPACE.ID]",
        "What ran, newest first. Options: --state --label --namespace --limit",
        _executions,
        (),
        ("state", "namespace", "limit"),
        "flow",
    ),
    "gantt": Command("gantt [ID]", "An execution, live; the last one if no id is given.", _gantt, takes="execution"),
    "logs": Command(
        "logs [ID]",
        "The last lines of its log. Options: --level --task --last",
        _logs,
        (),
        ("level", "task", "last"),
        "execution",
    ),
    "outputs": Command("outputs [ID]", "What its flow and its tasks put out.", _outputs, takes="execution"),
    "kill": Command("kill [ID]", "End it, and every process it started.", _kill, takes="execution"),
    "pause": Command("pause [ID]", "Let no task of it begin until it is resumed.", _pause, takes="execution"),
    "resume": Command(
        "resume [ID] [key=value ...]",
        "Let it go on after a pause, with the inputs it asks for.",
        _resume,
        (),
        ("to",),
        "execution",
    ),
    "restart": Command(
        "restart [ID]",
        "Give its failed tasks another attempt; --revision.",
        _restart,
        (),
        ("revision", "to"),
        "execution",
    ),
    "replay": Command(
        "replay [ID] [key=value ...]",
        "Run it again as a new one, from a task on with --from; --revision.",
        _replay,
        (),
        ("from", "task", "revision", "to"),
        "execution",
    ),
    "validate": Command("validate FILE", "Check the YAML of a flow.", _validate, takes="file"),
    "deploy": Command("deploy FILE", "Save the YAML of a flow.", _deploy, takes="file"),
    "render": Command(
        "render TEXT [--execution ID [--task TASK]] [key=value ...]",
        "Render an expression, on an execution or with the values as its inputs.",
        _render,
        valued=("execution", "task"),
    ),
    "expressions": Command(
        "expressions [NAME]", "The filters, functions and tests of expressions; one of them.", _expressions
    ),
    "doc": Command(
        "doc [TYPE]", "The types of tasks and triggers; one of them, with its properties.", _doc, takes="type"
    ),
    "delete": Command("delete NAMESPACE.ID", "Delete a flow; its executions stay.", _delete, takes="flow"),
    "chart": Command(
        "chart NAMESPACE.ID", "How long its last executions took; --limit.", _chart, (), ("limit",), "flow"
    ),
    "help": Command("help [COMMAND]", "This list; or one command.", _help),
}
