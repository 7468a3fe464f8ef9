"""The parameters of a notebook: what its parameters cell declares, and how given values are checked and put in.

parameters cell ─ declared_in ─► Parameter…   given ─ checked ─► values of the declared types ─ injected ─► a cell
"""

from __future__ import annotations

import ast
import io
import math
import tokenize
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import GenericAlias
from typing import Any

from pydantic import TypeAdapter, ValidationError

from nbflow.errors import TaskFailedError
from nbflow.nearest import did_you_mean
from nbflow.tasks.notebooks.loading import Notebook, tags_of
from nbflow.types import JsonValue

TAG = "parameters"
INJECTED = "injected-parameters"

_KINDS: dict[str, str] = {
    "str": "STRING",
    "int": "INT",
    "float": "FLOAT",
    "bool": "BOOLEAN",
    "dict": "JSON",
    "list": "JSON",
    "tuple": "JSON",
    "datetime": "DATETIME",
    "date": "DATE",
    "time": "TIME",
    "timedelta": "DURATION",
    "Path": "STRING",
}
"""Name of a type in a notebook → type of the input that stands for it."""
_ITEMS = {"str": "STRING", "int": "INT", "float": "FLOAT", "bool": "BOOLEAN"}
_PYTHON: dict[str, Any] = {"STRING": str, "INT": int, "FLOAT": float, "BOOLEAN": bool}  # Any: types
_WRITTEN = {
    "DATETIME": "__import__('datetime').datetime.fromisoformat({value})",
    "DATE": "__import__('datetime').date.fromisoformat({value})",
    "TIME": "__import__('datetime').time.fromisoformat({value})",
}
_PAPERMILLS = {"r": "R", "c#": ".net-csharp", "f#": ".net-fsharp"}
"""Names of languages that papermill writes in another way than kernels do, in small letters."""
_MISSING: Any = object()  # Any: it stands for a default of whatever type


@dataclass(frozen=True, slots=True)
class Parameter:
    """A name that a parameters cell declares. `kind` is the type of the input that stands for it; "" when unknown.

    `default` is None when it is no literal, `has_default` says whether there is any. `is_typed` tells an annotation
    from a type that follows from the default. `choices` are those of a `Literal`.
    """

    name: str
    kind: str = ""
    item_kind: str = ""
    default: JsonValue = None
    has_default: bool = True
    is_optional: bool = False
    is_typed: bool = False
    help: str = ""
    choices: tuple[JsonValue, ...] = ()
    is_path: bool = False


def inputs_of(notebook: Notebook) -> list[dict[str, JsonValue]]:
    """The inputs of a flow that runs a notebook with its parameters, as a flow spells them in YAML."""
    return [_input_of(parameter) for parameter in declared_in(notebook)]


def declared_in(notebook: Notebook) -> list[Parameter]:
    """What the cell tagged `parameters` declares, in its order; nothing without such a cell."""
    cell = next((cell for cell in notebook["cells"] if cell["cell_type"] == "code" and TAG in tags_of(cell)), None)
    if cell is None:
        return []
    if language_of(notebook) != "python":
        return []
    source = "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in cell["source"].splitlines())
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    comments = _comments(source)
    found: dict[str, Parameter] = {}
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            target, annotation, value = node.target.id, node.annotation, node.value
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            target, annotation, value = node.targets[0].id, None, node.value
        else:
            continue
        said = comments.get(node.end_lineno or node.lineno, "")
        if said.startswith("type:"):
            kind, _, said = said.removeprefix("type:").strip().partition(" ")
            annotation = annotation or _expression(kind)
        found[target] = _parameter(target, annotation, value, said.lstrip("# ").strip())
    return list(found.values())


def language_of(notebook: Notebook) -> str:
    """The language of a notebook, in small letters; Python when it does not say."""
    metadata = notebook["metadata"]
    spec, info = metadata.get("kernelspec") or {}, metadata.get("language_info") or {}
    return str(spec.get("language") or info.get("name") or "python").lower()


def checked(notebook: Notebook, given: Mapping[str, JsonValue]) -> tuple[dict[str, JsonValue], list[str]]:
    """Given values, read as what the notebook declares; and what to warn of. None stands for "not given" where a
    parameter takes no None.

    Raises: TaskFailedError that tells all that is wrong at once.
    """
    known = {parameter.name: parameter for parameter in declared_in(notebook)}
    values: dict[str, JsonValue] = {}
    wrong, odd = [], []
    for name, value in given.items():
        parameter = known.get(name)
        if not name.isidentifier():
            wrong.append(f"`{name}` is no name")
        elif parameter is None:
            near = did_you_mean(name, known)
            if near:
                wrong.append(f"the notebook has no parameter `{name}`: {near}")
            else:
                values[name] = value
                if known:
                    odd.append(f"the notebook declares no parameter `{name}`; it is set all the same")
        elif value is None and not parameter.is_optional and (parameter.has_default or parameter.is_typed):
            continue
        else:
            try:
                values[name] = _read(parameter, value)
            except ValueError as cause:
                wrong.append(f"`{name}` {cause}")
    missing = [name for name, parameter in known.items() if not parameter.has_default and name not in values]
    wrong += [f"`{name}` is required, and no value is given" for name in missing]
    if wrong:
        raise TaskFailedError(
            f"the parameters do not fit the notebook: {'; '.join(wrong)}",
            hint="its cell tagged `parameters` says what it takes" if known else "",
        )
    return values, odd


def inject(
    notebook: Notebook, plain: Mapping[str, JsonValue], secret: Sequence[str], kernel_name: str, language: str
) -> None:
    """Put a cell with the values behind the parameters cell, in place of one of an earlier run.

    Of `secret` ones the cell has the names alone; the values are set by `assignments` in the kernel.
    """
    cells: list[Notebook] = notebook["cells"]
    cells[:] = [cell for cell in cells if INJECTED not in tags_of(cell)]
    if not plain and not secret:
        return
    mark = "#" if language in ("python", "r", "julia", "bash") else "//"
    source = assignments(notebook, plain, kernel_name, language) if plain else f"{mark} Parameters\n"
    source += "".join(f"{mark} {name}: a secret, set in the memory of the kernel alone\n" for name in secret)
    place = next((number + 1 for number, cell in enumerate(cells) if TAG in tags_of(cell)), 0)
    cell: Notebook = {
        "id": "injected",
        "cell_type": "code",
        "metadata": {"tags": [INJECTED]},
        "source": source.rstrip(),
    }
    cells.insert(place, {**cell, "outputs": [], "execution_count": None})


def assignments(notebook: Notebook, values: Mapping[str, JsonValue], kernel_name: str, language: str) -> str:
    """Code that sets values, in the language of the kernel. Raises: TaskFailedError when that is not known."""
    if language != "python":
        from papermill.exceptions import PapermillException
        from papermill.translators import translate_parameters

        try:
            return str(
                translate_parameters(kernel_name, _PAPERMILLS.get(language, language), dict(values), "Parameters")
            )
        except (PapermillException, NotImplementedError) as cause:
            raise TaskFailedError(f"`parameters`: values cannot be written in {language}") from cause
    known = {parameter.name: parameter for parameter in declared_in(notebook)}
    lines = ["# Parameters"]
    for name, value in values.items():
        text, parameter = _python(value), known.get(name)
        if parameter is not None and isinstance(value, str):
            if parameter.is_path:
                text = f"__import__('pathlib').Path({text})"
            elif parameter.kind in _WRITTEN and parameter.is_typed:
                text = _WRITTEN[parameter.kind].format(value=text)
        lines.append(f"{name} = {text}")
    return "\n".join([*lines, ""])


def _python(value: JsonValue) -> str:
    """A value as Python writes it. Papermill could, too, but takes half a second to import."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{value}')"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_python(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_python, value)) + "]"
    return repr(value)


def _parameter(name: str, annotation: ast.expr | None, value: ast.expr | None, said: str) -> Parameter:
    default = _MISSING
    if value is not None:
        try:
            default = ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            default = _MISSING
    if isinstance(default, (tuple, set)):
        default = list(default)
    if default is not _MISSING and not isinstance(default, (str, int, float, bool, list, dict, type(None))):
        default = _MISSING
    kind, item, optional, choices = _kind(annotation)
    if not kind and annotation is None and default is not _MISSING and default is not None:
        kind = _KINDS.get(type(default).__name__, "")
    named = _name(annotation)
    return Parameter(
        name,
        kind,
        item,
        default=None if default is _MISSING else default,
        has_default=value is not None,
        is_optional=optional or default is None,
        is_typed=annotation is not None and bool(kind),
        help=said,
        choices=choices,
        is_path=named == "Path",
    )


def _kind(annotation: ast.expr | None) -> tuple[str, str, bool, tuple[JsonValue, ...]]:
    """Kind, kind of the items, whether None is taken, and the choices of an annotation."""
    if annotation is None:
        return "", "", False, ()
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return _kind(_expression(annotation.value))
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        sides = [annotation.left, annotation.right]
        rest = [side for side in sides if not (isinstance(side, ast.Constant) and side.value is None)]
        if len(rest) == 1:
            kind, item, _, choices = _kind(rest[0])
            return kind, item, True, choices
        return "", "", any(_kind(side)[2] for side in sides), ()
    if isinstance(annotation, ast.Subscript):
        outer, inner = _name(annotation.value), annotation.slice
        if outer == "Optional":
            kind, item, _, choices = _kind(inner)
            return kind, item, True, choices
        if outer == "Literal":
            try:
                values = ast.literal_eval(inner)
            except ValueError:
                return "", "", False, ()
            given = values if isinstance(values, tuple) else (values,)
            return "SELECT", "", None in given, tuple(value for value in given if value is not None)
        if outer.lower() == "list":
            item = _ITEMS.get(_name(inner), "")
            return ("ARRAY" if item else "JSON"), item, False, ()
        return _KINDS.get(outer.lower(), ""), "", False, ()
    name = _name(annotation)
    return _KINDS.get(name, _KINDS.get(name.lower(), "") if name in ("List", "Dict") else ""), "", False, ()


def _name(annotation: ast.expr | None) -> str:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = _expression(annotation.value)
    return (
        annotation.attr
        if isinstance(annotation, ast.Attribute)
        else annotation.id
        if isinstance(annotation, ast.Name)
        else ""
    )


def _expression(text: str) -> ast.expr | None:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        return None


def _comments(source: str) -> dict[int, str]:
    """Line → the comment at its end."""
    found = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT and token.line[: token.start[1]].strip():
                found[token.start[0]] = token.string.lstrip("#").strip()
    except tokenize.TokenError:
        pass
    return found


def _read(parameter: Parameter, value: JsonValue) -> JsonValue:
    """A value as a parameter takes it. Raises: ValueError."""
    if value is None:
        return None
    if parameter.choices:
        for choice in parameter.choices:
            if value == choice or str(value) == str(choice):
                return choice
        raise ValueError(f"must be one of {', '.join(map(str, parameter.choices))}, got {value!r}")
    if not parameter.is_typed and not isinstance(value, str):
        return value  # its type but follows from the default: another one may be meant
    wanted: Any = _PYTHON.get(parameter.kind)  # Any: a type, or a form of one
    if parameter.kind == "ARRAY":
        wanted = GenericAlias(list, (_PYTHON[parameter.item_kind],))
    if parameter.kind == "STRING":
        return value if isinstance(value, str) else str(value)
    if parameter.kind == "JSON":
        wanted = dict[str, Any] if isinstance(value, dict) else list[Any]
    if wanted is None:
        return value
    adapter: TypeAdapter[Any] = TypeAdapter(wanted)
    try:
        if isinstance(value, str) and parameter.kind in ("ARRAY", "JSON"):
            read: JsonValue = TypeAdapter(Any if parameter.kind == "JSON" else wanted).validate_json(value)
        else:
            read = adapter.validate_python(value)
    except ValidationError as cause:
        if not parameter.is_typed:
            return value
        article = {"INT": "an integer", "FLOAT": "a number", "BOOLEAN": "true or false"}
        raise ValueError(f"must be {article.get(parameter.kind, 'a list or a map')}, got {value!r}") from cause
    return read


def _input_of(parameter: Parameter) -> dict[str, JsonValue]:
    kind = parameter.kind or ("STRING" if parameter.default is None else "JSON")
    found: dict[str, JsonValue] = {"id": parameter.name, "type": kind}
    if kind == "ARRAY":
        found["itemType"] = parameter.item_kind
    if parameter.choices:
        found["values"] = [str(choice) for choice in parameter.choices]
    if parameter.help:
        found["description"] = parameter.help
    if parameter.has_default and parameter.default is not None:
        found["defaults"] = str(parameter.default) if parameter.choices else parameter.default
    elif parameter.has_default or parameter.is_optional:
        found["required"] = False
    return found
