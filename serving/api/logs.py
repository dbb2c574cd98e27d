"""Log lines as JSON objects, each with the request that it belongs to."""

import logging
import sys
from datetime import UTC, datetime

import orjson

from serving.api.edge import current_request
from serving.config import LogsConfig


class JsonLines(logging.Formatter):
    """One JSON object per record: time, level, logger, message, request, ``extra={"fields": …}``, traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage().encode(errors="backslashreplace").decode(),
            "request_id": current_request.get(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info).encode(errors="backslashreplace").decode()
        return orjson.dumps(line, default=str).decode()


def write_logs(config: LogsConfig) -> None:
    """Let this process log as ``config`` says, to standard error. For a process that is a server, not for a library."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(config.level.upper())
    logging.getLogger("mallard.access").setLevel(logging.INFO if config.access else logging.WARNING)
