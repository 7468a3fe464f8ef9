"""Task types on files of FTPS servers."""

from __future__ import annotations

from nbflow.tasks.fs import actions, finding
from nbflow.tasks.fs.ftp_places import FtpsPlace
from nbflow.tasks.fs.on_servers import on_server


@on_server("ftps")
class Download(FtpsPlace, actions.DownloadTask):
    """Store a file of an FTPS server."""


@on_server("ftps")
class Downloads(FtpsPlace, finding.DownloadsTask):
    """Store the files of a folder of an FTPS server."""


@on_server("ftps")
class Upload(FtpsPlace, actions.UploadTask):
    """Put a stored file to an FTPS server."""


@on_server("ftps")
class Uploads(FtpsPlace, actions.UploadsTask):
    """Put stored files into a folder of an FTPS server."""


@on_server("ftps")
class List(FtpsPlace, finding.ListTask):
    """List the files of a folder of an FTPS server."""


@on_server("ftps")
class Move(FtpsPlace, actions.MoveTask):
    """Move a file or a folder of an FTPS server."""


@on_server("ftps")
class Delete(FtpsPlace, actions.DeleteTask):
    """Delete a file or a folder of an FTPS server."""
