"""What a notebook says to the flow that runs it: `nbflow.outputs` and `nbflow.stop`. Imports nothing of nbflow.

The text of this file is also sent into kernels whose environment has no nbflow: `import nbflow` gives it there.
"""

from __future__ import annotations

import json
import sys
from typing import Any, NoReturn

OUTPUTS = "application/vnd.nbflow.outputs+json"
STOP = "application/vnd.nbflow.stop+json"


class Stop(BaseException):
    """Ends a notebook early. No `except Exception` of the notebook catches it, and it shows no traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"stopped: {self}" if str(self) else "stopped"]


def outputs(values: Any = None, /, **named: Any) -> None:
    """Hand values to the execution: `{{ outputs.task.vars.rows }}` sees them. Said again, a name takes the new value.

    Works in notebooks and in script tasks. Example: `nbflow.outputs({"rows": len(df)})`, `nbflow.outputs(rows=3)`.
    """
    said = json.loads(json.dumps({**(values or {}), **named}, default=_plain))
    if _in_kernel():
        shown = ", ".join(f"{name}={json.dumps(value)}" for name, value in said.items())
        _display({OUTPUTS: said, "text/plain": f"outputs: {shown}"})
    else:
        _print("::" + json.dumps({"outputs": said}) + "::")


def stop(message: str = "", *, state: str = "SUCCESS") -> NoReturn:
    """End the notebook here, as SUCCESS, SKIPPED or WARNING, and without a traceback: nothing is wrong.

    Example: `nbflow.stop("no data today")`, `nbflow.stop("not a working day", state="SKIPPED")`.
    """
    if state not in ("SUCCESS", "SKIPPED", "WARNING"):
        raise ValueError(f"`state` must be SUCCESS, SKIPPED or WARNING, got {state!r}")
    if not _in_kernel():
        if message:
            _print(message)
        sys.exit(0)
    text = f"stopped: {message}" if message else "stopped"
    _display({STOP: {"message": str(message), "state": state}, "text/plain": text})
    raise Stop(message)


def _plain(value: Any) -> Any:
    """A value that JSON does not have, as one that it has: numbers of NumPy, dates, sets, data frames."""
    for name in ("isoformat", "tolist", "item"):
        if callable(getattr(value, name, None)):
            return getattr(value, name)()
    if callable(getattr(value, "to_dict", None)):
        try:
            return value.to_dict(orient="records")
        except TypeError:
            return value.to_dict()
    return sorted(value, key=str) if isinstance(value, (set, frozenset)) else str(value)


def _in_kernel() -> bool:
    shell = sys.modules.get("IPython")
    current = shell.get_ipython() if shell is not None else None
    return current is not None and getattr(current, "kernel", None) is not None


def _display(data: dict[str, Any]) -> None:
    from IPython.display import display

    display(data, raw=True)  # type: ignore[no-untyped-call]


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
