"""Runs one cell in a process of its own: takes values in, runs the code, puts values out. Imports nothing of nbflow.

    python child.py request.json      request: {"name", "preamble", "code", "type", "in", "out", "directory", "target",
                                                "parts", "watched", "report"}; report: {"values", "display", "loaded"}

A value is handed on as JSON when it is plain and small, as a file otherwise: data frames as Parquet, arrays as .npy,
plain values that are large as .json, all else as .pickle. The ending of the file's name says how it is read again.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import importlib
import importlib.util
import inspect
import json
import linecache
import math
import os
import pickle
import re
import sys
import traceback
import types
from typing import Any

SMALL = 16 * 1024
ENDINGS = (".parquet", ".polars.parquet", ".arrow.parquet", ".series.parquet", ".npy", ".json", ".pickle")


def is_plain(value: Any, depth: int = 0) -> bool:
    """Whether JSON gives the very same value again."""
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return True
    if kind is float:
        return math.isfinite(value)
    if depth > 50:
        return False
    if kind is list:
        return all(is_plain(item, depth + 1) for item in value)
    if kind is dict:
        return all(type(key) is str and is_plain(item, depth + 1) for key, item in value.items())
    return False


def plain_text(value: object) -> str | None:
    """The value as JSON text; None when it would not come back the same. Text must be Unicode to be stored."""
    if not is_plain(value):
        return None
    try:
        text = json.dumps(value, ensure_ascii=False)
        text.encode()
        return text
    except (ValueError, RecursionError):
        return None


def kind_of(value: object) -> str:
    """`pandas.DataFrame` and the like: the package and the class."""
    cls = type(value)
    return f"{cls.__module__.partition('.')[0]}.{cls.__qualname__}"


def save(name: str, value: Any, target: str) -> dict[str, Any]:
    """Hand on a value: the entry of the report that says how."""
    text = plain_text(value)
    about: dict[str, Any] = {"type": type(value).__qualname__}
    if text is not None and len(text) <= SMALL and not text.startswith(('"kestra://', '"nbflow://')):
        return {**about, "value": value, "size": len(text.encode())}
    if text is not None:
        return {**about, "file": _write(os.path.join(target, f"{name}.json"), text.encode())}
    kind = kind_of(value)
    about["type"] = "table" if kind.endswith(".DuckDBPyRelation") else kind.removeprefix("builtins.")
    file, note = part("frames").save(name, value, kind, target)
    if hasattr(value, "shape"):
        about["shape"] = [int(length) for length in value.shape]
    if file is None and kind == "numpy.ndarray" and not value.dtype.hasobject:
        file = f"{name}.npy"
        importlib.import_module("numpy").save(os.path.join(target, file), value, allow_pickle=False)
    if file is None:
        file = _write(os.path.join(target, f"{name}.pickle"), _pickled(name, value))
    return {**about, "file": file, **({"note": note} if note else {})}


def _pickled(name: str, value: object) -> bytes:
    try:
        return pickle.dumps(value, protocol=5)
    except Exception as refused:
        reason = str(refused)
    try:  # knows functions and classes of a notebook too, where it is installed
        content: bytes = importlib.import_module("cloudpickle").dumps(value)
        return content
    except Exception:
        kind = kind_of(value).removeprefix("builtins.")
        raise HandOverError(
            f"`{name}` ({kind}) cannot be handed to another task: {reason}; make it in the task that uses it"
        ) from None


def _write(path: str, content: bytes) -> str:
    with open(path, "wb") as file:
        file.write(content)
    return os.path.basename(path)


def load(path: str) -> Any:
    """The value in a file that was handed on; a file of another kind is its path."""
    if path.endswith(".parquet"):
        return part("frames").load(path)
    if path.endswith(".npy"):
        return importlib.import_module("numpy").load(path, allow_pickle=False)
    if path.endswith(".json"):
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    if path.endswith(".pickle"):
        with open(path, "rb") as file:
            return pickle.load(file)
    return path


PARTS = [os.path.dirname(os.path.abspath(__file__))]
"""The folder of the modules that are only needed now and then."""


def part(name: str) -> Any:
    """A module that lies beside this one, or where the request says."""
    known = f"nbflow_cell_{name}"
    if known not in sys.modules:
        spec: Any = importlib.util.spec_from_file_location(known, os.path.join(PARTS[0], f"{name}.py"))
        sys.modules[known] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[known]


class HandOverError(Exception):
    """A value that a task must hand on is not there, or cannot be."""


def run_python(code: str, name: str, names: dict[str, Any], show: Any) -> None:
    """Run a cell as a notebook does: await at the top, the last expression shown, magics where IPython is there."""
    file = f"<cell {name}>"
    linecache.cache[file] = (len(code), None, code.splitlines(True), file)
    try:
        tree = ast.parse(code, file)
        needs_ipython = "get_ipython(" in code
    except SyntaxError:
        if not any(letter in code for letter in "%!?"):
            raise
        needs_ipython = True
    if needs_ipython:
        code = _with_ipython(code, names, show)
        tree = ast.parse(code, file)
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = tree.body[-1]
        del tree.body[-1]
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    is_quiet = code.rstrip().endswith(";")

    def evaluate(node: Any, mode: str) -> Any:
        result = eval(compile(node, file, mode, flags), names)
        return runner.run(_await(result)) if inspect.iscoroutine(result) else result

    with asyncio.Runner() if hasattr(asyncio, "Runner") else _Loop() as runner:
        evaluate(tree, "exec")
        if last is not None:
            value = evaluate(ast.Expression(last.value), "eval")
            if value is not None and not is_quiet:
                names["_"] = value
                show(value)


async def _await(result: Any) -> Any:
    return await result


class _Loop:
    """An event loop for a Python that has no `asyncio.Runner` yet."""

    def __enter__(self) -> _Loop:
        self._loop = asyncio.new_event_loop()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.close()

    def run(self, work: Any) -> Any:
        return self._loop.run_until_complete(work)


def _with_ipython(code: str, names: dict[str, Any], show: Any) -> str:
    """The code with its magics turned into calls, and the shell they are called on."""
    try:
        shells: Any = importlib.import_module("IPython.core.interactiveshell")
    except ImportError:
        raise HandOverError("the cell has magics (% or !), and IPython is not installed where it runs") from None
    shells.InteractiveShell.cache_size.default_value = 0
    shell = shells.InteractiveShell.instance(user_ns=names)
    shell.history_manager.enabled = False
    builtins.__dict__["display"] = show
    return str(shell.transform_cell(code))


def run_sql(code: str, values: dict[str, tuple[Any, str | None]], result: str, tell: Any = print) -> dict[str, Any]:
    """Run SQL over frames, tables and values; the names it made, with their rows. `tell` is called with each answer."""
    import duckdb

    connection = duckdb.connect()
    parameters = {}
    for name, (value, path) in values.items():
        if path is not None and path.endswith(".parquet"):
            quoted = path.replace("'", "''")
            # a table and no view: INSERT and UPDATE work on it
            connection.execute(f"""CREATE TABLE "{name}" AS FROM read_parquet('{quoted}')""")
        elif type(value) in (bool, int, float, str, type(None)):
            parameters[name] = value
        else:
            connection.register(f"__{name}", value if hasattr(value, "columns") else _frame(value))
            connection.execute(f'CREATE TABLE "{name}" AS FROM "__{name}"')
    rows = None
    for statement in connection.extract_statements(code):
        given = {name: parameters[name] for name in statement.named_parameters if name in parameters}
        kind = statement.type.name.upper()
        if kind in ("SELECT", "EXPLAIN", "CALL", "PRAGMA", "RELATION"):
            connection.execute(f'DROP TABLE IF EXISTS "__{result}"')
            if kind == "SELECT":
                text = statement.query.strip().rstrip(";")
                connection.execute(f'CREATE TEMP TABLE "__{result}" AS {text}', given or None)
                rows = connection.table(f"__{result}")
                tell(rows)
            else:
                tell("\n".join(str(row[-1]) for row in connection.execute(statement, given or None).fetchall()))
        else:
            connection.execute(statement, given or None)
    tables = connection.execute(
        "SELECT table_name FROM duckdb_tables() UNION SELECT view_name FROM duckdb_views() WHERE NOT internal"
    )
    made = {name: connection.table(name) for (name,) in tables.fetchall() if not name.startswith("__")}
    if rows is not None:
        made[result] = rows
    return made


def _frame(value: Any) -> Any:
    return importlib.import_module("pandas").DataFrame(value)


def main(request: dict[str, Any]) -> int:
    """Run the cell of a request. Returns the exit status."""
    name, target = request["name"], request["target"]
    PARTS[0] = request["parts"]
    displays = part("displays").Displays(target)
    if os.environ.get("MPLBACKEND", "").startswith("module://"):  # a kernel's own: there is nowhere to draw
        os.environ["MPLBACKEND"] = "Agg"
    if request.get("directory"):
        os.chdir(request["directory"])
        sys.path.insert(0, os.getcwd())
    module = types.ModuleType("__main__")  # classes of the cell are pickled as those of `__main__`
    names = module.__dict__
    names.update(__builtins__=builtins, display=displays.show)
    sys.modules["__main__"] = module
    displays.follow()
    try:
        names.update({key: given["value"] for key, given in request["in"].items() if "value" in given})
        if request["preamble"]:
            linecache.cache["<preamble>"] = (0, None, request["preamble"].splitlines(True), "<preamble>")
            exec(compile(request["preamble"], "<preamble>", "exec"), names)
        taken = {}
        for key, given in request["in"].items():
            is_table = request["type"] == "sql" and given.get("file", "").endswith(".parquet")
            value = None if is_table else load(given["file"]) if "file" in given else given["value"]
            taken[key] = (value, given.get("file"))
        made = names
        if request["type"] == "sql":
            taken = {**_constants(names, request["code"]), **taken}
            made = run_sql(request["code"], taken, request["result"])
        else:
            names.update({key: value for key, (value, _) in taken.items()})
            run_python(request["code"], name, names, displays.show)
        displays.end()
        values = hand_on(request["out"], made, target)
    except HandOverError as refused:
        print(f"cell {name}: {refused}", file=sys.stderr)
        return 1
    except SystemExit as ended:
        if ended.code not in (None, 0):
            raise
        displays.end()
        values = hand_on([f"{key.rstrip('?')}?" for key in request["out"]], names, target)
    except BaseException as failed:
        tell(failed)
        return 1
    loaded = [known for known in request["watched"] if known in sys.modules]
    with open(request["report"], "w", encoding="utf-8") as file:
        json.dump({"values": values, "display": displays.entries, "loaded": loaded}, file)
    return 0


def _constants(names: dict[str, Any], code: str) -> dict[str, tuple[Any, str | None]]:
    """What the preamble has set and the SQL mentions."""
    mentioned = set(re.findall(r"\w+", code))
    kinds = (bool, int, float, str, list, dict)
    return {key: (names[key], None) for key in mentioned & set(names) if isinstance(names[key], kinds)}


def hand_on(wanted: list[str], made: dict[str, Any], target: str) -> dict[str, Any]:
    """Hand on the values of names; one with `?` may be missing, or be of a kind that cannot be."""
    report = {}
    for text in wanted:
        name, may_miss = text.rstrip("?"), text.endswith("?")
        if name not in made:
            if may_miss:
                continue
            raise HandOverError(f"the cell has not set `{name}`, which it is to hand on")
        try:
            if not (may_miss and inspect.ismodule(made[name])):
                report[name] = save(name, made[name], target)
        except HandOverError:
            if not may_miss:
                raise
    return report


def tell(failed: BaseException) -> None:
    """Print the traceback of the user's own code."""
    shown = traceback.TracebackException.from_exception(failed)
    while shown.stack and not shown.stack[0].filename.startswith("<"):
        del shown.stack[0]
    print("".join(shown.format()).rstrip(), file=sys.stderr)


if __name__ == "__main__":
    _own = sys.modules["__main__"]  # kept: its functions go on working while the cell has the name
    with open(sys.argv[1], encoding="utf-8") as request_file:
        status = main(json.load(request_file))
    sys.stdout.flush()
    sys.exit(status)
