"""Operational logs: one JSON object a line in `logs/<program>.log`, secrets masked, event names from one Enum.

    log = configure(home, "executor", clock, level="info")
    log.info(LogEvent.ORDER_SENT, order_id=..., intent_id=...)

Logs tell people what happens; journals prove it. So a log line that cannot be written is counted and dropped:
nothing here ever stops a program. What libraries log goes through the same mask, as `library` events, and
never below INFO, because they print headers and payloads at DEBUG.
"""

import logging
import sys
from abc import ABC, abstractmethod
from collections.abc import MutableMapping
from logging.handlers import WatchedFileHandler
from typing import Any, Literal, Self

from vanta.common.clock import Clock
from vanta.common.events import LogEvent
from vanta.common.paths import Home
from vanta.common.redact import redact
from vanta.common.store.guarded import append_fd
from vanta.common.times import iso

Level = Literal["debug", "info", "warning", "error"]
TALKATIVE = ("ccxt", "httpcore", "httpx", "ib_async", "praw", "prawcore", "requests", "tweepy", "urllib3", "websockets")
"""Libraries that log credentials or every file event at DEBUG; held at INFO whatever level is asked for."""

_LEVELS: dict[Level, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class Log(ABC):
    """Where a program reports. Subclasses fill in `_write`; the public methods never raise."""

    def __init__(self, bound: dict[str, object] | None = None) -> None:
        self._bound = bound or {}
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """How many lines could not be written."""
        return self._dropped

    def debug(self, event: LogEvent, **fields: object) -> None:
        """For whoever looks for a fault."""
        self._say("debug", event, fields)

    def info(self, event: LogEvent, **fields: object) -> None:
        """The normal course of things."""
        self._say("info", event, fields)

    def warning(self, event: LogEvent, **fields: object) -> None:
        """Something to look at in daylight."""
        self._say("warning", event, fields)

    def error(self, event: LogEvent, **fields: object) -> None:
        """Something that stops work."""
        self._say("error", event, fields)

    def _say(self, level: Level, event: LogEvent, fields: dict[str, object]) -> None:
        try:
            self._write(level, event, {**self._bound, **fields})
        except Exception:  # noqa: BLE001 - a log must not stop a program, whatever a field's text does
            self._dropped += 1

    @abstractmethod
    def bind(self, **fields: object) -> "Log":
        """The same log with these fields on every line."""

    @abstractmethod
    def _write(self, level: Level, event: LogEvent, fields: dict[str, object]) -> None:
        """Put one line where it belongs."""


class MemoryLog(Log):
    """Keeps its lines as dicts, masked as they would be in the file: for tests and previews."""

    def __init__(self, bound: dict[str, object] | None = None, lines: list[dict[str, object]] | None = None) -> None:
        super().__init__(bound)
        self.lines: list[dict[str, object]] = [] if lines is None else lines

    def bind(self, **fields: object) -> "MemoryLog":
        """See `Log.bind`."""
        return MemoryLog({**self._bound, **fields}, self.lines)

    def _write(self, level: Level, event: LogEvent, fields: dict[str, object]) -> None:
        masked = redact(fields)
        assert isinstance(masked, dict), "a dict stays a dict"
        self.lines.append({"level": level, "event": event.value, **masked})


class FileLog(Log):
    """Writes through structlog and the standard library's handlers, so that libraries end in the same file."""

    def __init__(self, logger: Any, handlers: "list[_Quiet]", bound: dict[str, object] | None = None) -> None:
        super().__init__(bound)
        self._logger, self._handlers = logger, handlers

    @property
    def dropped(self) -> int:
        """See `Log.dropped`; libraries' lines count too."""
        return self._dropped + sum(handler.lost for handler in self._handlers)

    def bind(self, **fields: object) -> "FileLog":
        """See `Log.bind`."""
        return FileLog(self._logger, self._handlers, {**self._bound, **fields})

    def _write(self, level: Level, event: LogEvent, fields: dict[str, object]) -> None:
        self._logger.log(_LEVELS[level], event.value, **fields)

    def close(self) -> None:
        """Take the handlers out of the standard library's root logger again."""
        for handler in self._handlers:
            logging.getLogger().removeHandler(handler)
            handler.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Quiet(logging.Handler):
    """A handler whose failures are only counted: a full disk or a closed terminal stops nothing."""

    lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, or lose it."""
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, ARG002 - the library's method
        """Count; there may be nowhere left to say it."""
        self.lost += 1


class _QuietFile(_Quiet, WatchedFileHandler):
    """Appends to a file; notices when logrotate has moved it away. A pipe in its place is a failure, not a wait."""

    def _open(self) -> Any:
        return open(append_fd(self.baseFilename), self.mode, encoding=self.encoding, errors=self.errors)


class _QuietStream(_Quiet, logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to the terminal or the journal of systemd."""


def configure(home: Home, program: str, clock: Clock, *, level: Level = "info", to_stderr: bool = False) -> FileLog:
    """Start logging to `logs/<program>.log` and, if asked, to stderr. Close the result when the program ends."""
    import structlog
    from structlog.stdlib import BoundLogger, ProcessorFormatter, add_log_level, add_logger_name

    def stamp(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        masked = redact(dict(event))
        assert isinstance(masked, dict), "a dict stays a dict"
        head = {"at": iso(clock.now()), "level": masked.pop("level"), "program": program, "event": masked.pop("event")}
        return {**head, **masked}

    formatter = ProcessorFormatter(
        foreign_pre_chain=[add_log_level, add_logger_name, _library],
        processors=[ProcessorFormatter.remove_processors_meta, structlog.processors.format_exc_info, stamp,
                    structlog.processors.JSONRenderer(ensure_ascii=False)])
    handlers: list[_Quiet] = [_QuietFile(home.logs / f"{program}.log", encoding="utf-8", delay=True,
                                         errors="backslashreplace")]
    if to_stderr:
        handlers.append(_QuietStream(sys.stderr))
    root = logging.getLogger()
    root.setLevel(_LEVELS[level])
    for handler in handlers:
        handler.setFormatter(formatter)
        root.addHandler(handler)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.INFO, _LEVELS[level]))
    logger = structlog.wrap_logger(logging.getLogger("vanta"), wrapper_class=BoundLogger,
                                   processors=[add_log_level, ProcessorFormatter.wrap_for_formatter])
    return FileLog(logger, handlers)


def _library(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """What a library said is text; the event name stays one of ours."""
    return {**event, "event": LogEvent.LIBRARY.value, "text": event["event"]}
