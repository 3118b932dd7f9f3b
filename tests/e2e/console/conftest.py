"""The console as a process of its own, and a browser at its pages."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest
from selenium import webdriver
from tests.e2e.browser import chromium as browser_of
from tests.e2e.lab import BIN, Lab, ports
from tests.paths import ROOT

PATIENCE_SECONDS = 90


@dataclass
class Console:
    """``labelspace console`` of a home; started again, it has the same port and new links."""

    lab: Lab
    port: str
    said: IO[str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.said.truncate(0)
        command = [str(BIN / "labelspace"), "console", "--no-browser", "--port", self.port]
        self.process = subprocess.Popen(command, env=self.lab.env(), cwd=ROOT, stderr=self.said)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            if self.links():
                return
            time.sleep(0.1)
        raise AssertionError(Path(self.said.name).read_text())

    def links(self) -> list[str]:
        return re.findall(r"http://\S+", Path(self.said.name).read_text())

    def link(self) -> str:
        """The one that works: each does once."""
        return self.links()[-1]

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()


def served(lab: Lab) -> Iterator[Console]:
    """A console of the home for as long as it is looked at."""
    with tempfile.NamedTemporaryFile("a+") as said:
        one = Console(lab, ports()[1], said)
        one.start()
        yield one
        one.kill()


@pytest.fixture(scope="module")
def console(lab: Lab) -> Iterator[Console]:
    yield from served(lab)


@pytest.fixture(scope="module")
def chromium() -> Iterator[webdriver.Chrome]:
    with browser_of(1280, 1000) as driver:
        yield driver


@pytest.fixture
def browser(chromium: webdriver.Chrome, console: Console) -> webdriver.Chrome:
    """At the list of workspaces, with a session of the console that runs now."""
    look(chromium, 1280)
    chromium.get(console.link())
    return chromium


def look(driver: webdriver.Chrome, width: int, scheme: str = "light") -> None:
    """Give the page a width in pixels and the system's theme."""
    size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
