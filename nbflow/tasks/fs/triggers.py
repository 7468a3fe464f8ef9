"""Triggers that look into a folder now and then, and start the flow when there are files.

Files that are neither moved nor deleted are remembered: one starts the flow when it is new, or has changed. Files are
moved, deleted or remembered once the execution is recorded; what a crash then cuts off is done before the next look.
"""

from __future__ import annotations

from textwrap import dedent

from pydantic import AliasChoices, Field, PositiveInt

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, Found, Model, RunContext, Text, Trigger, trigger_type
from nbflow.tasks.fs.actions import FileInfo, file_info, limited, matches, take
from nbflow.tasks.fs.anywhere import AnyPlace
from nbflow.tasks.fs.finding import Action
from nbflow.tasks.fs.ftp_places import FtpPlace, FtpsPlace
from nbflow.tasks.fs.local import LocalPlace
from nbflow.tasks.fs.memory import Remembering
from nbflow.tasks.fs.places import Entry, Place, working_on
from nbflow.tasks.fs.ssh_places import SftpPlace
from nbflow.tasks.stopping import Stop, in_thread
from nbflow.tasks.storage.scratch import scratch_file
from nbflow.types import JsonValue


class Receipt(Model):
    """What is to happen to files that were taken: path → what the file was like; `target` is a folder there."""

    action: Action
    files: dict[str, str]
    target: str | None = None


class FilesTrigger(Remembering):
    """Fires when there are files in a folder."""

    class Output(Trigger.Output):
        files: list[FileInfo] = Field(description="The files; `path` is the URI of the stored one.")

    from_: Dynamic[Text] = Field(alias="from", description="Path of the folder, or its URI.")
    reg_exp: Dynamic[Text] | None = Field(
        default=None,
        validation_alias=AliasChoices("regExp", "regexp"),
        description="Only files whose whole path matches.",
    )
    recursive: Dynamic[bool] = Field(default=False, description="Whether folders in it are looked into as well.")
    max_files: Dynamic[PositiveInt] = Field(default=25, description="At most so many at once; the rest is left.")
    action: Dynamic[Action] = Field(
        default=Action.NONE, description="What happens there to files that were taken: NONE, MOVE, DELETE."
    )
    move_directory: Dynamic[Text] | None = Field(default=None, description="Where to, with `action: MOVE`.")

    def open(self, ctx: RunContext) -> Place:
        """Reach the file system; what it needs is closed with the place."""
        raise TypeError(f"{type(self).__name__} does not say where its files are: write `open`")

    async def look(self, ctx: RunContext) -> Found | None:
        if self.action is Action.MOVE and self.move_directory is None:
            raise TaskFailedError("`action: MOVE` needs `moveDirectory`")
        return await in_thread(lambda stop: self._look(ctx, stop))

    async def seen(self, ctx: RunContext, receipt: JsonValue) -> None:
        await in_thread(lambda stop: self._clear_all(ctx, Receipt.model_validate(receipt), stop))

    def _look(self, ctx: RunContext, stop: Stop) -> Found | None:
        with working_on(lambda: self.open(ctx), self.id) as place:
            stop.then(place.close)  # what is on its way then ends
            found = self._found(place)
            present = {entry.path: _mark(entry) for entry in found}
            wanted = self.fresh(ctx, present) if self.action is Action.NONE else set(present)
            entries = limited(ctx, [entry for entry in found if entry.path in wanted], self.max_files)
            files = [self._stored(ctx, place, entry, stop) for entry in entries]
            target = place.path(self.move_directory or "") if self.action is Action.MOVE else None
        if not files:
            return None
        taken = {entry.path: present[entry.path] for entry in entries}
        receipt = Receipt(action=self.action, files=taken, target=target)
        return Found(self.Output(files=files), receipt.model_dump(mode="json"))

    def _clear_all(self, ctx: RunContext, receipt: Receipt, stop: Stop) -> None:
        if receipt.action is Action.NONE:
            self.remember(ctx, receipt.files)
            return
        with working_on(lambda: self.open(ctx), self.id) as place:
            stop.then(place.close)
            for path, mark in stop.watch(receipt.files.items()):
                entry = place.entry(path)
                if entry is not None and _mark(entry) == mark:  # gone already, or another one that was put in its place
                    _clear(place, entry, receipt)

    def _found(self, place: Place) -> list[Entry]:
        folder = place.path(self.from_)
        single = place.entry(folder)
        if single is not None and not single.is_folder:
            entries = [single]
        else:
            entries = place.entries(folder, recursive=self.recursive)
        files = [entry for entry in entries if not entry.is_folder]
        return [entry for entry in files if matches(self.reg_exp, place.shown(entry.path))]

    def _stored(self, ctx: RunContext, place: Place, entry: Entry, stop: Stop) -> FileInfo:
        with scratch_file(ctx) as target:
            take(place, entry.path, target, stop)
            return file_info(place, entry, ctx.store_file(target, entry.name))


def _clear(place: Place, entry: Entry, receipt: Receipt) -> None:
    if receipt.action is Action.DELETE:
        place.system.rm_file(entry.path)
    else:
        target = f"{(receipt.target or '').rstrip('/')}/{entry.name}"
        place.make_folder_of(target)
        place.system.mv(entry.path, target)


def _mark(entry: Entry) -> str:
    """What changes when a file does."""
    return f"{entry.size} {entry.modified.isoformat() if entry.modified is not None else ''}"


def _example(kind: str, folder: str, server: str = "") -> list[Example]:
    text = f"""
        id: new_files
        type: io.kestra.plugin.fs.{kind}.Trigger
        {server}from: {folder}
        regExp: ".*[.]csv"
        interval: PT10S
        action: MOVE
        moveDirectory: /data/done/
    """
    return [Example(dedent(text), title="When there are CSVs; they are moved away.", needs="a folder with files")]


_SERVER = """host: files.example.com
        username: app
        password: "{{ secret('FILES_PASSWORD') }}"
        """


@trigger_type("io.kestra.plugin.fs.local.Trigger", aliases=["local_trigger"], examples=_example("local", "/data/in/"))
class LocalTrigger(LocalPlace, FilesTrigger):
    """Start the flow when there are files in a folder of this machine."""


@trigger_type("io.kestra.plugin.fs.sftp.Trigger", aliases=["sftp_trigger"], examples=_example("sftp", "/in/", _SERVER))
class SftpTrigger(SftpPlace, FilesTrigger):
    """Start the flow when there are files in a folder of an SFTP server."""


@trigger_type("io.kestra.plugin.fs.ftp.Trigger", aliases=["ftp_trigger"], examples=_example("ftp", "/in/", _SERVER))
class FtpTrigger(FtpPlace, FilesTrigger):
    """Start the flow when there are files in a folder of an FTP server."""


@trigger_type("io.kestra.plugin.fs.ftps.Trigger", aliases=["ftps_trigger"], examples=_example("ftps", "/in/", _SERVER))
class FtpsTrigger(FtpsPlace, FilesTrigger):
    """Start the flow when there are files in a folder of an FTPS server."""


@trigger_type(
    "nbflow.fs.Trigger",
    aliases=["fs_trigger"],
    examples=[
        Example(
            """
            id: new_files
            type: nbflow.fs.Trigger
            from: s3://my-bucket/in/
            storageOptions:
              key: "{{ secret('AWS_ACCESS_KEY_ID') }}"
              secret: "{{ secret('AWS_SECRET_KEY_ID') }}"
            interval: PT1M
            action: DELETE
            """,
            title="When there are files in a bucket; they are deleted there.",
            needs="a bucket of S3",
        )
    ],
)
class AnyTrigger(AnyPlace, FilesTrigger):
    """Start the flow when there are files in a folder that a URL leads to."""

    def open(self, ctx: RunContext) -> Place:
        return AnyPlace.open(self, ctx)
