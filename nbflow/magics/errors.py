"""The error that ends a cell without a traceback: the cell counts as failed, and "Run all" stops there."""

from __future__ import annotations


class FlowCellError(Exception):
    """What went wrong, in one line, and how to mend it; details have been shown in the cell already."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.args[0]} ({self.hint})" if self.hint else str(self.args[0])

    def _render_traceback_(self) -> list[str]:
        """IPython shows this in place of a traceback."""
        lines = [f"\x1b[0;31mflow:\x1b[0m {self.args[0]}"]
        return [*lines, f"  mend: {self.hint}"] if self.hint else lines
