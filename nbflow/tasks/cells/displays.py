"""What a cell shows while it runs as a task: text goes to the log, pictures and tables to files. Imports no nbflow.

Figures of matplotlib are shown as in a notebook: by `plt.show()`, as the last expression, or at the end of the cell.
"""

from __future__ import annotations

import base64
import importlib
import importlib.abc
import importlib.util
import io
import json
import os
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

MOST = 50
MOST_BYTES = 16 * 1024 * 1024
_KINDS = {
    "application/vnd.plotly.v1+json": (".plotly.json", ""),
    "image/png": (".png", "_repr_png_"),
    "image/jpeg": (".jpg", "_repr_jpeg_"),
    "image/svg+xml": (".svg", "_repr_svg_"),
    "text/html": (".html", "_repr_html_"),
    "text/markdown": (".md", "_repr_markdown_"),
    "text/latex": (".tex", "_repr_latex_"),
}
"""How things may be shown, the richest first: the ending of the file, the method that gives it."""

_DRAWING = "nbflow_cell_drawing"


class Displays:
    """What one cell has shown so far; `entries` are {"mime", "file"}, the files in the folder `target`."""

    def __init__(self, target: str) -> None:
        self.entries: list[dict[str, str]] = []
        self._target = target
        self._bytes = 0
        self._left_out = 0
        self._drawn: set[int] = set()

    def show(self, *values: Any, raw: bool = False, **_: object) -> None:
        """What `display` does here."""
        for value in values:
            bundle = value if raw and isinstance(value, Mapping) else None
            if bundle is not None:
                print(bundle.get("text/plain", f"<{', '.join(bundle)}>"))
            else:
                print(_text(value))
            self._keep(*self._rich(value, bundle))

    def figures(self, *_: object, **__: object) -> None:
        """Show the open figures of pyplot and close them, as `plt.show()` does in a notebook."""
        pyplot: Any = sys.modules.get("matplotlib.pyplot")
        if pyplot is None:
            return
        for number in pyplot.get_fignums():
            figure = pyplot.figure(number)
            if id(figure) not in self._drawn:
                print(repr(figure))
                self._keep("image/png", self._picture(figure))
        pyplot.close("all")
        self._drawn.clear()

    def end(self) -> None:
        """Show what is still open, and say what was left out."""
        self.figures()
        if self._left_out:
            print(f"{self._left_out} more displays are not kept: {MOST} of {MOST_BYTES >> 20} MiB in all are the limit")

    def follow(self) -> None:
        """Have matplotlib and IPython show things here, as soon as the cell imports them."""
        if importlib.util.find_spec("IPython") is not None:
            os.environ.setdefault("PLOTLY_RENDERER", "plotly_mimetype")  # `fig.show()` would look for a browser
        wanted: dict[str, Callable[[Any], None]] = {
            "matplotlib.pyplot": self._draw_here,
            "IPython.core.display_functions": self._display_here,
        }
        for name, then in list(wanted.items()):
            if name in sys.modules:
                del wanted[name]
                then(sys.modules[name])
        sys.meta_path.insert(0, _Follower(wanted))

    def _draw_here(self, pyplot: Any) -> None:
        if os.environ.get("MPLBACKEND", "agg").lower() != "agg":  # somebody has chosen one
            return
        drawing: Any = types.ModuleType(_DRAWING)
        drawing.FigureCanvas = importlib.import_module("matplotlib.backends.backend_agg").FigureCanvasAgg
        drawing.show = self.figures
        sys.modules[_DRAWING] = drawing
        pyplot.switch_backend(f"module://{_DRAWING}")

    def _display_here(self, functions: Any) -> None:
        functions.display = self.show
        if display := sys.modules.get("IPython.display"):
            display.display = self.show  # type: ignore[attr-defined]  # a module has what it is given

    def _rich(self, value: Any, bundle: Mapping[str, Any] | None) -> tuple[str, bytes]:
        """The richest way to show a value; nothing when it is text."""
        if isinstance(value, type):
            return "", b""
        if bundle is None and type(value).__module__.startswith("matplotlib.") and hasattr(value, "savefig"):
            return "image/png", self._picture(value)
        try:
            if bundle is None and callable(getattr(value, "_repr_mimebundle_", None)):
                given = value._repr_mimebundle_()
                bundle = given[0] if isinstance(given, tuple) else given
            for mime, (_, method) in _KINDS.items():
                found = (bundle or {}).get(mime)
                if found is None and method and callable(getattr(value, method, None)):
                    found = getattr(value, method)()
                    found = found[0] if isinstance(found, tuple) else found
                if found is not None:
                    return mime, _content(mime, found)
        except Exception as failed:  # as in a notebook: what cannot be drawn is text
            print(f"{type(value).__name__} cannot be shown: {failed!r}", file=sys.stderr)
        return "", b""

    def _picture(self, figure: Any) -> bytes:
        self._drawn.add(id(figure))
        content = io.BytesIO()
        figure.savefig(content, format="png", bbox_inches="tight")
        return content.getvalue()

    def _keep(self, mime: str, content: bytes) -> None:
        if not mime:
            return
        if len(self.entries) >= MOST or self._bytes + len(content) > MOST_BYTES:
            self._left_out += 1
            return
        number = len(self.entries) + 1
        while os.path.exists(path := os.path.join(self._target, f"display-{number}{_KINDS[mime][0]}")):
            number += 1
        with open(path, "wb") as file:
            file.write(content)
        self._bytes += len(content)
        self.entries.append({"mime": mime, "file": os.path.basename(path)})


def _text(value: Any) -> str:
    markdown = getattr(value, "_repr_markdown_", None)
    has_own = getattr(type(value), "__repr__", None) is not object.__repr__
    return str(markdown()) if callable(markdown) and not has_own else repr(value)


def _content(mime: str, found: Any) -> bytes:
    if isinstance(found, bytes):
        return found
    if isinstance(found, str):
        return base64.b64decode(found) if mime in ("image/png", "image/jpeg") else found.encode()
    return json.dumps(found).encode()


class _Follower(importlib.abc.MetaPathFinder):
    """Does something with a module once it is imported."""

    def __init__(self, then: dict[str, Callable[[Any], None]]) -> None:
        self._then = then

    def find_spec(self, name: str, path: object, target: object = None) -> Any:
        then = self._then.pop(name, None)
        if then is None:
            return None
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return None
        loader: Any = spec.loader
        load = loader.exec_module

        def load_and_go_on(module: Any) -> None:
            load(module)
            then(module)

        loader.exec_module = load_and_go_on
        return spec
