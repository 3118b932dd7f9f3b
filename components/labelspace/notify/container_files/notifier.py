"""Watches a workspace from inside its network; tells a webhook and a person when a fault begins and ends.

``notifier.py`` runs for ever; ``notifier.py test`` sends one message and ends. It only asks, each time with a
deadline, so it never blocks what it watches. Runs in CVAT's image, whose Redis client it uses.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import faults
import mail
import webhook
from faults import Fault, Notice, Tracker

SETTINGS = Path("/run/labelspace/notify.json")
RECORDS = "/tmp/labelspace-faults-{}.json"  # noqa: S108 - inside the container
CHANNELS = ("webhook", "email")
"""The settings that name a receiver."""
ALIVE = Path("/tmp/labelspace-alive")  # noqa: S108 - inside the container
POLL_SECONDS = 30
ANSWER_SECONDS = 10
STATE_SECONDS = 60
"""The backup program reads its repository first."""
FULL_PERCENT, FREED_PERCENT = 85, 83
"""A disk is a fault above the first; the fault ends below the second."""
CERTIFICATE_DAYS = 14
VALIDITY = re.compile(
    rb"\x30[\x1e-\x22](?:\x17\x0d\d{12}Z|\x18\x0f\d{14}Z)(?:\x17\x0d(\d{12}Z)|\x18\x0f(\d{14}Z))"
)
"""The two times of a certificate in DER (RFC 5280, 4.1.2.5), the end as group 1 or 2."""
LATE_FACTOR = 2
"""A backup or drill is late after this many intervals, as in ``labelspace status``."""

Settings = dict[str, Any]
Faults = list[Fault]


def measure(settings: Settings, full: frozenset[str] = frozenset()) -> dict[str, Faults | None]:
    """The faults of each group; ``full``: keys of the disks that were too full before."""
    with ThreadPoolExecutor(16) as pool:
        parts = list(pool.map(lambda one: _part(settings, *one), settings["parts"].items()))
        buckets = list(pool.map(lambda one: _bucket(settings, *one), settings["buckets"].items()))
        queues = pool.submit(_queues, settings)
        state = pool.submit(_state, settings)
        certificates = pool.submit(_certificates, settings)
        found = [one for one in (*parts, queues.result()) if one]
        backups = state.result()
    down = _down(settings, "backups", "the backup program does not answer") if backups is None else None
    return {
        "parts": [*found, *([down] if down else [])],
        "buckets": [one for one in buckets if one],
        "backups": None if backups is None else _backups(backups),
        "disks": None if backups is None else _disks(backups, full),
        "certificates": certificates.result(),
    }


def _down(settings: Settings, name: str, text: str) -> Fault:
    return Fault(f"part {name}", text, settings["down_minutes"] * 60)


def _part(settings: Settings, name: str, url: str) -> Fault | None:
    reason = _asked(url)
    return _down(settings, name, f"the part {name} does not answer: {reason}") if reason else None


def _bucket(settings: Settings, name: str, url: str) -> Fault | None:
    """The endpoint alone: the notifier has no key of the bucket."""
    reason = _asked(url.replace("https://", "tls://", 1))
    if not reason:
        return None
    return Fault(f"bucket {name}", f"the bucket {name} is away: {reason}", settings["down_minutes"] * 60)


def _asked(url: str) -> str:
    """Why nothing answers at a URL (``http``, ``tcp`` or ``tls``); empty when something does."""
    parts = urlsplit(url)
    try:
        if parts.scheme == "http" and parts.path:
            with _direct().open(url, timeout=ANSWER_SECONDS):
                return ""
        port = parts.port or {"tls": 443, "http": 80}[parts.scheme]
        with socket.create_connection((parts.hostname or "", port), ANSWER_SECONDS):
            return ""
    except urllib.error.HTTPError as error:
        return "" if error.code < 500 else f"it answers {error.code}"
    except OSError as error:
        return str(getattr(error, "reason", "") or error)


def _direct() -> urllib.request.OpenerDirector:
    """No proxy stands between the containers of a workspace."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _queues(settings: Settings) -> Fault | None:
    """A worker for each queue. RQ forgets a worker that died after eight minutes at the most."""
    import redis

    store = redis.Redis(host=settings["redis"], password=settings["redis_password"], socket_timeout=5)
    try:
        idle = [queue for queue in settings["queues"] if not store.scard(f"rq:workers:{queue}")]
    except redis.RedisError:
        return None  # the part `redis` says so
    text = f"no worker serves the queue {', '.join(idle)}"
    return Fault("part workers", text, settings["down_minutes"] * 60) if idle else None


def _state(settings: Settings) -> Any:
    """What the backup program says of backups and disks; None without an answer."""
    try:
        with _direct().open(settings["backups"], timeout=STATE_SECONDS) as answer:
            return json.load(answer)
    except (OSError, ValueError):
        return None


def _backups(state: Any) -> Faults:
    complete = [row for row in state["backups"] if row["complete"]]
    texts = {
        "backups": "; ".join(state["problems"]) or _age(state, complete),
        "files": complete[-1]["shrunk"] if complete else "",
        "archive": _archive(state),
        "drill": _drill(state, complete),
    }
    return [Fault(key, text) for key, text in texts.items() if text]


def _age(state: Any, complete: list[Any]) -> str:
    if not complete:
        return "there is no complete backup"
    hours = (time.time() - _seconds(complete[-1]["when"])) / 3600
    due = state["schedule"]["interval_hours"]
    return f"the last backup is {hours:.0f} h old, due every {due} h" if hours > LATE_FACTOR * due else ""


def _archive(state: Any) -> str:
    if state.get("lost_from"):
        return f"too many changes wait for the archive: those since {state['lost_from']} cannot be restored"
    fails = state["archive_fails"]
    return "changes are not archived: is the place of the backups full or away?" if fails else ""


def _drill(state: Any, complete: list[Any]) -> str:
    drill, days = state["drill"], state["schedule"]["drill_interval_days"]
    if drill and not drill["ok"]:
        return f"the drill of backup {drill['backup']} failed: {drill['reason']}"
    if not complete or not days:
        return ""
    age = (time.time() - _seconds(drill["when"] if drill else complete[0]["when"])) / 86400
    return f"the last drill is {age:.0f} days old, due every {days}" if age > LATE_FACTOR * days else ""


def _seconds(when: str) -> float:
    return datetime.fromisoformat(when).timestamp()


def _disks(state: Any, full: frozenset[str]) -> Faults:
    found = []
    for disk in state["disks"]:
        key, used = f"disk {disk['name']}", disk["used_percent"]
        if used > (FREED_PERCENT if key in full else FULL_PERCENT):
            text = f"the disk of the {disk['name']} is {used:.0f} % full; above 90 % CVAT stops serving"
            found.append(Fault(key, text))
    return found


def _certificates(settings: Settings) -> Faults | None:
    """The certificates that end soon; None when one could not be read."""
    found = []
    for host, address in settings["certificates"].items():
        days = _days_left(host, address)
        if days is None:
            return None
        if days < 0:
            found.append(Fault(f"certificate {host}", f"the certificate of {host} has expired"))
        elif days < CERTIFICATE_DAYS:
            found.append(Fault(f"certificate {host}", f"the certificate of {host} ends in {days:.0f} days"))
    return found


def _days_left(host: str, address: str) -> float | None:
    """Until the end of a host's certificate, by any authority; None when it could not be read."""
    server, _, port = address.rpartition(":")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((server, int(port)), ANSWER_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            certificate = secured.getpeercert(binary_form=True) or b""
    except OSError:
        return None
    validity = VALIDITY.search(certificate)
    if validity is None:
        return None
    short, long = validity.groups()
    end = datetime.strptime((long or b"20" + short).decode(), "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    return (end.timestamp() - time.time()) / 86400


def channels(settings: Settings) -> list[str]:
    """The channels that the workspace has."""
    return [one for one in CHANNELS if settings[one]]


def deliver(settings: Settings, channel: str, notice: Notice) -> str:
    """Send a notice; returns why it did not arrive, empty when it did."""
    workspace, page, url = settings["workspace"], settings["url"], settings["webhook"]
    if channel == "email":
        subject = f"labelspace {workspace}: {notice.key}: {notice.event}"
        return mail.send(settings["email"], subject, webhook.sentence(workspace, page, notice))
    shape = webhook.detect(url) if settings["format"] == "auto" else settings["format"]
    return webhook.send(url, webhook.body(shape, workspace, page, notice))


def step(
    settings: Settings, watches: dict[str, Tracker], found: Callable[..., dict[str, Faults | None]]
) -> None:
    """Measure once and report what is due, by channel: one that is away holds back no other."""
    records = [row for watch in watches.values() for row in watch.records.items()]
    now = time.time()
    measured = found(settings, frozenset(key for key, one in records if one.group == "disks"))
    for channel, watch in watches.items():
        watch.update(measured, now)
        _report(settings, channel, watch, now)


def _report(settings: Settings, channel: str, watch: Tracker, now: float) -> None:
    """Report what is due; what cannot be reported is tried again at the next step."""
    for notice in watch.due(now):
        reason = deliver(settings, channel, notice)
        failure = f" (not delivered: {reason})" if reason else ""
        log(f"{channel}: {notice.event}: {notice.key}: {notice.text}{failure}")
        if reason:
            return
        watch.delivered(notice)


def log(text: str) -> None:
    """A line in the container's log."""
    print(f"notifier: {text}", flush=True)


def test(settings: Settings) -> int:
    """Send a message to each channel now, from where the others come from."""
    now = time.time()
    notice = Notice("test", "test", "this is a test, nothing is wrong", now, now)
    reasons = {one: deliver(settings, one, notice) for one in channels(settings)}
    failed = [f"{channel}: {reason}" for channel, reason in reasons.items() if reason]
    print("; ".join(failed) or "sent")
    return 1 if failed else 0


def main() -> int:
    """Watch for ever, or send a test."""
    settings = json.loads(SETTINGS.read_text())
    if sys.argv[1:] == ["test"]:
        return test(settings)
    files = {one: Path(RECORDS.format(one)) for one in channels(settings)}
    watches = {one: faults.load(file) for one, file in files.items()}
    ALIVE.touch()  # a first measurement of what does not answer takes minutes
    while True:
        step(settings, watches, measure)
        for one, file in files.items():
            watches[one].save(file)
        ALIVE.touch()
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
