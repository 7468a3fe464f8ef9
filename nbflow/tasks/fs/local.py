"""Task types on files of this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, Model, RunContext, task_type
from nbflow.tasks.fs import actions, finding
from nbflow.tasks.fs.places import Place

_T = "io.kestra.plugin.fs.local"


class LocalPlace(Model):
    """Files of this machine, by paths that begin at its root, or at ~."""

    def open(self, ctx: RunContext) -> Place:
        from fsspec.implementations.local import LocalFileSystem

        return _Local(LocalFileSystem(skip_instance_cache=True), "file://")


class _Local(Place):
    def path(self, given: str) -> str:
        plain = os.path.expanduser(given.removeprefix("file://"))
        if not Path(plain).is_absolute():
            raise TaskFailedError(f"`{given}` is no whole path", hint="begin it with / or ~")
        return os.path.normpath(plain) + ("/" if plain.endswith("/") and plain != "/" else "")


@task_type(
    f"{_T}.Download",
    aliases=["local_download"],
    examples=[
        Example(
            """
            id: files
            type: io.kestra.plugin.fs.local.Download
            from: /data/in/orders.csv
            """,
            title="Store a file of this machine.",
            needs="the folder /data",
        )
    ],
)
class Download(LocalPlace, actions.DownloadTask):
    """Store a file of this machine."""

    class Output(actions.DownloadTask.Output):
        pass


@task_type(
    f"{_T}.Downloads",
    aliases=["local_downloads"],
    examples=[
        Example(
            """
            id: files
            type: io.kestra.plugin.fs.local.Downloads
            from: /data/in
            action: NONE
            """,
            title="Store all files of a folder.",
            needs="the folder /data",
        )
    ],
)
class Downloads(LocalPlace, finding.DownloadsTask):
    """Store the files of a folder of this machine."""

    class Output(finding.DownloadsTask.Output):
        pass


@task_type(
    f"{_T}.Upload",
    aliases=["local_upload"],
    examples=[
        Example(
            """
            - {id: report, type: write_file, content: hello}
            - id: files
              type: io.kestra.plugin.fs.local.Upload
              from: "{{ outputs.report.uri }}"
              to: /data/out/report.txt
            """,
            title="Write a stored file to a folder.",
            needs="the folder /data",
        )
    ],
)
class Upload(LocalPlace, actions.UploadTask):
    """Write a stored file to a folder of this machine."""

    class Output(actions.UploadTask.Output):
        pass


@task_type(
    f"{_T}.Uploads",
    aliases=["local_uploads"],
    examples=[
        Example(
            """
            - {id: report, type: write_file, content: hello}
            - id: files
              type: io.kestra.plugin.fs.local.Uploads
              from: ["{{ outputs.report.uri }}"]
              to: /data/out/
            """,
            title="Write several stored files to a folder.",
            needs="the folder /data",
        )
    ],
)
class Uploads(LocalPlace, actions.UploadsTask):
    """Write stored files to a folder of this machine."""

    class Output(actions.UploadsTask.Output):
        pass


@task_type(
    f"{_T}.List",
    aliases=["local_list"],
    examples=[
        Example(
            """
            id: files
            type: io.kestra.plugin.fs.local.List
            from: /data/in
            """,
            title="What lies in a folder.",
            needs="the folder /data",
        )
    ],
)
class List(LocalPlace, finding.ListTask):
    """List the files of a folder of this machine."""

    class Output(finding.ListTask.Output):
        pass


@task_type(
    f"{_T}.Move",
    aliases=["local_move"],
    examples=[
        Example(
            """
            id: files
            type: io.kestra.plugin.fs.local.Move
            from: /data/in/orders.csv
            to: /data/done/orders.csv
            """,
            title="Move a file.",
            needs="the folder /data",
        )
    ],
)
class Move(LocalPlace, actions.MoveTask):
    """Move a file or a folder of this machine."""

    class Output(actions.MoveTask.Output):
        pass


@task_type(
    f"{_T}.Copy",
    aliases=["local_copy"],
    examples=[
        Example(
            """
            id: files
            type: io.kestra.plugin.fs.local.Copy
            from: /data/in/orders.csv
            to: /data/done/orders.csv
            """,
            title="Copy a file.",
            needs="the folder /data",
        )
    ],
)
class Copy(LocalPlace, actions.MoveTask):
    """Copy a file or a folder of this machine."""

    class Output(actions.MoveTask.Output):
        pass

    copies: ClassVar[bool] = True


@task_type(
    f"{_T}.Delete",
    aliases=["local_delete"],
    examples=[
        Example(
            """
            id: files
            type: io.kestra.plugin.fs.local.Delete
            from: /data/in/orders.csv
            """,
            title="Delete a file.",
            needs="the folder /data",
        )
    ],
)
class Delete(LocalPlace, actions.DeleteTask):
    """Delete a file or a folder of this machine."""

    class Output(actions.DeleteTask.Output):
        pass

    recursive: Dynamic[bool] = Field(
        default=False, description="Whether a folder is deleted with all in it, or looked through with `regExp`."
    )
