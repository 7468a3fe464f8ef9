"""How much one rendering may take, so that no expression can hang or exhaust the process that renders it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one rendering; going over one raises `UnsafeTemplateError`.

    Sizes count characters of text or items of a list; `seconds` is the time of the outermost rendering.
    """

    output_size: int = 32_000_000
    text_size: int = 32_000_000
    list_size: int = 1_000_000
    loop_rounds: int = 1_000_000
    depth: int = 24
    renderings: int = 100
    seconds: float = 20.0
    template_size: int = 2_000_000
    nesting: int = 60
    cache_size: int = 2048
