"""Task types on files of FTP servers."""

from __future__ import annotations

from nbflow.tasks.fs import actions, finding
from nbflow.tasks.fs.ftp_places import FtpPlace
from nbflow.tasks.fs.on_servers import on_server


@on_server("ftp")
class Download(FtpPlace, actions.DownloadTask):
    """Store a file of an FTP server."""


@on_server("ftp")
class Downloads(FtpPlace, finding.DownloadsTask):
    """Store the files of a folder of an FTP server."""


@on_server("ftp")
class Upload(FtpPlace, actions.UploadTask):
    """Put a stored file to an FTP server."""


@on_server("ftp")
class Uploads(FtpPlace, actions.UploadsTask):
    """Put stored files into a folder of an FTP server."""


@on_server("ftp")
class List(FtpPlace, finding.ListTask):
    """List the files of a folder of an FTP server."""


@on_server("ftp")
class Move(FtpPlace, actions.MoveTask):
    """Move a file or a folder of an FTP server."""


@on_server("ftp")
class Delete(FtpPlace, actions.DeleteTask):
    """Delete a file or a folder of an FTP server."""
