"""Task types on files of FTPS servers."""

from __future__ import annotations

from nbflow.plugins import Example, task_type
from nbflow.tasks.fs import actions, finding
from nbflow.tasks.fs.ftp_places import FtpsPlace

_T = "io.kestra.plugin.fs.ftps"


@task_type(
    f"{_T}.Download",
    aliases=["ftps_download"],
    examples=[
        Example(
            """
            id: files
            type: io.kestra.plugin.fs.ftps.Download
            host: files.example.com
            username: app
            password: "{{ secret('FILES_PASSWORD') }}"
            from: /in/orders.csv
            """,
            title="Store a file of a server.",
            needs="an FTPS server",
        )
    ],
)
class Download(FtpsPlace, actions.DownloadTask):
    """Store a file of an FTPS server."""

    class Output(actions.DownloadTask.Output):
        pass


@task_type(
    f"{_T}.Downloads",
    aliases=["ftps_downloads"],
    examples=[
        Example(
            """
            id: files
            type: io.kestra.plugin.fs.ftps.Downloads
            host: files.example.com
            username: app
            password: "{{ secret('FILES_PASSWORD') }}"
            from: /in/
            regExp: ".*[.]csv"
            action: MOVE
            moveDirectory: /done/
            """,
            title="Store the CSVs of a folder, and move them away.",
            needs="an FTPS server",
        )
    ],
)
class Downloads(FtpsPlace, finding.DownloadsTask):
    """Store the files of a folder of an FTPS server."""

    class Output(finding.DownloadsTask.Output):
        pass


@task_type(
    f"{_T}.Upload",
    aliases=["ftps_upload"],
    examples=[
        Example(
            """
            - {id: report, type: write_file, content: hello}
            - id: files
              type: io.kestra.plugin.fs.ftps.Upload
              host: files.example.com
              username: app
              password: "{{ secret('FILES_PASSWORD') }}"
              from: "{{ outputs.report.uri }}"
              to: /out/report.txt
            """,
            title="Put a stored file there.",
            needs="an FTPS server",
        )
    ],
)
class Upload(FtpsPlace, actions.UploadTask):
    """Put a stored file to an FTPS server."""

    class Output(actions.UploadTask.Output):
        pass


@task_type(
    f"{_T}.Uploads",
    aliases=["ftps_uploads"],
    examples=[
        Example(
            """
            - {id: report, type: write_file, content: hello}
            - id: files
              type: io.kestra.plugin.fs.ftps.Uploads
              host: files.example.com
              username: app
              password: "{{ secret('FILES_PASSWORD') }}"
              from:
                - "{{ outputs.report.uri }}"
              to: /out/
            """,
            title="Put several stored files there.",
            needs="an FTPS server",
        )
    ],
)
class Uploads(FtpsPlace, actions.UploadsTask):
    """Put stored files into a folder of an FTPS server."""

    class Output(actions.UploadsTask.Output):
        pass


@task_type(
    f"{_T}.List",
    aliases=["ftps_list"],
    examples=[
        Example(
            """
            id: files
            type: io.kestra.plugin.fs.ftps.List
            host: files.example.com
            username: app
            password: "{{ secret('FILES_PASSWORD') }}"
            from: /in/
            """,
            title="What lies in a folder.",
            needs="an FTPS server",
        )
    ],
)
class List(FtpsPlace, finding.ListTask):
    """List the files of a folder of an FTPS server."""

    class Output(finding.ListTask.Output):
        pass


@task_type(
    f"{_T}.Move",
    aliases=["ftps_move"],
    examples=[
        Example(
            """
            id: files
            type: io.kestra.plugin.fs.ftps.Move
            host: files.example.com
            username: app
            password: "{{ secret('FILES_PASSWORD') }}"
            from: /in/orders.csv
            to: /done/orders.csv
            """,
            title="Move a file there.",
            needs="an FTPS server",
        )
    ],
)
class Move(FtpsPlace, actions.MoveTask):
    """Move a file or a folder of an FTPS server."""

    class Output(actions.MoveTask.Output):
        pass


@task_type(
    f"{_T}.Delete",
    aliases=["ftps_delete"],
    examples=[
        Example(
            """
            id: files
            type: io.kestra.plugin.fs.ftps.Delete
            host: files.example.com
            username: app
            password: "{{ secret('FILES_PASSWORD') }}"
            uri: /in/orders.csv
            """,
            title="Delete a file there.",
            needs="an FTPS server",
        )
    ],
)
class Delete(FtpsPlace, actions.DeleteTask):
    """Delete a file or a folder of an FTPS server."""

    class Output(actions.DeleteTask.Output):
        pass
