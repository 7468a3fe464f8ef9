"""What a container writes, as it comes: both streams on one connection, told apart by a header before each piece.

Source: the Engine API's description of attaching to a container ("Stream format"): one byte for the stream, three
zeros, the length of the piece as four bytes, the piece.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterable, Iterator

from nbflow.runners.docker.engine import Engine

_CHUNK_BYTES = 256 * 1024
_HEADER = struct.Struct(">BxxxL")
_ERRORS = 2


@contextlib.contextmanager
def attached(engine: Engine, container: str) -> Iterator[Iterator[tuple[bytes, bytes]]]:
    """What a container that is about to start will write, as pairs (output, errors): one or both hold something."""
    api = engine.client.api
    # The docker package's own reading leaves out what came with the first bytes of the answer, and its sockets open.
    response = api._post(
        api._url("/containers/{0}/attach", container),
        headers={"Connection": "Upgrade", "Upgrade": "tcp"},
        params={"logs": 1, "stdout": 1, "stderr": 1, "stream": 1},
        stream=True,
    )
    with contextlib.closing(response):
        api._raise_for_status(response)
        file = response.raw._fp.fp
        with contextlib.suppress(AttributeError):  # a pipe of Windows has no socket, and no timeout
            file.raw._sock.settimeout(None)  # it may say nothing for hours
        yield pieces(iter(lambda: file.read1(_CHUNK_BYTES), b""))


@contextlib.contextmanager
def logged(engine: Engine, container: str, *, follow: bool = False) -> Iterator[Iterator[tuple[bytes, bytes]]]:
    """The same of a container that runs already, or has ended, from its start on.

    Whoever follows may miss the end: Podman looks into its log now and then, and not after the last time.
    """
    api = engine.client.api
    response = api._get(
        api._url("/containers/{0}/logs", container),
        params={"stdout": 1, "stderr": 1, "follow": int(follow)},
        stream=True,
        timeout=None,
    )
    with contextlib.closing(response):
        api._raise_for_status(response)
        yield pieces(response.iter_content(_CHUNK_BYTES))


def pieces(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Tell the two streams apart; what one chunk brings of a stream comes in one piece."""
    rest = b""
    for data in chunks:
        data = rest + data
        place, end = 0, len(data)
        found: tuple[list[bytes], list[bytes]] = ([], [])
        while place + _HEADER.size <= end:
            stream, length = _HEADER.unpack_from(data, place)
            start = place + _HEADER.size
            if start + length > end:
                break
            found[stream == _ERRORS].append(data[start : start + length])
            place = start + length
        rest = data[place:]
        if found[0] or found[1]:
            yield b"".join(found[0]), b"".join(found[1])
