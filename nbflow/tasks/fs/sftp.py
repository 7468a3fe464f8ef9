"""Task types on files of SFTP servers."""

from __future__ import annotations

from nbflow.plugins import Example, task_type
from nbflow.tasks.fs import actions, finding
from nbflow.tasks.fs.ssh_places import SftpPlace

_T = "io.kestra.plugin.fs.sftp"


@task_type(
    f"{_T}.Download",
    aliases=["sftp_download"],
    examples=[
        Example(
            """
            id: files
            type: io.kestra.plugin.fs.sftp.Download
            host: files.example.com
            username: app
            password: "{{ secret('FILES_PASSWORD') }}"
            from: /in/orders.csv
            """,
            title="Store a file of a server.",
            needs="an SFTP server",
        )
    ],
)
class Download(SftpPlace, actions.DownloadTask):
    """Store a file of an SFTP server."""

    class Output(actions.DownloadTask.Output):
        pass


@task_type(
    f"{_T}.Downloads",
    aliases=["sftp_downloads"],
    examples=[
        Example(
            """
            id: files
            type: io.kestra.plugin.fs.sftp.Downloads
            host: files.example.com
            username: app
            password: "{{ secret('FILES_PASSWORD') }}"
            from: /in/
            regExp: ".*[.]csv"
            action: MOVE
            moveDirectory: /done/
            """,
            title="Store the CSVs of a folder, and move them away.",
            needs="an SFTP server",
        )
    ],
)
class Downloads(SftpPlace, finding.DownloadsTask):
    """Store the files of a folder of an SFTP server."""

    class Output(finding.DownloadsTask.Output):
        pass


@task_type(
    f"{_T}.Upload",
    aliases=["sftp_upload"],
    examples=[
        Example(
            """
            - {id: report, type: write_file, content: hello}
            - id: files
              type: io.kestra.plugin.fs.sftp.Upload
              host: files.example.com
              username: app
              password: "{{ secret('FILES_PASSWORD') }}"
              from: "{{ outputs.report.uri }}"
              to: /out/report.txt
            """,
            title="Put a stored file there.",
            needs="an SFTP server",
        )
    ],
)
class Upload(SftpPlace, actions.UploadTask):
    """Put a stored file to an SFTP server."""

    class Output(actions.UploadTask.Output):
        pass


@task_type(
    f"{_T}.Uploads",
    aliases=["sftp_uploads"],
    examples=[
        Example(
            """
            - {id: report, type: write_file, content: hello}
            - id: files
              type: io.kestra.plugin.fs.sftp.Uploads
              host: files.example.com
              username: app
              password: "{{ secret('FILES_PASSWORD') }}"
              from:
                - "{{ outputs.report.uri }}"
              to: /out/
            """,
            title="Put several stored files there.",
            needs="an SFTP server",
        )
    ],
)
class Uploads(SftpPlace, actions.UploadsTask):
    """Put stored files into a folder of an SFTP server."""

    class Output(actions.UploadsTask.Output):
        pass


@task_type(
    f"{_T}.List",
    aliases=["sftp_list"],
    examples=[
        Example(
            """
            id: files
            type: io.kestra.plugin.fs.sftp.List
            host: files.example.com
            username: app
            password: "{{ secret('FILES_PASSWORD') }}"
            from: /in/
            """,
            title="What lies in a folder.",
            needs="an SFTP server",
        )
    ],
)
class List(SftpPlace, finding.ListTask):
    """List the files of a folder of an SFTP server."""

    class Output(finding.ListTask.Output):
        pass


@task_type(
    f"{_T}.Move",
    aliases=["sftp_move"],
    examples=[
        Example(
            """
            id: files
            type: io.kestra.plugin.fs.sftp.Move
            host: files.example.com
            username: app
            password: "{{ secret('FILES_PASSWORD') }}"
            from: /in/orders.csv
            to: /done/orders.csv
            """,
            title="Move a file there.",
            needs="an SFTP server",
        )
    ],
)
class Move(SftpPlace, actions.MoveTask):
    """Move a file or a folder of an SFTP server."""

    class Output(actions.MoveTask.Output):
        pass


@task_type(
    f"{_T}.Delete",
    aliases=["sftp_delete"],
    examples=[
        Example(
            """
            id: files
            type: io.kestra.plugin.fs.sftp.Delete
            host: files.example.com
            username: app
            password: "{{ secret('FILES_PASSWORD') }}"
            uri: /in/orders.csv
            """,
            title="Delete a file there.",
            needs="an SFTP server",
        )
    ],
)
class Delete(SftpPlace, actions.DeleteTask):
    """Delete a file or a folder of an SFTP server."""

    class Output(actions.DeleteTask.Output):
        pass
