"""A mail server for tests: takes what is sent to it over real SMTP, and keeps it."""

import email
import email.policy
import queue
import socketserver
import threading
from email.message import EmailMessage
from types import TracebackType
from typing import Self

TIMEOUT = 10.0  # seconds


class Mailbox:
    """``with Mailbox() as mailbox: ... mailbox.next()``; it speaks no TLS and knows no users."""

    def __init__(self) -> None:
        self._arrived: queue.Queue[EmailMessage] = queue.Queue()
        arrived = self._arrived

        class Conversation(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self._say("220 mailbox")
                while line := self.rfile.readline():
                    word = line.split(maxsplit=1)[0].upper() if line.strip() else b""
                    if word == b"DATA":
                        self._say("354 go on")
                        arrived.put(_parsed(self._data()))
                        self._say("250 kept")
                    elif word == b"QUIT":
                        self._say("221 bye")
                        return
                    else:
                        self._say("250 mailbox" if word != b"STARTTLS" else "454 no TLS here")

            def _data(self) -> bytes:
                lines = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line.removeprefix(b"."))
                return b"".join(lines)

            def _say(self, text: str) -> None:
                self.wfile.write(text.encode() + b"\r\n")

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Conversation)
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def is_empty(self) -> bool:
        return self._arrived.empty()

    def next(self) -> EmailMessage:
        """The oldest message that was not read yet; waits for it."""
        return self._arrived.get(timeout=TIMEOUT)


def _parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message
