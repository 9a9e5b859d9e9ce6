"""The records of the program from its start, kept in memory for the log panel and the reports."""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass

__all__ = ["LogKeeper", "Record"]

MOST = 5000


@dataclass(frozen=True)
class Record:
    """One line of the log."""

    when: float
    level: int
    source: str
    text: str

    def __str__(self) -> str:
        clock = time.strftime("%H:%M:%S", time.localtime(self.when))
        return f"{clock}  {logging.getLevelName(self.level):<8} {self.source:<10} {self.text}"


class LogKeeper(logging.Handler):
    """Keeps the newest records of Python's logging; may be called from any thread.

    Notices and commands are added by whoever shows the log: the context keeps notices, the history commands.

    Attributes
    ----------
    count : int
        Of all records so far, those that were dropped too.
    """

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: deque[Record] = deque(maxlen=MOST)
        self.count = 0
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(Record(record.created, record.levelno, record.name.split(".")[0], self.format(record)))
        self.count += 1

    def lines(self) -> list[Record]:
        """Return the records, oldest first."""
        return list(self.records)

    def install(self) -> None:
        """Begin to listen."""
        logging.getLogger().addHandler(self)

    def remove(self) -> None:
        """Stop listening."""
        logging.getLogger().removeHandler(self)
