"""The sub-commands of `%flow` that explain: expressions and what they render to, types and their properties."""

from __future__ import annotations

from nbflow.errors import UnknownTypeError
from nbflow.magics.answers import find_execution, one_word, say, table
from nbflow.magics.arguments import Arguments
from nbflow.magics.errors import FlowCellError
from nbflow.magics.session import Session
from nbflow.nearest import did_you_mean
from nbflow.widgets.output import publish


def render(session: Session, arguments: Arguments) -> object:
    """Render an expression."""
    from nbflow.expressions import render

    text = one_word(arguments, "render TEXT [--execution ID [--task TASK]] [key=value ...]", rest=True)
    given = dict(arguments.inputs)
    if "execution" in arguments.options:
        execution = find_execution(session, arguments.options["execution"])
        return session.engine.render(text, execution.id, task=arguments.options.get("task"), variables=given)
    return render(text, {"inputs": given, "vars": given, **given})


def expressions(_: Session, arguments: Arguments) -> None:
    """List the filters, functions and tests; or explain one."""
    from nbflow.expressions import default_environment

    everything = default_environment().reference()
    if not arguments.words:
        table(("", "how", "what it does"), [(entry.kind, entry.usage, entry.title) for entry in everything])
        return
    name = one_word(arguments, "expressions [NAME]")
    found = [entry for entry in everything if entry.name == name]
    if not found:
        hint = did_you_mean(name, [entry.name for entry in everything])
        raise FlowCellError(f"there is no filter, function or test `{name}`", hint)
    say("\n\n".join(entry.text for entry in found))


def doc(_: Session, arguments: Arguments) -> None:
    """List the types of tasks and triggers; or explain one."""
    from nbflow.plugins.pages import markdown, text
    from nbflow.plugins.reference import find_type, reference_of, types_of

    if not arguments.words:
        references = [reference_of(cls) for kind in ("task", "trigger") for cls in types_of(kind)]
        table(
            ("", "type", "also", "what it is for"),
            [(one.kind, one.name, ", ".join(one.aliases), one.title) for one in references],
        )
        return
    try:
        reference = reference_of(find_type(one_word(arguments, "doc [TYPE]")))
    except UnknownTypeError as unknown:
        raise FlowCellError(unknown.message, unknown.hint) from None
    shown = text(reference)
    publish({"text/markdown": markdown(reference), "text/plain": shown})
