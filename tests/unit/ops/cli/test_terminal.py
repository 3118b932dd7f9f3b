"""The command line's progress: one line that updates on a terminal, plain lines in a file."""

from __future__ import annotations

import pytest

from labelspace_ops.cli.terminal import Terminal
from labelspace_ops.core.reporting import ImagePull, Message, PullProgress

PROGRESS = PullProgress((ImagePull("redis:7", "downloading", 1_000_000, 2_000_000, size_is_known=True),), 3)
LINE = "  images: 0 of 1 pulled, 1.0 of 2.0 MB, 3 s left: redis:7 1.0/2.0 MB"


def test_a_terminal_has_one_line_that_the_next_message_replaces(capsys: pytest.CaptureFixture[str]) -> None:
    show = Terminal(is_tty=True)
    for event in (PROGRESS, PROGRESS, Message("  pulled redis:7"), Message("done")):
        show(event)
    erase = "\r\x1b[K"
    assert capsys.readouterr().err == f"{erase}{LINE}{erase}{LINE}{erase}  pulled redis:7\ndone\n"


def test_the_line_never_wraps(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    Terminal(is_tty=True)(PROGRESS)
    assert capsys.readouterr().err == f"\r\x1b[K{LINE[:29]}"


def test_without_a_terminal_progress_is_a_plain_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    show = Terminal(is_tty=False)
    for second in range(40):
        now[0] = 100.0 + second
        show(PROGRESS)
    assert capsys.readouterr().err == f"{LINE}\n" * 2
