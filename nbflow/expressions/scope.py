"""What one rendering knows while it runs: variables, names set on the way, services, and how much it has used up."""

from __future__ import annotations

import time
from collections import ChainMap
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Protocol

from nbflow.clock import Clock
from nbflow.errors import TemplateError, UnsafeTemplateError
from nbflow.expressions.limits import Limits
from nbflow.expressions.services import Services
from nbflow.expressions.values import AuthorText, Own

Body = Callable[["Scope"], Generator[str, None, None]]
"""A compiled template, or one of its macros and blocks: yields the pieces of its text."""

_BUILT_IN: dict[str, object] = {"locale": "en"}


class Missing(Exception):  # noqa: N818  # internal: turns into an error at the surface
    """A name that does not exist; `??`, `default` and `is defined` answer it."""

    def __init__(self, name: object, holder: object = None) -> None:
        super().__init__(name)
        self.name = name
        self.holder = holder


class Renderer(Protocol):
    """What a scope asks of the environment that it belongs to."""

    @property
    def limits(self) -> Limits: ...
    @property
    def clock(self) -> Clock: ...
    def render_nested(self, text: str, scope: Scope, *, is_recursive: bool) -> str: ...


class Budget:
    """What a rendering and all renderings inside it have used of their limits."""

    __slots__ = ("changed", "deadline", "depth", "limits", "printed", "rounds", "texts")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.deadline = 0.0
        self.printed = 0
        self.rounds = 0
        self.depth = 0
        self.texts: list[str] = []
        self.changed: dict[int, tuple[object, Own]] = {}

    def tick(self) -> None:
        """Count a round of a loop, a call or a rendering. Raises: UnsafeTemplateError."""
        self.rounds += 1
        if self.rounds > self.limits.loop_rounds:
            raise UnsafeTemplateError(f"loops may go {self.limits.loop_rounds} rounds, not more")
        self.check_time()

    def check_time(self) -> None:
        now = time.monotonic()
        if not self.deadline:
            self.deadline = now + self.limits.seconds
        elif now > self.deadline:
            raise UnsafeTemplateError(f"this took longer than {self.limits.seconds:g} seconds")

    def count(self, size: int) -> None:
        """Count printed characters. Raises: UnsafeTemplateError."""
        self.printed += size
        if self.printed > self.limits.output_size:
            raise UnsafeTemplateError(f"the result may have {self.limits.output_size} characters, not more")

    def enter(self) -> None:
        """Go one level deeper: a macro, a block, a rendering within a rendering. Raises: UnsafeTemplateError."""
        self.depth += 1
        if self.depth > self.limits.depth:
            raise UnsafeTemplateError(
                f"calls are nested more than {self.limits.depth} deep", hint="does something call or render itself?"
            )
        self.check_time()


class Scope:
    """The variables of one template while it renders.

    `frames` are the names set so far, those of the innermost loop last; `variables` are the caller's and never
    written to. Inside a macro both are the macro's own.
    """

    __slots__ = (
        "arguments",
        "blocks",
        "budget",
        "frames",
        "is_inside",
        "is_macro",
        "renderer",
        "services",
        "variables",
    )

    def __init__(
        self, renderer: Renderer, variables: Mapping[str, object], services: Services, budget: Budget | None = None
    ) -> None:
        self.renderer = renderer
        self.variables = variables
        self.services = services
        self.budget = budget or Budget(renderer.limits)
        self.frames: list[dict[str, object]] = [{}]
        self.blocks: Mapping[str, Body] = {}
        self.is_inside = False
        self.is_macro = False
        self.arguments: dict[str, object] = {}

    def read(self, name: str) -> object:
        """The value of a name as it stands. Raises: Missing."""
        frames = self.frames
        if len(frames) == 1:
            if name in frames[0]:
                return frames[0][name]
        else:
            for frame in reversed(frames):
                if name in frame:
                    return frame[name]
        try:
            return self.variables[name]
        except KeyError:
            if name in _BUILT_IN and not self.is_macro:
                return _BUILT_IN[name]
            raise Missing(name, self.names()) from None

    def get(self, name: str) -> object:
        """The value of a name, None where there is none."""
        try:
            return self.read(name)
        except Missing:
            return None

    def names(self) -> Mapping[str, object]:
        """Every name that can be read here, with its value; a view, the present frames copied."""
        frames = [dict(frame) for frame in reversed(self.frames) if frame]
        return ChainMap(*frames, self.variables) if frames else self.variables  # type: ignore[arg-type]  # only read

    def assign(self, name: str, value: object) -> None:
        """Set a name where it already exists, innermost first; else in the innermost frame."""
        for frame in reversed(self.frames):
            if name in frame:
                frame[name] = value
                return
        # A variable of the caller is shadowed for the whole template, never changed; a macro's names end with it.
        home = self.frames[0] if self.is_macro or name in self.variables else self.frames[-1]
        home[name] = value

    def own(self, items: Sequence[object]) -> Own:
        """A list to change in place. One of the caller's is copied, and read as the copy from then on."""
        if isinstance(items, Own):
            return items
        changed = self.budget.changed
        if id(items) in changed:
            return changed[id(items)][1]
        copy = Own(items)
        changed[id(items)] = (items, copy)  # keeps the original, so that its id stays its own
        return copy

    def author_text(self, text: AuthorText) -> str:
        """What a text of the flow's author comes to: the expressions in it are rendered."""
        if "{" not in text:
            return str(text)
        budget = self.budget
        if text in budget.texts:
            raise TemplateError(f"this text refers to itself: {text[:200]}")
        budget.texts.append(text)
        try:
            return self.renderer.render_nested(str(text), self, is_recursive=False)
        finally:
            budget.texts.pop()

    def capture(self, body: Body) -> str:
        """The text that a body prints."""
        was_inside, frames, count = self.is_inside, self.frames, len(self.frames)
        self.is_inside = True
        self.budget.enter()
        try:
            return "".join(body(self))
        finally:
            self.is_inside = was_inside
            self.budget.depth -= 1
            del frames[count:]

    def call_macro(self, body: Body, arguments: dict[str, object]) -> str:
        """The text of a macro, which sees nothing but its arguments."""
        frames, variables, was_macro = self.frames, self.variables, self.is_macro
        self.frames, self.variables, self.is_macro = [{}], {}, True
        self.arguments = arguments
        try:
            return self.capture(body)
        finally:
            self.frames, self.variables, self.is_macro = frames, variables, was_macro
