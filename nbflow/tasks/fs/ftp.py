"""Task types on files of FTP servers."""

from __future__ import annotations

from nbflow.plugins import Example, task_type
from nbflow.tasks.fs import actions, finding
from nbflow.tasks.fs.ftp_places import FtpPlace

_T = "io.kestra.plugin.fs.ftp"


@task_type(
    f"{_T}.Download",
    aliases=["ftp_download"],
    examples=[
        Example(
            """
            id: files
            type: io.kestra.plugin.fs.ftp.Download
            host: files.example.com
            username: app
            password: "{{ secret('FILES_PASSWORD') }}"
            from: /in/orders.csv
            """,
            title="Store a file of a server.",
            needs="an FTP server",
        )
    ],
)
class Download(FtpPlace, actions.DownloadTask):
    """Store a file of an FTP server."""

    class Output(actions.DownloadTask.Output):
        pass


@task_type(
    f"{_T}.Downloads",
    aliases=["ftp_downloads"],
    examples=[
        Example(
            """
            id: files
            type: io.kestra.plugin.fs.ftp.Downloads
            host: files.example.com
            username: app
            password: "{{ secret('FILES_PASSWORD') }}"
            from: /in/
            regExp: ".*[.]csv"
            action: MOVE
            moveDirectory: /done/
            """,
            title="Store the CSVs of a folder, and move them away.",
            needs="an FTP server",
        )
    ],
)
class Downloads(FtpPlace, finding.DownloadsTask):
    """Store the files of a folder of an FTP server."""

    class Output(finding.DownloadsTask.Output):
        pass


@task_type(
    f"{_T}.Upload",
    aliases=["ftp_upload"],
    examples=[
        Example(
            """
            - {id: report, type: write_file, content: hello}
            - id: files
              type: io.kestra.plugin.fs.ftp.Upload
              host: files.example.com
              username: app
              password: "{{ secret('FILES_PASSWORD') }}"
              from: "{{ outputs.report.uri }}"
              to: /out/report.txt
            """,
            title="Put a stored file there.",
            needs="an FTP server",
        )
    ],
)
class Upload(FtpPlace, actions.UploadTask):
    """Put a stored file to an FTP server."""

    class Output(actions.UploadTask.Output):
        pass


@task_type(
    f"{_T}.Uploads",
    aliases=["ftp_uploads"],
    examples=[
        Example(
            """
            - {id: report, type: write_file, content: hello}
            - id: files
              type: io.kestra.plugin.fs.ftp.Uploads
              host: files.example.com
              username: app
              password: "{{ secret('FILES_PASSWORD') }}"
              from:
                - "{{ outputs.report.uri }}"
              to: /out/
            """,
            title="Put several stored files there.",
            needs="an FTP server",
        )
    ],
)
class Uploads(FtpPlace, actions.UploadsTask):
    """Put stored files into a folder of an FTP server."""

    class Output(actions.UploadsTask.Output):
        pass


@task_type(
    f"{_T}.List",
    aliases=["ftp_list"],
    examples=[
        Example(
            """
            id: files
            type: io.kestra.plugin.fs.ftp.List
            host: files.example.com
            username: app
            password: "{{ secret('FILES_PASSWORD') }}"
            from: /in/
            """,
            title="What lies in a folder.",
            needs="an FTP server",
        )
    ],
)
class List(FtpPlace, finding.ListTask):
    """List the files of a folder of an FTP server."""

    class Output(finding.ListTask.Output):
        pass


@task_type(
    f"{_T}.Move",
    aliases=["ftp_move"],
    examples=[
        Example(
            """
            id: files
            type: io.kestra.plugin.fs.ftp.Move
            host: files.example.com
            username: app
            password: "{{ secret('FILES_PASSWORD') }}"
            from: /in/orders.csv
            to: /done/orders.csv
            """,
            title="Move a file there.",
            needs="an FTP server",
        )
    ],
)
class Move(FtpPlace, actions.MoveTask):
    """Move a file or a folder of an FTP server."""

    class Output(actions.MoveTask.Output):
        pass


@task_type(
    f"{_T}.Delete",
    aliases=["ftp_delete"],
    examples=[
        Example(
            """
            id: files
            type: io.kestra.plugin.fs.ftp.Delete
            host: files.example.com
            username: app
            password: "{{ secret('FILES_PASSWORD') }}"
            uri: /in/orders.csv
            """,
            title="Delete a file there.",
            needs="an FTP server",
        )
    ],
)
class Delete(FtpPlace, actions.DeleteTask):
    """Delete a file or a folder of an FTP server."""

    class Output(actions.DeleteTask.Output):
        pass
