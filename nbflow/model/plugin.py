"""What every pluggable part of a flow has in common, and how a part finds its class.

A part (task, trigger, condition, task runner) names its class by `type`. The model does not know which classes
exist: whoever validates hands a `Resolver` over in pydantic's validation context.
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, TypeVar

from pydantic import Field, ValidationInfo, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import PydanticCustomError

from nbflow.model.base import Model, Text
from nbflow.model.example import Example

RESOLVER = "nbflow_resolver"
"""Key of the resolver in pydantic's validation context."""


class Plugin(Model):
    """A part of a flow whose class is chosen by its `type`."""

    plugin_kind: ClassVar[str] = ""
    """What the registry files it under: `task`, `trigger`, `condition` or `runner`."""
    type_name: ClassVar[str] = ""
    """The canonical type name, as in `io.kestra.plugin.core.log.Log`."""
    aliases: ClassVar[tuple[str, ...]] = ()
    """Short names of nbflow's own."""
    old_names: ClassVar[tuple[str, ...]] = ()
    """Names that older flows use; the loader warns and names `type_name`."""
    examples: ClassVar[tuple[Example, ...]] = ()
    """What the reference shows, and tests run."""

    type: Text = Field(default="", description="Name of the class that does the work.")


PluginT = TypeVar("PluginT", bound=Plugin)


class Resolver(Protocol):
    """Makes a part of a flow from its raw mapping: finds the class by `type` and validates with it."""

    def resolve(self, base: type[PluginT], value: object) -> PluginT:
        """The part. A resolver notes problems by itself and returns a placeholder, so that validation goes on."""
        ...


def plugin_field(base: type[PluginT]) -> Any:  # Any: pydantic types its validators so
    """The validator for a field that holds a part of the family `base`."""

    def resolve(value: object, _read: ValidatorFunctionWrapHandler, info: ValidationInfo) -> PluginT:
        if isinstance(value, base):
            return value
        resolver: Resolver | None = (info.context or {}).get(RESOLVER)
        if resolver is None:
            raise PydanticCustomError("no_resolver", "needs the loader of nbflow to find its class")
        return resolver.resolve(base, value)

    return WrapValidator(resolve)
