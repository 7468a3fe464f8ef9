"""What `%load_ext nbflow` does: two magics, completion, and how an `Execution` shows itself."""

from __future__ import annotations

import sys
from typing import Any

from IPython.core.magic import no_var_expand

from nbflow.magics.session import Session
from nbflow.magics.task_cell import TaskCells, call_instead_of_magic

_HANDLE = ("nbflow.engine.handle", "Execution")
_FLOW = ("nbflow.model.flow", "Flow")


def load_ipython_extension(shell: Any) -> None:  # Any: IPython's shell has no types to speak of
    """Register `%flow`, `%%flow` and their completion. Loading it again does nothing."""
    if "flow" in shell.magics_manager.magics["cell"]:
        return
    magics = FlowMagics(Session(shell))
    shell.register_magic_function(magics.line, "line", "flow")
    shell.register_magic_function(magics.cell, "cell", "flow")
    shell.register_magic_function(magics.tests, "cell", "flowtest")
    _listen(shell, TaskMagics(magics.session))
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
    _listen_no_more(shell, magics["cell"].pop("task", None))
    magics["cell"].pop("flowtest", None)
    magics["line"].pop("task", None)
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


def _listen(shell: Any, magics: TaskMagics) -> None:  # Any: as above
    """Register `%%task`, and hear of every cell: the code of plain ones may be what tasks need."""
    shell.register_magic_function(magics.line, "line", "task")
    shell.register_magic_function(magics.cell, "cell", "task")
    shell.input_transformers_cleanup.append(call_instead_of_magic)
    shell.events.register("post_run_cell", magics.ran)
    ran = getattr(shell.history_manager, "input_hist_raw", [""])
    magics.session.record.before(list(ran[1 : shell.execution_count]))


def _listen_no_more(shell: Any, cell_magic: Any) -> None:  # Any: as above
    if call_instead_of_magic in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(call_instead_of_magic)
    owner = getattr(cell_magic, "__self__", None)
    if owner is not None:
        shell.events.unregister("post_run_cell", owner.ran)


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
        %flow new NAME [input=value ...]              name the flow of the %%task cells, and its inputs
        %flow run [key=value ...]                     run the flow of the %%task cells
        %flow tasks | forget NAME | export [FILE]     its tasks; take one out; its YAML
        %flow run NAMESPACE.ID [key=value ...]        run a deployed flow; shows it live and returns its handle
        %flow sql [SELECT ... FROM executions]        query the history; alone: its tables and columns
        %flow diff [A [B]]                            what differs between two executions
        %flow list | show NAMESPACE.ID                the flows there are; one of them
        %flow executions [NAMESPACE.ID]               what ran, newest first
        %flow gantt | logs | outputs | kill [ID]      of one execution; the last one unless its id is given
        %flow pause | resume | restart | replay [ID]  let it wait; go on; try what failed again; run it anew
        %flow validate | deploy FILE                  check or save a flow's YAML file
        %flow render TEXT [--execution ID|last]       render an expression, on what an execution knows
        %flow expressions [NAME]                      the filters and functions of expressions
        %flow delete NAMESPACE.ID                     delete a flow; its executions stay
        %flow chart NAMESPACE.ID                      how long its last executions took
        %flow triggers | next | simulate NAMESPACE.ID what starts flows, when it fires, every date of some weeks
        %flow trigger enable | disable | unlock ID    switch NAMESPACE.FLOW.TRIGGER
        %flow backfill NAMESPACE.ID --start DATE      run past dates of its schedule; --end --dry-run --parallelism
        %flow scheduler                               whether one runs, where, and what was missed

        Inputs are key=value: name=Ada, name="Ada Lovelace", days=[1,2], data=:variable for the value of a variable.
        A data frame becomes a Parquet file for an input of type FILE, its records for one of type JSON or ARRAY.

        Options of `run`: --wait (block until it has ended; interrupting the cell kills it), --check (as --wait, and
        the cell fails unless it succeeds), --timeout SECONDS, --label key=value, --to NAME (a variable for the
        handle), --revision NUMBER, --quiet (show nothing), --detach (let a server of this home run it).

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
        --detach               let a server of this home run it: it goes on when the kernel ends
        --simulate             only show what its schedules would do; --from DATE --days 30
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

    @no_var_expand
    def tests(self, line: str, cell: str) -> None:
        """Run the test suite in this cell, and show which of its assertions hold.

        %%flowtest [CASE ...] [options]
        id: hello_tests
        namespace: company.team
        flowId: hello
        testCases:
          - id: greets
            fixtures:
              inputs: {name: Ada}
              tasks: [{id: notify, outputs: {code: 200}}]
            assertions:
              - value: "{{ outputs.greet.value }}"
                equalTo: Hello Ada

        A suite that names no flow is about that of the notebook's %%task cells. Each case runs in a home of its own:
        tasks with fixtures do not run, and nothing that is written stays.

        --check         the cell fails unless all cases succeed
        --parallel N    cases to run at the same time
        --to NAME       a variable for the result
        """
        from nbflow.magics.flowtest_cell import flowtest_cell

        flowtest_cell(self.session, line, cell)


class TaskMagics(TaskCells):
    """`%%task` of one shell, with what `%%task?` tells of it."""

    @no_var_expand
    def line(self, line: str = "") -> None:
        """The first line of a `%%task` cell of Python; see `%%task?`."""
        super().line(line)

    @no_var_expand
    def cell(self, line: str, cell: str) -> object:
        """Run a cell as usual, and make it a task of the notebook's flow.

        %%task NAME [options]

        What the task needs is inferred from its code: a name it reads that another task defines is taken from there;
        imports, functions and constants of plain cells come along. `%flow run` runs all tasks, each in a process of
        its own; `%flow tasks` lists them; `%flow export FILE` writes the flow as YAML. Running the cell again
        replaces the task; `%flow forget NAME` takes it out.

        --needs a,b            come after these tasks, and take values from these alone
        --in name,name=task    values to take, and from where
        --out x,y              names to hand on; those that later tasks read are handed on anyway
        --type KIND            python (as usual), sql, shell, markdown, notebook
        --retry N              try N times in all; --interval PT10S apart
        --timeout PT5M         longest time one try may take
        --env NAME=value       a variable of the environment; may be repeated
        --dependencies a,b     packages of PyPI to run it with
        --description TEXT     what it is for
        --norun                make it a task without running it here

        A cell of SQL runs in DuckDB: data frames are tables, plain values are `$name`, and its last rows become a
        data frame called as the task, or as --out says. A cell of shell commands finds values as variables, one of
        Markdown in `{{ name }}`. One of type notebook is the path of a notebook, with `parameters: {rows: 3}` and other
        properties of its task below; `--in x` is a parameter, and `--out y` what it gives with `nbflow.outputs`.

        Inputs: `%flow new etl rows=5 day=2024-01-31` makes `rows` and `day` names of the kernel, and inputs of the
        flow: `%flow run rows=10`.

        Examples::

            %%task extract
            %%task clean --retry 3 --timeout PT5M
            %%task load --needs clean
            %%task totals --type sql
        """
        return super().cell(line, cell)


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
        if text.startswith("%%flowtest"):
            return {"completions": [], "suppress": False}
        if not text.startswith(("%%flow", "%flow", "%%task")) and "%flow" not in context.line_with_cursor:
            return self._live(context.text_until_cursor) or {"completions": [], "suppress": False}
        from nbflow.magics.completion import complete

        result: dict[str, Any] = complete(self.owner.session, context)
        return result

    def _live(self, before: str) -> dict[str, Any] | None:
        """What was put out, behind `ex.outputs.` and `ex["task"]["`."""
        if ".outputs." not in before and not ("][" in before and "nbflow.engine" in sys.modules):
            return None
        from nbflow.magics.live_completion import complete_live

        return complete_live(self.owner.session, before)
