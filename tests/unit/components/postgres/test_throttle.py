"""Programs that copy while people annotate."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from labelspace.postgres.pgbackrest import CONTEXT

HANGS_UP = "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL); "
"""As in a container: the process that runs the tests may ignore the signal (nohup)."""
RUN = "from labelspace_backup.programs import run; print(run({words}, user='root', throttled=True))"


def _started(words: list[str]) -> subprocess.Popen[str]:
    code = f"import sys; sys.path.insert(0, {str(CONTEXT)!r}); " + HANGS_UP + RUN.format(words=words)
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def _state(process: str) -> str:
    """``T`` for one that rests; empty for one that is gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0]
    except FileNotFoundError:
        return ""


def _child(process: subprocess.Popen[str]) -> str:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not (found := children.read_text().split()):
        time.sleep(0.01)
    return found[0]


def _until(process: str, states: str) -> bool:
    deadline = time.monotonic() + 20
    while _state(process) not in states:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def test_it_rests_and_comes_to_its_end() -> None:
    one = _started(["sh", "-c", "sleep 1; echo done"])
    assert _until(_child(one), "T")
    said, _ = one.communicate(timeout=30)
    assert (one.returncode, said.strip()) == (0, "done")


def test_what_rests_ends_with_the_program_that_waits_for_it() -> None:
    """Else a backup would rest for ever, and hold the lock against all that follow."""
    one = _started(["sleep", "600"])
    child = _child(one)
    while True:  # the moment in which it rests, and its program cannot wake it
        assert _until(child, "T")
        one.send_signal(signal.SIGSTOP)
        assert _until(str(one.pid), "T")
        if _state(child) == "T":
            break
        one.send_signal(signal.SIGCONT)
    one.send_signal(signal.SIGKILL)
    one.communicate()
    assert _until(child, "Z"), "a zombie has no parent that waits yet"
