"""Task types on files of SFTP servers."""

from __future__ import annotations

from nbflow.tasks.fs import actions, finding
from nbflow.tasks.fs.on_servers import on_server
from nbflow.tasks.fs.ssh_places import SftpPlace


@on_server("sftp")
class Download(SftpPlace, actions.DownloadTask):
    """Store a file of an SFTP server."""


@on_server("sftp")
class Downloads(SftpPlace, finding.DownloadsTask):
    """Store the files of a folder of an SFTP server."""


@on_server("sftp")
class Upload(SftpPlace, actions.UploadTask):
    """Put a stored file to an SFTP server."""


@on_server("sftp")
class Uploads(SftpPlace, actions.UploadsTask):
    """Put stored files into a folder of an SFTP server."""


@on_server("sftp")
class List(SftpPlace, finding.ListTask):
    """List the files of a folder of an SFTP server."""


@on_server("sftp")
class Move(SftpPlace, actions.MoveTask):
    """Move a file or a folder of an SFTP server."""


@on_server("sftp")
class Delete(SftpPlace, actions.DeleteTask):
    """Delete a file or a folder of an SFTP server."""
