"""gunicorn's threads, which nobody can hold by sending or taking nothing."""

import errno
import socket
import struct
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

SILENCE = 10  # seconds in which nothing arrives, or nothing is taken


class _Connection(socket.socket):
    """Blocking as gunicorn wants it, but not for ever: who falls silent counts as gone.

    A timeout of Python's own would not last: gunicorn makes the socket blocking before each request.
    """

    def __init__(self, accepted: socket.socket) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", SILENCE, 0))

    def recv(self, *arguments: Any) -> bytes:  # noqa: ANN401 - as socket has it
        try:
            return super().recv(*arguments)
        except BlockingIOError:
            raise self._gone() from None

    def sendall(self, *arguments: Any) -> None:  # noqa: ANN401 - as socket has it
        try:
            super().sendall(*arguments)
        except BlockingIOError:
            raise self._gone() from None

    def _gone(self) -> OSError:
        return ConnectionResetError(errno.ECONNRESET, f"silent for {SILENCE} seconds")


class Worker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    def accept(self, listener: socket.socket) -> None:
        try:
            accepted, address = listener.accept()
        except OSError as problem:  # another worker was faster, or the visitor has gone again
            if problem.errno not in (errno.EAGAIN, errno.ECONNABORTED):
                raise
            return
        accepted.setblocking(True)
        self.nr_conns += 1
        self.enqueue_req(TConn(self.cfg, _Connection(accepted), address, listener.getsockname()))
