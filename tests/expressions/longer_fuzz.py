"""A longer search for texts that end in anything but a text or a `TemplateError`, guided by what the code does.

Not part of the tests: pip install atheris, then python -m tests.expressions.longer_fuzz -max_total_time=600
"""

from __future__ import annotations

import sys
import time

import atheris

with atheris.instrument_imports(include=["nbflow.expressions"]):
    from nbflow.errors import TemplateError
    from nbflow.expressions import Environment, Limits
    from tests.expressions.test_fuzz import PIECES, VARIABLES

ENVIRONMENT = Environment(Limits(loop_rounds=2000, text_size=100_000, list_size=10_000, seconds=2))
WORDS: tuple[str, ...] = tuple(PIECES.elements)
SLOWEST = 10.0


def one(data: bytes) -> None:
    """Render one text: pieces of templates chosen by the data, with stray characters between them."""
    provider = atheris.FuzzedDataProvider(data)
    pieces = []
    while provider.remaining_bytes() > 0 and len(pieces) < 60:
        if provider.ConsumeIntInRange(0, 9) == 0:
            pieces.append(provider.ConsumeUnicodeNoSurrogates(4))
        else:
            pieces.append(provider.PickValueInList(list(WORDS)))
    text = " ".join(pieces)
    begun = time.monotonic()
    for render in (ENVIRONMENT.render, ENVIRONMENT.render_typed):
        try:
            render(text, VARIABLES)
        except TemplateError as refused:
            str(refused)
    _inspect(text)
    assert time.monotonic() - begun < SLOWEST, f"this took too long: {text!r}"


def _inspect(text: str) -> None:
    try:
        ENVIRONMENT.inspect(text)
    except TemplateError as refused:
        str(refused)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
