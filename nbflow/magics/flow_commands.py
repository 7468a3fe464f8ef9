"""The sub-commands of `%flow` about flows: list, show, validate, deploy, delete, chart."""

from __future__ import annotations

from html import escape
from pathlib import Path

from nbflow.errors import FlowValidationError
from nbflow.magics.answers import one_word, read_file, say, table
from nbflow.magics.arguments import Arguments
from nbflow.magics.errors import FlowCellError
from nbflow.magics.session import Session, split_uid
from nbflow.widgets.flow import show_flow
from nbflow.widgets.output import publish, static_bundle
from nbflow.widgets.problems import problems_html, problems_text


def list_flows(session: Session, arguments: Arguments) -> None:
    """List the flows there are."""
    namespace = arguments.words[0] if arguments.words else arguments.options.get("namespace")
    flows = session.engine.flows(namespace)
    if not flows:
        say("There are no flows" + (f" in {namespace}." if namespace else "; deploy one with a %%flow cell."))
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
    table(["Flow", "Revision", "Inputs", "", "Description"], rows)


def show(session: Session, arguments: Arguments) -> None:
    """Show one flow, with a form to run it."""
    flow = session.engine.flow(*split_uid(one_word(arguments, "show NAMESPACE.ID")))
    show_flow(session.engine, flow)
    if arguments.has("source"):
        publish(static_bundle(f"<pre>{escape(flow.source)}</pre>", flow.source))


def validate(session: Session, arguments: Arguments) -> None:
    """Check the YAML of a file."""
    name, text = _file(arguments, "validate FILE")
    problems = session.engine.validate(text)
    if problems:
        publish(static_bundle(problems_html(problems, text, name), problems_text(problems, text, name)))
    errors = sum(problem.is_error for problem in problems)
    if errors:
        raise FlowCellError(f"{name} is not a valid flow: {errors} problem{'' if errors == 1 else 's'}")
    say(f"{name} is a valid flow.")


def deploy(session: Session, arguments: Arguments) -> None:
    """Save the YAML of a file."""
    name, text = _file(arguments, "deploy FILE")
    try:
        flow = session.engine.deploy(text, strict=True)
    except FlowValidationError as invalid:
        problems = invalid.problems
        publish(static_bundle(problems_html(problems, text, name), problems_text(problems, text, name)))
        raise FlowCellError(f"{name} is not a valid flow; nothing was deployed") from None
    show_flow(session.engine, flow)


def delete(session: Session, arguments: Arguments) -> None:
    """Delete a flow."""
    uid = one_word(arguments, "delete NAMESPACE.ID")
    session.engine.delete_flow(*split_uid(uid))
    say(f"The flow {uid} is deleted; its executions stay.")


def chart(session: Session, arguments: Arguments) -> object:
    """Draw how long the executions of a flow took."""
    from nbflow.widgets.charts import durations_figure

    uid = one_word(arguments, "chart NAMESPACE.ID")
    namespace, flow_id = split_uid(uid)
    session.engine.flow(namespace, flow_id)
    return durations_figure(uid, session.engine.executions(namespace, flow_id, limit=arguments.number("limit", 50)))


def _file(arguments: Arguments, usage: str) -> tuple[str, str]:
    path = Path(one_word(arguments, usage)).expanduser()
    return str(path), read_file(path)
