"""Task types on files wherever they lie: places are URLs of any kind that fsspec knows."""

from __future__ import annotations

from typing import ClassVar

from pydantic import AliasChoices, Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, Model, RunContext, Text, task_type
from nbflow.tasks.fs import actions, finding
from nbflow.tasks.fs.places import Place, working_on
from nbflow.tasks.fs.urls import UrlPlace, reach
from nbflow.tasks.stopping import Stop
from nbflow.tasks.storage.scratch import scratch_file
from nbflow.types import JsonValue

_T = "nbflow.fs"
_PUT = """
            - {id: report, type: write_file, content: hello}
            - {id: put, type: fs_upload, from: "{{ outputs.report.uri }}", to: "memory://%s/report.txt"}"""
_FOLDER = "URL of the folder, such as `gs://bucket/in/`."


class AnyPlace(Model):
    """Files that a URL leads to."""

    storage_options: Dynamic[dict[str, JsonValue]] = Field(
        default_factory=dict,
        description="What fsspec needs to know beside the URL, by its names: `key`, `secret` and `endpoint_url` for "
        "s3, `token` for gs, `username` and `password` for sftp. Best from `secret()`.",
    )
    at: ClassVar[str] = "from_"
    """The field with the URL."""

    def open(self, ctx: RunContext) -> Place:
        return reach(getattr(self, self.at), self.storage_options)


@task_type(
    f"{_T}.Download",
    aliases=["fs_download"],
    examples=[
        Example(
            _PUT % "download"
            + """
            - id: files
              type: nbflow.fs.Download
              from: "{{ outputs.put.uri }}"
            """,
            title="Store a file.",
        ),
        Example(
            """
            id: files
            type: nbflow.fs.Download
            from: s3://my-bucket/in/orders.csv
            storageOptions:
              key: "{{ secret('AWS_ACCESS_KEY_ID') }}"
              secret: "{{ secret('AWS_SECRET_KEY_ID') }}"
            """,
            title="Store a file of a bucket.",
            needs="a bucket of S3",
        ),
    ],
)
class Download(AnyPlace, actions.DownloadTask):
    """Store a file that a URL leads to."""

    class Output(actions.DownloadTask.Output):
        pass

    from_: Dynamic[Text] = Field(alias="from", description="URL of the file, such as `s3://bucket/orders.csv`.")


@task_type(
    f"{_T}.Downloads",
    aliases=["fs_downloads"],
    examples=[
        Example(
            _PUT % "downloads/in"
            + """
            - id: files
              type: nbflow.fs.Downloads
              from: memory://downloads/in/
              regExp: .*[.]txt
              action: MOVE
              moveDirectory: memory://downloads/done/
            """,
            title="Store the files of a folder, and move them away.",
        )
    ],
)
class Downloads(AnyPlace, finding.DownloadsTask):
    """Store the files of a folder that a URL leads to."""

    class Output(finding.DownloadsTask.Output):
        pass

    from_: Dynamic[Text] = Field(alias="from", validation_alias=AliasChoices("from", "directory"), description=_FOLDER)
    move_directory: Dynamic[Text] | None = Field(
        default=None, description="URL of the folder, on the same file system, with `action: MOVE`."
    )


@task_type(
    f"{_T}.Upload",
    aliases=["fs_upload"],
    examples=[
        Example(
            """
            - {id: report, type: write_file, content: hello}
            - id: files
              type: nbflow.fs.Upload
              from: "{{ outputs.report.uri }}"
              to: memory://upload/report.txt
            """,
            title="Put a stored file somewhere.",
        ),
        Example(
            """
            - {id: report, type: write_file, content: hello}
            - id: files
              type: nbflow.fs.Upload
              from: "{{ outputs.report.uri }}"
              to: gs://my-bucket/out/report.txt
              storageOptions:
                token: "{{ fromJson(secret('GCP_CREDS')) }}"
            """,
            title="Put a stored file into a bucket.",
            needs="a bucket of Google Cloud Storage",
        ),
    ],
)
class Upload(AnyPlace, actions.UploadTask):
    """Put a stored file where a URL says."""

    class Output(actions.UploadTask.Output):
        pass

    to: Dynamic[Text] = Field(description="URL to put it at; one that ends with / is a folder.")
    at: ClassVar[str] = "to"


@task_type(
    f"{_T}.Uploads",
    aliases=["fs_uploads"],
    examples=[
        Example(
            """
            - {id: report, type: write_file, content: hello}
            - id: files
              type: nbflow.fs.Uploads
              from:
                report.txt: "{{ outputs.report.uri }}"
              to: memory://uploads/
            """,
            title="Put several stored files somewhere.",
        )
    ],
)
class Uploads(AnyPlace, actions.UploadsTask):
    """Put stored files into a folder that a URL leads to."""

    class Output(actions.UploadsTask.Output):
        pass

    to: Dynamic[Text] = Field(
        validation_alias=AliasChoices("to", "directory"), description="URL of the folder to put them into."
    )
    at: ClassVar[str] = "to"


@task_type(
    f"{_T}.List",
    aliases=["fs_list"],
    examples=[
        Example(
            _PUT % "list"
            + """
            - id: files
              type: nbflow.fs.List
              from: memory://list/
            """,
            title="What lies in a folder.",
        )
    ],
)
class List(AnyPlace, finding.ListTask):
    """List the files of a folder that a URL leads to."""

    class Output(finding.ListTask.Output):
        pass

    from_: Dynamic[Text] = Field(alias="from", validation_alias=AliasChoices("from", "directory"), description=_FOLDER)


class Transfer(AnyPlace, actions.MoveTask):
    """From one place to another, which may lie on another file system."""

    from_: Dynamic[Text] = Field(alias="from", description="URL of the file or folder.")
    to: Dynamic[Text] = Field(description="URL it gets; one that ends with / is a folder to put it into.")
    to_storage_options: Dynamic[dict[str, JsonValue]] | None = Field(
        default=None, description="As `storageOptions`, for `to`; these hold for both where the URLs begin alike."
    )

    def act(self, ctx: RunContext, place: Place, stop: Stop) -> actions.MoveTask.Output:
        with working_on(self._target, self.task_title) as other:
            stop.then(other.close)
            if place.system == other.system:
                try:
                    return actions.MoveTask.act(self, ctx, place, stop)
                except NotImplementedError:  # not every file system copies by itself
                    ctx.log.debug("%s goes through this machine", self.from_)
            return self._carry(ctx, place, other, stop)

    def _target(self) -> UrlPlace:
        is_alike = self.from_.partition("://")[0] == self.to.partition("://")[0]
        options = self.storage_options if self.to_storage_options is None and is_alike else self.to_storage_options
        return reach(self.to, options or {})

    def _carry(self, ctx: RunContext, place: Place, other: Place, stop: Stop) -> actions.MoveTask.Output:
        """Take the content through this machine, file by file."""
        source, target = place.path(self.from_).rstrip("/"), other.path(self.to)
        entry = place.entry(source)
        if entry is None:
            raise TaskFailedError(f"there is no {place.uri(source)}")
        if target.endswith("/"):
            target += entry.name
        actions.refuse_existing(other, target, self.overwrite)
        inside = place.entries(source, recursive=True) if entry.is_folder else [entry]
        for found in stop.watch([found for found in inside if not found.is_folder]):
            with scratch_file(ctx) as path:
                actions.take(place, found.path, path, stop)
                actions.give(other, path, target + found.path.removeprefix(entry.path), stop)
        if not self.copies:
            if entry.is_folder:
                actions.delete_folder(place, source, recursive=True)
            else:
                place.system.rm_file(source)
        return self.Output(from_=place.uri(source), to=other.uri(target))


@task_type(
    f"{_T}.Move",
    aliases=["fs_move"],
    examples=[
        Example(
            _PUT % "move"
            + """
            - id: files
              type: nbflow.fs.Move
              from: memory://move/report.txt
              to: memory://move/done/
            """,
            title="Move a file.",
        ),
        Example(
            """
            id: files
            type: nbflow.fs.Move
            from: sftp://files.example.com/in/orders.csv
            to: s3://my-bucket/in/
            storageOptions:
              username: app
              password: "{{ secret('FILES_PASSWORD') }}"
            toStorageOptions:
              key: "{{ secret('AWS_ACCESS_KEY_ID') }}"
              secret: "{{ secret('AWS_SECRET_KEY_ID') }}"
            """,
            title="Move a file from a server to a bucket.",
            needs="an SFTP server, and a bucket of S3",
        ),
    ],
)
class Move(Transfer):
    """Move a file or a folder from one URL to another, on any file systems."""

    class Output(actions.MoveTask.Output):
        pass


@task_type(
    f"{_T}.Copy",
    aliases=["fs_copy"],
    examples=[
        Example(
            _PUT % "copy"
            + """
            - id: files
              type: nbflow.fs.Copy
              from: memory://copy/report.txt
              to: memory://copy/again.txt
            """,
            title="Copy a file.",
        )
    ],
)
class Copy(Transfer):
    """Copy a file or a folder from one URL to another, on any file systems."""

    class Output(actions.MoveTask.Output):
        pass

    copies: ClassVar[bool] = True


@task_type(
    f"{_T}.Delete",
    aliases=["fs_delete"],
    examples=[
        Example(
            _PUT % "delete"
            + """
            - id: files
              type: nbflow.fs.Delete
              uri: memory://delete/report.txt
            """,
            title="Delete a file.",
        )
    ],
)
class Delete(AnyPlace, actions.DeleteTask):
    """Delete a file or a folder that a URL leads to."""

    class Output(actions.DeleteTask.Output):
        pass

    uri: Dynamic[Text] = Field(validation_alias=AliasChoices("uri", "from"), description="URL of the file or folder.")
    recursive: Dynamic[bool] = Field(
        default=False, description="Whether a folder is deleted with all in it, or looked through with `regExp`."
    )
    at: ClassVar[str] = "uri"
