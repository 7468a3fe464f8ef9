"""DecimalFormat."""
from __future__ import annotations
def format_number(value: object, pattern: str | None) -> str: raise NotImplementedError
