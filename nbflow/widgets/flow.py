"""Shows a flow: what it is, its tasks and their order, a form for its inputs, and a button that runs it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape

from nbflow.engine import Engine, Execution
from nbflow.errors import InputError, NbflowError, Problem
from nbflow.model.flow import Flow
from nbflow.plugins.graph import flow_graph
from nbflow.scheduler.schedules import table_of
from nbflow.widgets.form import InputForm, inputs_html, inputs_text
from nbflow.widgets.live import show_execution
from nbflow.widgets.moments import away, local
from nbflow.widgets.output import Slot, has_widgets, publish, static_bundle, widget_bundle
from nbflow.widgets.topology import topology_svg, topology_text

_LINES = 4
"""Lines of a description that are shown."""


def show_flow(
    engine: Engine, flow: Flow, on_started: Callable[[Execution], None] | None = None, *, with_form: bool = True
) -> None:
    """Show a flow below the cell that runs; `on_started` gets each execution that the button starts."""
    note = _note(engine, flow)
    publish(static_bundle(flow_html(flow, note), flow_text(flow, note)))
    if with_form and has_widgets() and not flow.disabled and not flow.draft:
        RunForm(engine, flow, on_started).show()


def flow_html(flow: Flow, note: str = "") -> str:
    """Header, description, topology and triggers, with a note below them; static."""
    off = " · <i>disabled</i>" if flow.disabled else " · <i>draft</i>" if flow.draft else ""
    head = f"<div><b>{escape(flow.namespace)}.{escape(flow.id)}</b> · revision {flow.revision or 1}{off}</div>"
    about = "<br>".join(escape(line) for line in _about(flow))
    description = f'<div style="opacity:0.8">{about}</div>' if about else ""
    labels = " ".join(f"<code>{escape(key)}: {escape(value)}</code>" for key, value in flow.label_map.items())
    triggers = "".join(f"<div>⏱ {escape(line)}</div>" for line in _triggers(flow))
    triggers += f"<div><small>{escape(note)}</small></div>" if note else ""
    picture = f'<div style="overflow-x:auto;margin:6px 0">{topology_svg(flow_graph(flow))}</div>'
    return f'<div class="nbflow-flow">{head}{description}{labels}{picture}{triggers}</div>'


def flow_text(flow: Flow, note: str = "") -> str:
    """The same as text."""
    parts = [f"{flow.uid}  revision {flow.revision or 1}", *_about(flow), topology_text(flow_graph(flow))]
    if flow.inputs:
        parts.extend(["inputs:", inputs_text(flow.inputs)])
    parts.extend([*_triggers(flow), *([note] if note else [])])
    parts.append(f"run it: %flow run {flow.uid}" + "".join(f" {declared.id}=…" for declared in flow.inputs))
    return "\n".join(parts)


class RunForm:
    """The form and the button, and a slot below them for the execution that was started last."""

    def __init__(self, engine: Engine, flow: Flow, on_started: Callable[[Execution], None] | None = None) -> None:
        import ipywidgets

        self._engine = engine
        self._flow = flow
        self._on_started = on_started
        self._slot = Slot()
        self.form = InputForm(flow.inputs)
        self.button = ipywidgets.Button(description="Run", icon="play", button_style="primary")
        # A click may come in any thread, and late: it only starts one, so that nobody waits for the engine.
        self.button.on_click(lambda _: threading.Thread(target=self.run, name="nbflow-run", daemon=True).start())
        self.widget = ipywidgets.VBox([self.form.widget, self.button])

    def show(self) -> None:
        """Show the form below the cell that runs."""
        fallback = inputs_html(self._flow.inputs)
        publish(widget_bundle(self.widget, fallback, inputs_text(self._flow.inputs)))
        self._slot.fill(static_bundle("", ""))

    def run(self) -> None:
        """Start an execution with what the form holds, or say beside the fields what is wrong."""
        try:
            self.form.show_problems([])
            execution = self._engine.run(self._flow.namespace, self._flow.id, self.form.values())
        except InputError as refused:
            self.form.show_problems(refused.problems)
        except (NbflowError, OSError) as refused:
            hint = refused.hint if isinstance(refused, NbflowError) else ""
            self.form.show_problems([Problem(str(refused.args[0] if refused.args else refused), hint=hint)])
        else:
            show_execution(self._engine, execution.id, self._slot)
            if self._on_started is not None:
                self._on_started(execution)


def _note(engine: Engine, flow: Flow) -> str:
    """That nothing fires, where that is so and somebody may wait for it."""
    fires = any(table_of(trigger) is not None and not trigger.disabled for trigger in flow.triggers)
    if not fires or flow.disabled or engine.scheduler_status().is_running:
        return ""
    return "No scheduler runs for this home: nothing fires. %flow scheduler tells more."


def _about(flow: Flow) -> list[str]:
    return (flow.description or "").strip().splitlines()[:_LINES]


def _triggers(flow: Flow) -> list[str]:
    lines, now = [], datetime.now(UTC)
    for trigger in flow.triggers:
        when, table = getattr(trigger, "cron", None), table_of(trigger)
        facts = [str(when)] if when else []
        if trigger.disabled or flow.disabled:
            facts.append("disabled")
        elif table is not None:
            date = table.after(now)
            facts.append("no date comes" if date is None else f"next date {local(date)}, {away(date, now)}")
        more = f" ({', '.join(facts)})" if facts else ""
        lines.append(f"{trigger.id}: {trigger.type.rsplit('.', 1)[-1]}{more}")
    return lines
