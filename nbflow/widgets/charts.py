"""How long the last executions of a flow took, as a plotly figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nbflow.engine import Execution
from nbflow.errors import MissingExtraError
from nbflow.widgets.colours import STATE_COLOURS


def durations_figure(title: str, executions: Sequence[Execution]) -> Any:  # Any: plotly has no types
    """A bar for each execution, oldest first, in the colour of its state. Raises: MissingExtraError."""
    try:
        from plotly import graph_objects
    except ModuleNotFoundError as missing:
        raise MissingExtraError(
            f"charts need the package `{missing.name}`, which is not installed", hint="pip install plotly"
        ) from missing
    oldest_first = list(reversed(executions))
    figure = graph_objects.Figure()
    for state in dict.fromkeys(execution.state for execution in oldest_first):
        found = [execution for execution in oldest_first if execution.state is state]
        figure.add_bar(
            name=str(state),
            x=[execution.start for execution in found],
            y=[execution.duration.total_seconds() for execution in found],
            customdata=[[execution.id] for execution in found],
            hovertemplate="%{x}<br>%{y:.2f} s<br>%{customdata[0]}<extra>%{fullData.name}</extra>",
            marker_color=STATE_COLOURS[state],
        )
    figure.update_xaxes(type="category", tickformat="%H:%M:%S", title="started (UTC)")
    figure.update_yaxes(title="seconds", rangemode="tozero")
    figure.update_layout(title=title, height=320, margin={"l": 50, "r": 20, "t": 40, "b": 60}, barmode="overlay")
    return figure
