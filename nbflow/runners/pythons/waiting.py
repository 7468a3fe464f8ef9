"""Runs in a Python that was started in advance: imports modules, waits for a command, and becomes it.

    python waiting.py READY module module …      READY: the descriptor that is closed when all are imported

One line of JSON on standard input is the command: {"arguments", "directory", "env", "folders"}. Where a module that was
imported is not what the command would have got, the process starts anew, with the same id. Imports nothing of nbflow.
"""

from __future__ import annotations

import atexit
import builtins
import contextlib
import gc
import importlib
import io
import json
import os
import sys
import threading
import types

READS_FROM_FOLDER = {"matplotlibrc", "setup.cfg", "pyvenv.cfg"}
"""Files that a module may have looked for in the working directory when it was imported."""


def main(ready: int, modules: list[str]) -> None:
    """Import, wait, become the command."""
    own = os.path.dirname(os.path.abspath(__file__))
    has_own_folder = bool(sys.path) and sys.path[0] == own
    if has_own_folder:
        del sys.path[0]
    nothing = os.open(os.devnull, os.O_RDWR)
    streams = [os.dup(1), os.dup(2)]
    for number in (1, 2):  # what a module says when it is imported is not the command's output
        os.dup2(nothing, number)
    for name in modules:
        with contextlib.suppress(BaseException):  # the command will find out itself
            importlib.import_module(name)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    for number, stream in enumerate(streams, 1):
        os.dup2(stream, number)
        os.close(stream)
    before, known = stamps(), set(sys.modules)
    gc.freeze()  # what was imported stays anyway: the command's own collections need not look at it
    os.close(ready)
    job = json.loads(read_line())
    os.dup2(nothing, 0)
    os.close(nothing)
    os.environ.clear()
    os.environ.update(job["env"])
    os.chdir(job["directory"])
    arguments = job["arguments"]
    script = arguments[1]
    folders = [os.path.dirname(os.path.abspath(script)), *job["folders"]]
    if stamps() != before or any(map(hides, folders)):
        os.execve(arguments[0], arguments, job["env"])
    sys.argv[:] = arguments[1:]
    if has_own_folder:
        sys.path.insert(0, folders[0])
    end(become(script), known)


def become(script: str) -> int:
    """Run the script as Python runs the one that it is started with; its exit status."""
    with open(script, "rb") as file:
        code = compile(file.read(), script, "exec")
    module = types.ModuleType("__main__")
    module.__dict__.update(__file__=script, __builtins__=builtins, __cached__=None)
    sys.modules["__main__"] = module
    try:
        exec(code, module.__dict__)
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return (ended.code or 0) & 0xFF
        print(ended.code, file=sys.stderr)
        return 1
    return 0


def end(status: int, known: set[str]) -> None:
    """End as Python does, but without taking apart the modules that were imported in advance, which takes long.

    Threads are waited for, functions of `atexit` run, what the command made is given up, and what was written is
    written.
    """
    threading._shutdown()  # type: ignore[attr-defined]  # what Python itself calls first
    atexit._run_exitfuncs()
    for name in ["__main__", *(set(sys.modules) - known)]:
        sys.modules.pop(name, None)
    left_open = [one for one in gc.get_objects() if isinstance(one, (io.TextIOWrapper, io.BufferedWriter))]
    left_open.sort(key=lambda one: isinstance(one, io.BufferedWriter))  # the text first, which goes into the buffer
    for file in left_open:
        with contextlib.suppress(ValueError, OSError):  # closed, or only read
            file.flush()
    del left_open
    gc.collect()
    for stream in (sys.stdout, sys.stderr):  # what was said by objects as they went
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.flush()
    with contextlib.suppress(ImportError, OSError, AttributeError):
        importlib.import_module("ctypes").CDLL(None).fflush(None)
    os._exit(status)


def read_line() -> bytes:
    """The command; nobody may send one any more, and then the process ends."""
    parts: list[bytes] = []
    while not parts or not parts[-1].endswith(b"\n"):
        part = os.read(0, 65536)
        if not part:
            os._exit(0)
        parts.append(part)
    return b"".join(parts)


def stamps() -> dict[str, int]:
    """When the files of the imported modules, and the folders that modules are found in, were changed last."""
    found = {}
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    for file in [*files, *sys.path]:
        if file and isinstance(file, str):
            with contextlib.suppress(OSError):
                found[file] = os.stat(file).st_mtime_ns
    return found


def hides(folder: str) -> bool:
    """Whether a folder has a module of a name that was imported from elsewhere."""
    loaded = {name.partition(".")[0] for name in sys.modules}
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            name, dot, ending = entry.name.partition(".")
            if entry.name in READS_FROM_FOLDER:
                return True
            if name not in loaded:
                continue
            if ending.endswith(("py", "pyc", "so", "pyd")) if dot else is_package(entry.path):
                return True
    return False


def is_package(folder: str) -> bool:
    """A folder without this file comes after all other modules of its name."""
    return os.path.exists(os.path.join(folder, "__init__.py"))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
