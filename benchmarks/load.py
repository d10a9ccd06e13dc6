"""The load generator: a closed loop of keep-alive connections in one process, cheap enough not to be what is measured."""

import gc
import re
import selectors
import socket
import time
from collections import Counter
from dataclasses import dataclass, field

from benchmarks.works import RanOut, Work

SILENCE = 30.0  # seconds without any answer after which the open requests count as lost

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass
class Load:
    """What came back. Latencies are in seconds, of good answers only."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def answers(self) -> int:
        return len(self.latencies) + self.errors.total()


class _Connection:
    def __init__(self, number: int, port: int) -> None:
        self.number, self.port = number, port
        self.waiting = False
        self.open()

    def open(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=SILENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""

    def send(self, request: bytes) -> None:
        self.received, self.waiting = b"", True
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> bytes | None:
        """The whole answer once it is there; raise ``ConnectionError`` when the server has closed."""
        part = self.socket.recv(65536)
        if not part:
            raise ConnectionResetError
        self.received += part
        head = self.received.find(b"\r\n\r\n")
        if head < 0:
            return None
        length = _LENGTH.search(self.received, 0, head)
        if len(self.received) < head + 4 + (int(length[1]) if length else 0):
            return None
        self.waiting = False
        return self.received


def drive(work: Work, *, port: int, connections: int, seconds: float) -> Load:
    """Send requests for ``seconds``, one at a time on each connection, and wait for the last answers."""
    load = Load()
    selector = selectors.DefaultSelector()
    everyone = [_Connection(number, port) for number in range(connections)]
    gc.disable()  # a pause of ours would count as the server's latency
    began = time.perf_counter()
    try:
        for each in everyone:
            selector.register(each.socket, selectors.EVENT_READ, each)
            each.send(work.next_request(each.number))
        _loop(work, load, selector, everyone, deadline=began + seconds)
    except RanOut:
        # While requests are sent for the first time; later ones end the sending, and what is under way is awaited.
        load.errors["ran out of codes"] += 1
    finally:
        load.seconds = time.perf_counter() - began
        gc.enable()
        selector.close()
        for each in everyone:
            each.socket.close()
    return load


def _loop(
    work: Work, load: Load, selector: selectors.BaseSelector, everyone: list[_Connection], *, deadline: float
) -> None:
    may_send = True
    while any(each.waiting for each in everyone):
        ready = selector.select(SILENCE)
        if not ready:
            load.errors["no answer"] += sum(each.waiting for each in everyone)
            return
        for key, _events in ready:
            each: _Connection = key.data
            try:
                answer = each.receive()
            except OSError as problem:
                # A request that was sent and not answered; a server may close only while none is under way.
                load.errors[type(problem).__name__] += 1
                each.waiting = False
                selector.unregister(each.socket)
                each.socket.close()
                each.open()
                selector.register(each.socket, selectors.EVENT_READ, each)
            else:
                if answer is None:
                    continue
                now = time.perf_counter()
                _judge(work, load, each, answer, now)
                may_send = may_send and now < deadline
            if may_send:
                try:
                    each.send(work.next_request(each.number))
                except RanOut:
                    may_send = False


def _judge(work: Work, load: Load, connection: _Connection, answer: bytes, now: float) -> None:
    if not work.is_good(connection.number, answer):
        load.errors[answer[9:12].decode("latin-1")] += 1
        return
    load.latencies.append(now - connection.sent_at)
    if work.learn is not None:
        work.learn(connection.number, answer)
