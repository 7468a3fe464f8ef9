"""The body of a request, taken in piece by piece within a limit: files of a form go to disk, all else to memory."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tornado.httputil import HTTPFile as _HTTPFile
from tornado.httputil import HTTPHeaders, parse_body_arguments

from nbflow.server.errors import RequestError
from nbflow.server.forms import Form, FormReader, boundary_of


class Body:
    """What a client sends. Nothing is raised before the end: a client that is still sending would not hear it."""

    def __init__(self, headers: HTTPHeaders, limit: int, upload_limit: int) -> None:
        self._type = headers.get("Content-Type", "")
        self._is_form = self._type.partition(";")[0].strip().lower() == "multipart/form-data"
        self._limit = upload_limit if self._is_form else limit
        self._content = bytearray()
        self._reader: FormReader | None = None
        self._folder: Path | None = None
        self._received = 0
        self._fault: RequestError | None = None
        if headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
            self._fault = RequestError("a compressed body is not taken", status=415)
        self._refuse_size(int(length) if (length := headers.get("Content-Length", "0")).isdecimal() else 0)

    @property
    def fault(self) -> RequestError | None:
        """Why it is refused, as far as is known."""
        return self._fault

    def feed(self, piece: bytes) -> None:
        """Take in a piece; once something is wrong the rest is dropped."""
        self._received += len(piece)
        self._refuse_size(self._received)
        if self._fault is not None:
            self._content.clear()
            return
        if not self._is_form:
            self._content += piece
            return
        try:
            if self._reader is None:
                boundary = boundary_of(self._type)
                self._folder = Path(tempfile.mkdtemp(prefix="nbflow-upload-"))
                self._reader = FormReader(boundary, self._folder)
            self._reader.feed(piece)
        except RequestError as fault:
            self._fault = fault

    def end(self) -> tuple[bytes, Form]:
        """The body as octets, and as a form where it is one. Raises: RequestError."""
        form = self._reader.end() if self._fault is None and self._reader is not None else Form()
        if self._fault is not None:
            raise self._fault
        content = bytes(self._content)
        if content and self._type.startswith("application/x-www-form-urlencoded"):
            files: dict[str, list[_HTTPFile]] = {}
            parse_body_arguments(self._type, content, form.texts, files)
        return content, form

    def close(self) -> None:
        """Delete what lies on the disk."""
        if self._reader is not None:
            self._reader.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _refuse_size(self, size: int) -> None:
        if size > self._limit and self._fault is None:
            self._fault = RequestError(
                f"the body is longer than the {self._limit} bytes that are taken here", status=413
            )
