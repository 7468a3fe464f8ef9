"""Properties that may hold an expression: `Dynamic[T]`, and how one is read twice.

The loader lets text with `{{ … }}` pass where a `Dynamic` field wants a number, a path or a list; the engine
renders it before the task runs and validates the outcome as `T`, so the task sees real values.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

T = TypeVar("T")

_AS_MODELS_DO = ConfigDict(coerce_numbers_to_str=True)
"""What is read alone takes numbers for text as what is read within a model does."""

Render = Callable[[object, bool], object]
"""Renders a value, deep: (value, keep types?) -> value. Texts become texts unless types are kept."""


def holds_expression(value: object) -> bool:
    """Whether a value, or anything in it, is text with an expression."""
    if isinstance(value, str):
        return "{{" in value or "{%" in value or "{#" in value
    if isinstance(value, Mapping):
        return any(holds_expression(key) or holds_expression(item) for key, item in value.items())
    if isinstance(value, BaseModel):
        return any(holds_expression(item) for item in value.__dict__.values())
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return any(holds_expression(item) for item in value)
    return False


def _let_expressions_pass(value: object, read: ValidatorFunctionWrapHandler) -> object:
    try:
        return read(value)
    except ValidationError as refused:
        # Only what an expression stands for may be read later; any other mistake is one now.
        if all(holds_expression(error["input"]) and error["type"] != "extra_forbidden" for error in refused.errors()):
            return value
        raise


class DynamicMark:
    """Marks a field as `Dynamic` for whoever looks at the annotations."""


DYNAMIC = DynamicMark()

Dynamic = Annotated[T, WrapValidator(_let_expressions_pass), DYNAMIC]
"""A property of type `T` that may hold an expression until the engine has rendered it."""


class AsTextMark:
    """Marks a `Dynamic` field in which expressions give texts, whatever the type of their values."""


AS_TEXT = AsTextMark()


class DynamicField:
    """One `Dynamic` property of a class: how it is rendered and read again."""

    def __init__(self, name: str, annotation: Any) -> None:  # Any: a type form, which has no type of its own
        self.name = name
        self.annotation = annotation
        self.keeps_types = not _is_text_only(annotation) and not _is_marked_as_text(annotation)
        self._adapter: TypeAdapter[object] | None = None

    def read(self, value: object) -> object:
        """Validate a rendered value. Raises: pydantic.ValidationError."""
        if self._adapter is None:
            self._adapter = TypeAdapter(self.annotation, config=None if _is_model(self.annotation) else _AS_MODELS_DO)
        return self._adapter.validate_python(value)


def dynamic_fields(model: type[BaseModel]) -> dict[str, DynamicField]:
    """The `Dynamic` properties of a model class, by name."""
    cached: dict[str, DynamicField] | None = model.__dict__.get("__nbflow_dynamic__")
    if cached is None:
        cached = {
            name: DynamicField(
                name, Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
            )
            for name, field in model.model_fields.items()
            if _is_dynamic(field.annotation) or any(mark is DYNAMIC for mark in field.metadata)
        }
        type.__setattr__(model, "__nbflow_dynamic__", cached)
    return cached


ModelT = TypeVar("ModelT", bound=BaseModel)


def render_model(model: ModelT, render: Render) -> ModelT:
    """A copy of a model with its `Dynamic` properties rendered and read again; the model itself when none holds one.

    Raises: TemplateError from the rendering; ValueError naming the property when its value is not of its type.
    """
    updates: dict[str, object] = {}
    for name, field in dynamic_fields(type(model)).items():
        value = model.__dict__.get(name)
        if value is None or not holds_expression(value):
            continue
        updates[name] = _read_again(type(model), field, _render_deep(value, render, field.keeps_types))
    return model.model_copy(update=updates) if updates else model


def _render_deep(value: object, render: Render, keeps_types: bool) -> object:
    """Render a value that may contain models; those render by their own fields."""
    if isinstance(value, BaseModel):
        return render_model(value, render)
    if isinstance(value, list) and any(isinstance(item, BaseModel) for item in value):
        return [_render_deep(item, render, keeps_types) for item in value]
    return render(value, keeps_types)


def _read_again(model: type[BaseModel], field: DynamicField, value: object) -> object:
    try:
        return field.read(value)
    except ValidationError as refused:
        first = refused.errors()[0]
        alias = model.model_fields[field.name].alias or field.name
        path = ".".join([alias, *(str(part) for part in first["loc"])])
        message = first["msg"].removeprefix("Value error, ")
        raise ValueError(f"`{path}`: {message}, got {first['input']!r}") from refused


def _is_dynamic(annotation: object) -> bool:
    if get_origin(annotation) is Annotated:
        return any(mark is DYNAMIC for mark in get_args(annotation)[1:])
    if get_origin(annotation) in (Union, types.UnionType):
        return any(_is_dynamic(part) for part in get_args(annotation))
    return False


def _is_model(annotation: object) -> bool:
    bare = _bare(annotation)
    return isinstance(bare, type) and issubclass(bare, BaseModel)


def _is_marked_as_text(annotation: object) -> bool:
    return get_origin(annotation) is Annotated and any(mark is AS_TEXT for mark in get_args(annotation)[1:])


def _bare(annotation: Any) -> object:  # Any: a type form
    """A type form without what `Annotated` puts around it."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation


def _is_text_only(annotation: object) -> bool:
    """Whether only texts can be at the leaves of this type, so that expressions in it stand for text."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _is_text_only(get_args(annotation)[0])
    if origin is None:
        return annotation is str or annotation is type(None)
    return all(_is_text_only(part) for part in get_args(annotation) if part is not Ellipsis)
