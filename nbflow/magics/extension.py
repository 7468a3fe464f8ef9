"""What `%load_ext nbflow` does: two magics, completion, and how an `Execution` shows itself."""

from __future__ import annotations

from typing import Any

from IPython.core.magic import no_var_expand

from nbflow.magics.session import Session

_HANDLE = ("nbflow.engine.handle", "Execution")
_FLOW = ("nbflow.model.flow", "Flow")


def load_ipython_extension(shell: Any) -> None:  # Any: IPython's shell has no types to speak of
    """Register `%flow`, `%%flow` and their completion. Loading it again does nothing."""
    if "flow" in shell.magics_manager.magics["cell"]:
        return
    magics = FlowMagics(Session(shell))
    shell.register_magic_function(magics.line, "line", "flow")
    shell.register_magic_function(magics.cell, "cell", "flow")
    formatters = shell.display_formatter
    if getattr(shell, "kernel", None) is not None:
        formatters.ipython_display_formatter.for_type_by_name(*_HANDLE, magics.session.show_value)
    else:  # a terminal has written `Out[3]: ` already: the text goes behind it
        formatters.formatters["text/plain"].for_type_by_name(*_HANDLE, magics.session.print_value)
    formatters.formatters["text/html"].for_type_by_name(*_FLOW, _flow_html)
    if shell.Completer is not None:
        shell.Completer.custom_matchers.append(magics.matcher)


def unload_ipython_extension(shell: Any) -> None:  # Any: as above
    """Take everything back. Executions go on."""
    magics = shell.magics_manager.magics
    found = magics["cell"].pop("flow", None)
    magics["line"].pop("flow", None)
    for formatter in (
        shell.display_formatter.ipython_display_formatter,
        shell.display_formatter.formatters["text/plain"],
    ):
        formatter.deferred_printers.pop(_HANDLE, None)
        for known in [cls for cls in formatter.type_printers if (cls.__module__, cls.__name__) == _HANDLE]:
            formatter.type_printers.pop(known)
    owner = getattr(found, "__self__", None)
    matchers = shell.Completer.custom_matchers
    matchers[:] = [matcher for matcher in matchers if getattr(matcher, "owner", None) is not owner]


def _flow_html(flow: Any) -> str:  # a nbflow.model.flow.Flow; importing it takes longer than loading may
    from nbflow.widgets.flow import flow_html

    return flow_html(flow)


class FlowMagics:
    """The two magics of one shell. What they do is imported when they are first used."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.matcher = _Matcher(self)

    @no_var_expand  # `{{ … }}` and `$` in a line are the flow's
    def line(self, line: str = "") -> object:
        """Run flows and look at what ran.

        %flow                                         explain the sub-commands
        %flow run NAMESPACE.ID [key=value ...]        run a deployed flow; shows it live and returns its handle
        %flow list | show NAMESPACE.ID                the flows there are; one of them
        %flow executions [NAMESPACE.ID]               what ran, newest first
        %flow gantt | logs | outputs | kill [ID]      of one execution; the last one unless its id is given
        %flow pause | resume | restart | replay [ID]  let it wait; go on; try what failed again; run it anew
        %flow validate | deploy FILE                  check or save a flow's YAML file
        %flow render TEXT [--execution ID|last]       render an expression, on what an execution knows
        %flow expressions [NAME]                      the filters and functions of expressions
        %flow delete NAMESPACE.ID                     delete a flow; its executions stay
        %flow chart NAMESPACE.ID                      how long its last executions took

        Inputs are key=value: name=Ada, name="Ada Lovelace", days=[1,2], data=:variable for the value of a variable.

        Options of `run`: --wait (block until it has ended; interrupting the cell kills it), --check (as --wait, and
        the cell fails unless it succeeds), --timeout SECONDS, --label key=value, --to NAME (a variable for the
        handle), --revision NUMBER, --quiet (show nothing).

        Examples::

            %flow run zoomcamp.01_hello_world name=Ada
            ex = _
            ex.state, ex.outputs, ex.task_runs["hello"].outputs

            %flow run company.team.etl day=2024-01-31 --wait --label team=data
            %flow logs --level WARN
        """
        from nbflow.magics.commands import flow_line

        return flow_line(self.session, line)

    @no_var_expand
    def cell(self, line: str, cell: str) -> object:
        """Validate and deploy the flow in this cell, and show it: its tasks, a form for its inputs, a Run button.

        %%flow [key=value ...] [options]
        id: hello
        namespace: company.team
        tasks:
          - id: hello
            type: io.kestra.plugin.core.log.Log
            message: Hello {{ inputs.name }}

        With inputs (key=value) or one of these options it is run as well, and the handle is the cell's value:

        --run                  run it; the cell returns at once, and shows it live
        --wait                 run it and block until it has ended; interrupting the cell kills it
        --check                as --wait, and the cell fails unless it succeeds
        --timeout SECONDS      wait no longer; the execution goes on
        --label key=value      a label for the execution
        --to NAME              a variable for the handle, also of executions started with the Run button
        --quiet                run it, show nothing
        --validate             only check it

        When something is wrong with the flow, every problem is shown with its place in the cell, and nothing is
        deployed.

        Examples::

            %%flow
            %%flow --run name=Ada
            %%flow --wait day=2024-01-31 --label team=data --to ex
        """
        from nbflow.magics.cell import flow_cell

        return flow_cell(self.session, line, cell)


class _Matcher:
    """Completes lines and cells of the magics; imports what it needs when Tab is first pressed there."""

    matcher_api_version = 2
    matcher_identifier = "nbflow"
    matcher_priority = 200

    def __init__(self, owner: FlowMagics) -> None:
        self.owner = owner
        self.__qualname__ = "nbflow"

    def __call__(self, context: Any) -> dict[str, Any]:  # Any: IPython's CompletionContext and its result
        text = context.full_text.lstrip()
        if not text.startswith(("%%flow", "%flow")) and "%flow" not in context.line_with_cursor:
            return {"completions": [], "suppress": False}
        from nbflow.magics.completion import complete

        result: dict[str, Any] = complete(self.owner.session, context)
        return result
