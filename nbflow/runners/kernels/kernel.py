"""A kernel that answers: requests out, messages in, and its death noticed at once.

start ─► both channels connect ─► probe: reply and iopub status of the same request have come ─► ready ─► end
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from nbflow.plugins.kernels import KernelDiedError, KernelKey, KernelMessage, KernelStartError, OnMessage
from nbflow.runners.kernels.process import OUTPUT, ForeignProcess, KernelProcess
from nbflow.runners.kernels.specs import FORGET_LAUNCH, KernelSpec

_PROBE_SECONDS = 0.05
"""How long the iopub status of a probe may take after its reply; then the subscription was too late for it."""
_SILENT_SECONDS = 4.0
"""How long iopub may be silent after a reply before the end of the output is taken as lost."""
_RECONNECT_MS = 5
_START_SECONDS = 60.0
_ATTACH_SECONDS = 5.0


class _Request:
    """A request under way: done when its reply and its last message have come."""

    def __init__(self, on_message: OnMessage | None) -> None:
        self.on_message = on_message
        self.reply: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self.idle = asyncio.Event()
        self.count = 0
        self.error: Exception | None = None

    def take(self, message: KernelMessage) -> None:
        self.count += 1
        if message["header"]["msg_type"] == "status" and message["content"].get("execution_state") == "idle":
            self.idle.set()
        elif self.on_message is not None and self.error is None:
            try:
                self.on_message(message)
            except Exception as error:  # raised again where the request is awaited
                self.error = error


class Kernel:
    """A started kernel, with an open client; implements `nbflow.plugins.kernels.WarmKernel`."""

    def __init__(
        self, process: KernelProcess | ForeignProcess, spec: KernelSpec, context: Any
    ) -> None:  # Any: a zmq.asyncio.Context
        self.language = spec.language
        self.info: Mapping[str, Any] = {}
        self.connection_file: Path = process.connection_file
        self.was_warm = False
        self.parked_for: timedelta | None = None
        self._process = process
        self._by_message = spec.interrupts_by_message
        self._requests: dict[str, _Request] = {}
        self.client = _client(process, context, control=spec.interrupts_by_message)
        self._owned = [
            asyncio.create_task(self._read(self.client.shell_channel, is_shell=True), name="nbflow-kernel-shell"),
            asyncio.create_task(self._read(self.client.iopub_channel, is_shell=False), name="nbflow-kernel-iopub"),
            asyncio.create_task(self._mourn(), name="nbflow-kernel-exit"),
        ]

    @classmethod
    async def start(cls, spec: KernelSpec, key: KernelKey, context: Any) -> Kernel:  # Any: a zmq.asyncio.Context
        """Start a kernel; it answers when this returns. Raises: KernelStartError."""
        kernel = cls(KernelProcess(spec, key), spec, context)
        try:
            async with asyncio.timeout(_START_SECONDS):
                await kernel._probe()
                # A first request costs more than later ones: better now than when somebody waits.
                if spec.language == "python":
                    first = _prepare(key.preimports, str(kernel.connection_file.with_name(OUTPUT)))
                    await kernel.execute(first, silent=True, store_history=False)
        except KernelDiedError as died:
            await kernel.end()
            raise KernelStartError(f"the kernel ended as it started{_said(died.said)}") from died
        except TimeoutError as late:
            await kernel.end()
            raise KernelStartError(f"the kernel has not answered within {_START_SECONDS:.0f} s") from late
        except BaseException:
            kernel.end_now()
            raise
        return kernel

    @classmethod
    async def attach(cls, connection_file: Path, pid: int, context: Any) -> Kernel:  # Any: a zmq.asyncio.Context
        """A kernel that another process, or another loop, has started and parked. Raises: KernelStartError."""
        try:
            process = ForeignProcess(connection_file, pid)
        except (OSError, ValueError) as cause:
            raise KernelStartError("the kernel has ended") from cause
        kernel = cls(process, KernelSpec((), "python"), context)
        try:
            async with asyncio.timeout(_ATTACH_SECONDS):
                await kernel._probe()
        except (KernelDiedError, TimeoutError) as cause:
            kernel.let_go()
            raise KernelStartError("the kernel does not answer: is it busy?") from cause
        except BaseException:
            kernel.let_go()
            raise
        return kernel

    def let_go(self) -> None:
        """Close its client and leave its process alone."""
        self._close()
        self._process.let_go()

    async def wait(self) -> None:
        """Return once its process has ended."""
        await self._process.exited.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return not self._process.exited.is_set()

    async def execute(
        self,
        code: str,
        on_message: OnMessage | None = None,
        *,
        silent: bool = False,
        store_history: bool = True,
        stop_on_error: bool = True,
    ) -> Mapping[str, Any]:
        content = {
            "code": code,
            "silent": silent,
            "store_history": store_history and not silent,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": stop_on_error,
        }
        return await self._ask("execute_request", content, on_message)

    async def interrupt(self) -> None:
        if self._by_message:
            self.client.control_channel.send(self.client.session.msg("interrupt_request", {}))
        else:
            self._process.interrupt()

    def memory(self) -> int | None:
        with contextlib.suppress(OSError, ValueError, IndexError):
            pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
            return pages * _page_bytes()
        return None

    def park(self, limit: timedelta) -> None:
        self.parked_for = limit

    async def end(self) -> None:
        """End its process and close its client."""
        self._close()
        await self._process.end()

    def end_now(self) -> None:
        """The same for the end of the loop: blocks for some milliseconds."""
        self._close()
        self._process.end_now()

    def _close(self) -> None:
        for task in self._owned:
            task.cancel()
        self.client.stop_channels()

    async def _probe(self) -> None:
        """Ask until the reply and the iopub status of one request have both come: from then on no output is lost."""
        while True:
            request = _Request(None)
            message_id = self._send("kernel_info_request", {}, request)
            try:
                self.info = await request.reply
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_PROBE_SECONDS):
                        await request.idle.wait()
                    return
            finally:
                del self._requests[message_id]

    async def _ask(self, kind: str, content: Mapping[str, Any], on_message: OnMessage | None) -> Mapping[str, Any]:
        request = _Request(on_message)
        message_id = self._send(kind, content, request)
        try:
            reply = await request.reply
            while not request.idle.is_set():
                count = request.count
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_SILENT_SECONDS):
                        await request.idle.wait()
                if request.count == count:  # its end was lost: what came is all there is
                    break
        finally:
            del self._requests[message_id]
        if request.error is not None:
            raise request.error
        return reply

    def _send(self, kind: str, content: Mapping[str, Any], request: _Request) -> str:
        if not self.is_alive:
            raise self._death()
        message = self.client.session.msg(kind, dict(content))
        message_id: str = message["header"]["msg_id"]
        self._requests[message_id] = request
        self.client.shell_channel.send(message)
        return message_id

    async def _read(self, channel: Any, *, is_shell: bool) -> None:  # Any: a channel of jupyter_client
        while True:
            try:
                message = await channel.get_msg()
            except ValueError:  # not signed with our key, or no message at all
                continue
            request = self._requests.get(message["parent_header"].get("msg_id", ""))
            if request is None:
                continue
            if not is_shell:
                request.take(message)
            elif not request.reply.done():
                request.reply.set_result(message["content"])

    async def _mourn(self) -> None:
        await self._process.exited.wait()
        await asyncio.sleep(0)  # what it said last is read first
        for request in self._requests.values():
            if not request.reply.done():
                request.reply.set_exception(self._death())
            request.idle.set()

    def _death(self) -> KernelDiedError:
        status = self._process.status or 0
        return KernelDiedError("the kernel died", status=status, said=self._process.said())


def _client(process: KernelProcess | ForeignProcess, context: Any, *, control: bool) -> Any:
    from jupyter_client.asynchronous.client import AsyncKernelClient

    client = AsyncKernelClient(context=context)
    client.load_connection_info(process.connection)
    client.start_channels(stdin=False, hb=False, control=control)
    return client


def new_context() -> Any:  # Any: pyzmq's classes change with what they are imported for
    """The sockets' context: quick to connect, never waiting at the end, and losing no message on this side."""
    import zmq
    import zmq.asyncio

    context = zmq.asyncio.Context(io_threads=1)
    context.setsockopt(zmq.RECONNECT_IVL, _RECONNECT_MS)
    context.setsockopt(zmq.LINGER, 0)
    context.setsockopt(zmq.RCVHWM, 0)
    return context


def _prepare(modules: tuple[str, ...], output: str) -> str:
    """Code that imports what there is of these modules, has crashes say where, and leaves no name behind.

    A crash must write to the file itself: what is written to standard error, the kernel would have to pass on.
    """
    return (
        "def _nbflow_prepare():\n import contextlib, faulthandler, importlib\n"
        f" {FORGET_LAUNCH}\n"
        f" faulthandler.enable(open({output!r}, 'a'), all_threads=False)\n"
        f" for name in {list(modules)!r}:\n"
        "  with contextlib.suppress(ImportError): importlib.import_module(name)\n"
        "_nbflow_prepare()\ndel _nbflow_prepare\n"
    )


def _said(text: str) -> str:
    return f": {text.splitlines()[-1]}" if text else ""


def _page_bytes() -> int:
    import resource

    return resource.getpagesize()
