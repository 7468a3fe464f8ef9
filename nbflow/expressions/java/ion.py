"""Ion."""
from __future__ import annotations
def ion_text(value: object) -> str: raise NotImplementedError
def read_ion(text: str) -> object: raise NotImplementedError
