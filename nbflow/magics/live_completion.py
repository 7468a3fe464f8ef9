"""What Tab offers behind `ex.outputs.` and within `ex["task"]["`: IPython itself does not look into outputs."""

from __future__ import annotations

import re
from typing import Any

from IPython.core.completer import SimpleCompletion

from nbflow.engine import Execution
from nbflow.engine.live.views import View
from nbflow.errors import NbflowError
from nbflow.magics.session import Session

_ATTRIBUTES = re.compile(r"([A-Za-z_]\w*)\.outputs((?:\.[A-Za-z_]\w*)*)\.(\w*)$")
_KEYS = re.compile(r"""([A-Za-z_]\w*)\[(["'])([^"']+)\2\]\[["']([^"'\]]*)$""")


def complete_live(session: Session, before: str) -> dict[str, Any] | None:  # Any: IPython's result of a matcher
    """Completions at the end of a text; None where it is not about an execution. Opens no file."""
    attributes, keys = _ATTRIBUTES.search(before), _KEYS.search(before)
    match = attributes or keys
    held = session.variables.get(match[1]) if match else None
    if match is None or not isinstance(held, Execution):
        return None
    fragment = match[3] if attributes else match[4]
    try:
        names = _attributes(held, match[2].split(".")[1:]) if attributes else held[match[3]]._ipython_key_completions_()
    except (NbflowError, KeyError):  # no such task or output: nothing to offer
        names = []
    found = [SimpleCompletion(text=name, type="instance") for name in names if name.startswith(fragment)]
    return {"completions": found, "suppress": bool(found), "matched_fragment": fragment, "ordered": True}


def _attributes(execution: Execution, path: list[str]) -> list[str]:
    value: object = execution.outputs
    for name in path:
        if not isinstance(value, View):
            return []
        value = value._find(name)
    if isinstance(value, View):
        return [name for name in value._names() if name.isidentifier()] or []
    return []
