"""What a cell showed when it ran as a task, as HTML of a notebook: pictures as they are, HTML in a frame of its own."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from nbflow.engine.live.files import StoredFile

_PICTURES = ("image/png", "image/jpeg", "image/svg+xml")
_MOST_BYTES = 4 * 1024 * 1024
"""Of all that is shown at once: it is saved with the notebook."""

_FRAME = '<iframe sandbox style="border:0;width:100%;height:20em;background:white" srcdoc="{}"></iframe>'


def as_html(outputs: Mapping[str, Any]) -> str | None:
    """The HTML of a task's displays; None when it has none."""
    shown = outputs.get("display")
    if not isinstance(shown, list):
        return None
    return "".join(_parts(shown)) or None


def _parts(shown: list[Any]) -> Iterator[str]:
    left = _MOST_BYTES
    for number, one in enumerate(shown):
        mime, file = (one.get("mime"), one.get("uri")) if isinstance(one, Mapping) else (None, None)
        if not (isinstance(mime, str) and isinstance(file, StoredFile)):
            continue
        left -= file.size
        if left < 0:
            yield f"<p>{len(shown) - number} more are in the files of its output <code>display</code>.</p>"
            return
        if mime in _PICTURES:
            data = base64.b64encode(file.read()).decode()
            yield f'<div><img src="data:{mime};base64,{data}" alt="display {number + 1}"></div>'
        elif mime == "text/html":
            yield _FRAME.format(escape(file.text()))
        elif mime.startswith("text/"):
            yield f"<pre>{escape(file.text())}</pre>"
        else:
            yield f"<p>{escape(mime)}: <code>{escape(file.name)}</code></p>"
