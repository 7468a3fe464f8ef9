"""Reads a multipart body as it comes: files go to disk piece by piece, texts stay in memory, within limits.

    boundary ─► headers ─► content ─┬─► boundary …
                                    └─► epilogue (whatever follows the last boundary is ignored)

Source: RFC 2046 section 5.1.1, RFC 7578.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.message import Message
from email.utils import collapse_rfc2231_value
from pathlib import Path
from typing import IO

from nbflow.server.errors import RequestError

MAX_HEADERS = 8192
MAX_PARTS = 1000
MAX_TEXT = 16 * 2**20
"""Bytes of all texts of a form together."""

_BOUNDARY = re.compile(r"""boundary=(?:"([^"\r\n]+)"|([^;,\s"]+))""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a form, on the disk until the request ends. `file_name` is as the client says it: not to be trusted."""

    part: str
    file_name: str
    path: Path
    size: int


@dataclass(slots=True)
class Form:
    """What a form held: texts by the name of their part, and files in their order."""

    texts: dict[str, list[bytes]] = field(default_factory=dict)
    uploads: list[Upload] = field(default_factory=list)


def boundary_of(content_type: str) -> bytes:
    """The boundary that a content type names. Raises: RequestError."""
    found = _BOUNDARY.search(content_type)
    boundary = (found[1] or found[2]) if found else ""
    if not boundary or len(boundary) > 200:
        raise RequestError("the form names no boundary", status=400)
    return boundary.encode("latin-1", "replace")


class FormReader:
    """Takes pieces of a body with `feed`; `end` returns the form. Raises: RequestError for what is no form."""

    def __init__(self, boundary: bytes, folder: Path) -> None:
        self._marker = b"\r\n--" + boundary
        self._folder = folder
        self._form = Form()
        self._buffer = bytearray(b"\r\n")  # so that the first boundary looks like all others
        self._step = self._preamble
        self._parts = self._text_bytes = 0
        self._name = self._file_name = ""
        self._text: bytearray | None = None
        self._file: IO[bytes] | None = None

    def feed(self, piece: bytes) -> None:
        self._buffer += piece
        while self._step():
            pass

    def end(self) -> Form:
        self.close()
        if self._step not in (self._epilogue, self._preamble) or (
            self._step == self._preamble and len(self._buffer) > 2
        ):
            raise RequestError("the form is cut off: its last boundary is missing", status=400)
        return self._form

    def close(self) -> None:
        """Let go of a file that was being written."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _preamble(self) -> bool:
        return self._until_boundary()

    def _until_boundary(self) -> bool:
        at = self._buffer.find(self._marker)
        if at < 0:
            safe = len(self._buffer) - len(self._marker) + 1
            if safe > 0:
                self._write(bytes(self._buffer[:safe]))
                del self._buffer[:safe]
            return False
        self._write(bytes(self._buffer[:at]))
        del self._buffer[: at + len(self._marker)]
        self._end_part()
        self._step = self._after_boundary
        return True

    def _after_boundary(self) -> bool:
        line = self._buffer.find(b"\r\n")
        if self._buffer.startswith(b"--"):
            self._step = self._epilogue
            return True
        if line < 0:
            if len(self._buffer) > MAX_HEADERS:
                raise RequestError("a boundary of the form does not end", status=400)
            return False
        if self._buffer[:line].strip(b" \t"):
            raise RequestError("a boundary of the form is not followed by a new line", status=400)
        del self._buffer[:line]  # its end stays, so that a part without headers is seen as such
        self._step = self._headers
        return True

    def _headers(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEADERS:
                raise RequestError(f"the headers of a part are longer than {MAX_HEADERS} bytes", status=400)
            return False
        self._begin_part(self._buffer[:end].decode("utf-8", "replace"))
        del self._buffer[: end + 4]
        self._step = self._until_boundary
        return True

    def _epilogue(self) -> bool:
        self._buffer.clear()
        return False

    def _begin_part(self, headers: str) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise RequestError(f"the form has more than {MAX_PARTS} parts", status=413)
        disposition = next(
            (
                line.partition(":")[2].strip()
                for line in headers.split("\r\n")
                if line.lower().startswith("content-disposition:")
            ),
            "",
        )
        message = Message()
        message["Content-Disposition"] = disposition
        name = message.get_param("name", header="content-disposition")
        if not disposition.lower().startswith("form-data") or name is None:
            raise RequestError("a part of the form has no name", status=400)
        self._name = collapse_rfc2231_value(name)
        if message.get_filename() is None:
            self._text = bytearray()
        else:
            self._file_name = str(message.get_filename())
            self._file = (self._folder / f"part-{self._parts}").open("wb")

    def _write(self, content: bytes) -> None:
        if self._file is not None:
            self._file.write(content)
        elif self._text is not None:
            self._text_bytes += len(content)
            if self._text_bytes > MAX_TEXT:
                raise RequestError(f"the texts of the form are longer than {MAX_TEXT} bytes", status=413)
            self._text += content

    def _end_part(self) -> None:
        if self._file is not None:
            size = self._file.tell()
            self.close()
            path = self._folder / f"part-{self._parts}"
            self._form.uploads.append(Upload(self._name, self._file_name, path, size))
        elif self._text is not None:
            self._form.texts.setdefault(self._name, []).append(bytes(self._text))
            self._text = None
