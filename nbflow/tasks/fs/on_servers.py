"""What the task types of all servers of files share: how they are called, and what their examples look like."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import indent
from typing import TypeVar

from nbflow.plugins import Example, RunnableTask, task_type

T = TypeVar("T", bound=RunnableTask)

_SERVER = """type: io.kestra.plugin.fs.{kind}.{name}
host: files.example.com
username: app
password: "{{{{ secret('FILES_PASSWORD') }}}}"
"""
_REPORT = "- {id: report, type: write_file, content: hello}\n"
_EXAMPLES = {
    "Download": ("Store a file of a server.", "from: /in/orders.csv\n"),
    "Downloads": (
        "Store the CSVs of a folder, and move them away.",
        'from: /in/\nregExp: ".*[.]csv"\naction: MOVE\nmoveDirectory: /done/\n',
    ),
    "Upload": ("Put a stored file there.", 'from: "{{ outputs.report.uri }}"\nto: /out/report.txt\n'),
    "Uploads": ("Put several stored files there.", 'from:\n  - "{{ outputs.report.uri }}"\nto: /out/\n'),
    "List": ("What lies in a folder.", "from: /in/\n"),
    "Move": ("Move a file there.", "from: /in/orders.csv\nto: /done/orders.csv\n"),
    "Delete": ("Delete a file there.", "uri: /in/orders.csv\n"),
}
"""By the name of a type: a title, and the properties beside those of the server."""


def on_server(kind: str) -> Callable[[type[T]], type[T]]:
    """Register a task type for servers of a kind, such as `sftp`, under its name there, with an example."""

    def register(cls: type[T]) -> type[T]:
        name = cls.__name__
        title, properties = _EXAMPLES[name]
        text = _SERVER.format(kind=kind, name=name) + properties
        if "outputs.report" in text:
            text = _REPORT + indent("id: files\n" + text, "  ").replace("  id", "- id", 1)
        else:
            text = "id: files\n" + text
        return task_type(
            f"io.kestra.plugin.fs.{kind}.{name}",
            aliases=[f"{kind}_{name.lower()}"],
            examples=[Example(text, title=title, needs=f"an {kind.upper()} server")],
        )(cls)

    return register
