"""Which faults there are, which of them are reported, and what is to be reported next.

Runs inside CVAT's image; standard library only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Fault:
    """What is wrong now. ``patience``: seconds that it must last before it is reported."""

    key: str
    text: str
    patience: float = 0


@dataclass(frozen=True)
class Notice:
    """What is reported: ``event`` is ``begins``, ``ends`` or ``test``; times are seconds since the epoch."""

    event: str
    key: str
    text: str
    since: float
    at: float


@dataclass(frozen=True)
class Record:
    """A fault that is there, or whose end is not reported yet."""

    group: str
    fault: Fault
    since: float
    reported: bool = False
    ended: float | None = None


class Tracker:
    """The faults of a workspace. Each is reported once when it begins and once when it ends.

    A notice counts as reported only after ``delivered``: one that cannot be delivered is due again.
    """

    def __init__(self, records: Mapping[str, Record] | None = None) -> None:
        self.records = dict(records or {})

    def update(self, measured: Mapping[str, list[Fault] | None], now: float) -> None:
        """Take a measurement: the faults of each group; None for a group that could not be measured."""
        for group, faults in measured.items():
            if faults is not None:
                self._update(group, {fault.key: fault for fault in faults}, now)

    def _update(self, group: str, faults: Mapping[str, Fault], now: float) -> None:
        for key, fault in faults.items():
            known = self.records.get(key, Record(group, fault, now))
            self.records[key] = replace(known, fault=fault, ended=None)
        gone = [key for key, one in self.records.items() if one.group == group and key not in faults]
        for key in gone:
            record = self.records[key]
            if record.reported:
                self.records[key] = replace(record, ended=record.ended or now)
            else:
                del self.records[key]

    def due(self, now: float) -> list[Notice]:
        """What is to be reported now, oldest fault first."""
        records = sorted(self.records.values(), key=lambda one: one.since)
        return [notice for record in records if (notice := _notice(record, now))]

    def delivered(self, notice: Notice) -> None:
        """Never report this again."""
        if notice.event == "ends":
            self.records.pop(notice.key, None)
        elif notice.key in self.records:
            self.records[notice.key] = replace(self.records[notice.key], reported=True)

    def save(self, file: Path) -> None:
        """Write the records, whole or not at all."""
        part = file.with_suffix(".part")
        part.write_text(json.dumps({key: asdict(one) for key, one in self.records.items()}))
        part.replace(file)


def load(file: Path) -> Tracker:
    """The records of ``Tracker.save``; none when there are none to read."""
    try:
        rows = json.loads(file.read_text())
        return Tracker({key: Record(**{**row, "fault": Fault(**row["fault"])}) for key, row in rows.items()})
    except (OSError, ValueError, KeyError, TypeError):
        return Tracker()


def _notice(record: Record, now: float) -> Notice | None:
    fault, since = record.fault, record.since
    if record.reported:
        return Notice("ends", fault.key, fault.text, since, record.ended) if record.ended else None
    return Notice("begins", fault.key, fault.text, since, now) if now - since >= fault.patience else None
