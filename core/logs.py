"""How a log line looks: text for people, JSON for machines. Messages never hold secrets; nothing is added here but facts."""

import json
import logging
import time
from contextvars import ContextVar

# The id of the request that this thread is answering; every line it logs carries it.
current_request_id: ContextVar[str] = ContextVar("request_id", default="")


class StrangersNoise(logging.Filter):
    """What anybody can cause with a request that Django refuses is one line, not a traceback at the level of a fault."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.security."):
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


class LineFormatter(logging.Formatter):
    """``2026-11-21T12:00:00Z INFO pocketid.request GET /login 200 3.1 ms [request id]``"""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        request_id = current_request_id.get()
        return f"{text} [{request_id}]" if request_id else text


class JsonFormatter(logging.Formatter):
    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%SZ"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields |= {"request_id": current_request_id.get()} if current_request_id.get() else {}
        fields |= {"ip": record.ip} if hasattr(record, "ip") else {}
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)
