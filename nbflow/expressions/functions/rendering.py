"""Functions that render texts once more, and that show what an expression can see."""

from __future__ import annotations

from collections.abc import Mapping

from nbflow.errors import TemplateError
from nbflow.expressions.catalog import Function
from nbflow.expressions.filters.checks import whole_argument
from nbflow.expressions.operators import settled
from nbflow.expressions.scope import Missing, Scope
from nbflow.expressions.values import is_list, is_map, is_string


def render(scope: Scope, to_render: object, recursive: object = True) -> object:
    """Render the expressions in a text, and in what that gives, until nothing changes.

    In lists and maps every text is rendered; other values pass.

    Example: `{{ render('{' ~ '{ 1 + 1 }' ~ '}') }}` gives `2`
    """
    if recursive is None:
        recursive = True
    if not isinstance(recursive, bool):
        raise TemplateError("the argument `recursive` of `render` must be true or false")
    return _rendered(scope, to_render, is_recursive=recursive)


def render_once(scope: Scope, to_render: object) -> object:
    """Render the expressions in a text once.

    Example: `{{ renderOnce('{' ~ '{ 1 + 1 }' ~ '}') }}` gives `2`
    """
    return _rendered(scope, to_render, is_recursive=False)


def _rendered(scope: Scope, value: object, *, is_recursive: bool) -> object:
    if is_string(value):
        return scope.renderer.render_nested(str.__str__(value), scope, is_recursive=is_recursive)
    if is_map(value):
        rendered: dict[object, object] = {}
        for key, item in value.items():
            name = scope.renderer.render_nested(str(key), scope, is_recursive=False) if isinstance(key, str) else key
            rendered.setdefault(name, _rendered(scope, item, is_recursive=is_recursive))
        return rendered
    if is_list(value):
        return [_rendered(scope, item, is_recursive=is_recursive) for item in value]
    return value


def print_context(scope: Scope) -> Mapping[str, object]:
    """All variables that an expression sees, for looking around.

    Example: `{{ printContext() is map }}` gives `true`
    """
    return {name: settled(scope, value) for name, value in scope.names().items()}


def fetch_context(scope: Scope) -> Mapping[str, object]:
    """All variables that an expression sees, as a map.

    Example: `{{ fetchContext() is map }}` gives `true`
    """
    return print_context(scope)


def current_each_output(scope: Scope, outputs: object) -> object:
    """The output of a task for the present value of the loops around it.

    Example: `{{ currentEachOutput(outputs.hello).value }}`
    """
    if not is_map(outputs):
        raise TemplateError("`currentEachOutput` takes the outputs of a task, such as `outputs.hello`")
    value: object = outputs
    parents = scope.get("parents")
    for parent in reversed(parents) if is_list(parents) else ():
        if is_map(parent) and is_map(parent.get("taskrun")):
            value = _under(value, parent["taskrun"])
    return _under(value, scope.read("taskrun"))


def iteration_output(scope: Scope, outputs: object = None, iteration: object = None) -> object:
    """The output of a task in some round of a loop: in the round before this one unless told; null when there is none.

    Example: `{{ iterationOutput(outputs.hello, 0).value }}`
    """
    if outputs is None:
        everything, task = scope.read("outputs"), scope.read("task")
        outputs = everything.get(task.get("id")) if is_map(everything) and is_map(task) else None
    rounds = _in_loops_around(scope, outputs)
    if not is_map(rounds):
        return None
    if iteration is None:
        iteration = _present(scope, rounds) - 1
    number = whole_argument("iterationOutput", "iteration", iteration)
    return list(rounds.values())[number] if 0 <= number < len(rounds) else None


def parent_output(scope: Scope, index: object = 0) -> object:
    """The outputs of the task that this one lies in, or with an index of one further out; null when there is none.

    Example: `{{ parentOutput().value }}`
    """
    number = whole_argument("parentOutput", "index", index)
    parents = scope.get("parents")
    if not is_list(parents) or not 0 <= number < len(parents):
        return None
    parent = parents[number]
    return parent.get("outputs") if is_map(parent) else None


def _present(scope: Scope, rounds: Mapping[object, object]) -> int:
    """The number of the present round: only direct children of a loop are told theirs, others are told its value."""
    runs = _taskruns(scope)
    told = next((run["iteration"] for run in runs if "iteration" in run), None)
    if isinstance(told, int):
        return told
    value = next((run["value"] for run in runs if "value" in run), None)
    return next((number for number, name in enumerate(rounds) if name == value), len(rounds) if runs else 0)


def _taskruns(scope: Scope) -> list[Mapping[object, object]]:
    """The task run around an expression, and those around that; the nearest first."""
    parents = scope.get("parents")
    runs = [scope.get("taskrun")]
    runs += [parent.get("taskrun") for parent in parents if is_map(parent)] if is_list(parents) else []
    return [run for run in runs if is_map(run)]


def _in_loops_around(scope: Scope, outputs: object) -> object:
    """What a task put out in the rounds of the innermost loop, in the present rounds of the loops around that one."""
    values = [run["value"] for run in _taskruns(scope) if "value" in run]
    for value in reversed(values[1:]):
        inside = outputs.get(value) if is_map(outputs) else None
        if not is_map(inside) or not all(is_map(one) for one in inside.values()):
            break  # it lies in fewer loops than the expression
        outputs = inside
    return outputs


def _under(outputs: object, taskrun: object) -> object:
    if not is_map(outputs) or not is_map(taskrun):
        raise Missing("taskrun")
    return outputs.get(taskrun.get("value"))


FUNCTIONS: dict[str, Function] = {
    "currentEachOutput": current_each_output,
    "fetchContext": fetch_context,
    "iterationOutput": iteration_output,
    "parentOutput": parent_output,
    "printContext": print_context,
    "render": render,
    "renderOnce": render_once,
}
