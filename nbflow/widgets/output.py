"""Where views land: a slot in a cell's output that can be filled again later, from any thread."""

from __future__ import annotations

from typing import Any

from nbflow.types import new_id

WIDGET_MIME = "application/vnd.jupyter.widget-view+json"

Bundle = dict[str, Any]  # Any: what a mime type holds, text or JSON


def shell() -> Any:  # Any: IPython's shell, or None outside of IPython
    """The IPython shell of this process."""
    from IPython.core.getipython import get_ipython

    return get_ipython()


def has_widgets() -> bool:
    """Whether this is a kernel: only there can somebody show a widget."""
    return getattr(shell(), "kernel", None) is not None


def widget_bundle(widget: Any, html: str, text: str) -> Bundle:  # Any: an ipywidgets widget
    """A live widget, with what is shown where there are none, or no more."""
    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    return {WIDGET_MIME: view, **static_bundle(html, text)}


def static_bundle(html: str, text: str) -> Bundle:
    return {"text/html": html, "text/plain": text}


def publish(bundle: Bundle) -> None:
    """Show something below the cell that runs."""
    Slot().fill(bundle)


class Slot:
    """A place in the output of the cell that runs when it is first filled.

    Later contents replace the first one, wherever and whenever they come from: hosts find the place by its id.
    """

    def __init__(self) -> None:
        self.id = f"nbflow-{new_id()}"
        self._is_filled = False

    def fill(self, bundle: Bundle) -> None:
        """Show a bundle here. Does nothing outside of IPython."""
        current = shell()
        if current is None:
            return
        transient = {"display_id": self.id} if has_widgets() else {}
        if self._is_filled and not transient:  # a terminal cannot take back what it has printed
            return
        current.display_pub.publish(bundle, metadata={}, transient=transient, update=self._is_filled)
        self._is_filled = True
