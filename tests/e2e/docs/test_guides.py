"""Every command of the README and the guides is run: most on one workspace, in the order of the pages."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer.main
from docs import generate
from pydantic import TypeAdapter
from tests.e2e.lab import BIN, Lab

from labelspace_ops.cli.app import app
from labelspace_ops.runtime import docker_engine
from labelspace_ops.workspaces import models

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PROGRAMS = ("labelspace", "pulumi", "make", "python", "docker", "export", "cd")
"""What a command in an indented block begins with; in a block marked ``sh`` every line is one."""
LIFE = (
    *("README.md", "lan.md", "review.md", "backups.md", "sleep.md", "console.md"),
    *("first-workspace.md", "by-hand.md"),
)
"""The pages whose commands run here, in this order, on the workspace that ``make demo`` makes."""
LAST = "labelspace delete street"
PAGES_WITH_OWN_TESTS = {"audit.md": 4, "labels.md": 7, "own-stack.md": 3}
"""Pages with tests of their own, and how many blocks marked ``sh`` these tests run: test_audit_guide,
tests/e2e/local/test_labels, test_own_stack_guide, and tests/e2e/examples/test_own_stack for the last two."""
OTHERS = {
    "make test": (".ci/run", "exec make test"),
    'labelspace create street --bucket street-scenes --description "Street scenes of the autumn round"': (
        "tests/e2e/conftest.py",
        'lab, "--bucket", "street", "--bucket", "fields", "--description", "two buckets"',
    ),
    "labelspace set NAME egress.allow=10.0.0.5:9000,192.168.7.0/24,minio.lan:9000": (
        "tests/e2e/local/test_egress.py",
        '"set", name, "egress.allow=10.77.0.0/16"',
    ),
    "labelspace create gallery --bucket photos=/data/images": (
        "tests/e2e/local/test_own_folder.py",
        '"--bucket", f"photos={images}"',
    ),
    "labelspace set gallery buckets+=scans=/mnt/scans": (
        "tests/e2e/local/test_own_folder.py",
        'f"buckets+=scans={scans}"',
    ),
    "labelspace restore street --backup ID": (
        "tests/e2e/local/test_long_life.py",
        '"restore", name, "--backup", older, "--yes"',
    ),
    "labelspace restore NAME": ("tests/e2e/local/test_lost_files.py", '"restore", name'),
    "labelspace state repair NAME": ("tests/e2e/local/test_state.py", '"state", "repair", name, "--yes"'),
    "labelspace create NAME --reuse-data": (
        "tests/e2e/local/test_state.py",
        '"create", name, "--reuse-data", "--yes"',
    ),
    "labelspace backups NAME --accept ID": ("tests/e2e/local/test_lost_files.py", '"--accept", taken'),
    "labelspace backups street --accept ID": ("tests/e2e/local/test_lost_files.py", '"--accept", taken'),
    "labelspace set street public_url=https://labels.example.org": (
        "tests/e2e/local/test_public_url.py",
        'f"public_url={URL}"',
    ),
    "labelspace set street bind_address=192.0.2.10 public_url=https://labels.example.org"
    " trusted_proxies=192.0.2.7/32": (
        "tests/e2e/local/test_public_url.py",
        '"set", name, "trusted_proxies=192.0.2.7/32"',
    ),
    "labelspace set street bind_address=0.0.0.0 tls.certificate=/etc/ssl/labels.pem"
    " tls.key=/etc/ssl/labels.key": (
        "tests/e2e/local/test_tls.py",
        '"tls.certificate": pair[0], "tls.key": pair[1]',
    ),
    "labelspace set street tls.certificate=/etc/ssl/labels.pem": (
        "tests/e2e/local/test_tls.py",
        '"set", NAME, f"tls.certificate={pair[0]}", "--yes"',
    ),
    "labelspace restore street": ("tests/e2e/local/test_restore.py", '"restore", name, "--yes"'),
    "labelspace create NEW --bucket photos --from-backup ~/.labelspace/backups/OLD": (
        "tests/e2e/local/test_long_life.py",
        '*command, "--from-backup", str(folder)',
    ),
    "labelspace create NEW --bucket photos --from-backup street.dump": (
        "tests/e2e/local/test_long_life.py",
        '"--from-backup", str(dump)',
    ),
    "labelspace set NAME cvat_version=2.73.1": (
        "tests/e2e/local/test_long_life.py",
        '"set", name, f"cvat_version={upgrades.VERSIONS[\'good\']}"',
    ),
    "labelspace upgrade NAME --plan": (
        "tests/e2e/local/test_cvat_lines.py",
        '"upgrade", aged["name"], LATER, "--plan"',
    ),
    "labelspace upgrade NAME --rehearse": (
        "tests/e2e/local/test_cvat_lines.py",
        '"upgrade", aged["name"], LATER, "--rehearse"',
    ),
    "labelspace upgrade NAME": (
        "tests/e2e/local/test_cvat_lines.py",
        '"upgrade", aged["name"], LATER, "--allow-untested", "--yes"',
    ),
    "labelspace doctor --cvat https://cvat.example.org": (
        "tests/e2e/local/test_cvat_lines.py",
        '"doctor", "--cvat", aged["api_url"]',
    ),
    "labelspace create NEW --bucket photos --from-backup 20261125-085642F_20261125-091106I": (
        "tests/e2e/local/test_backup_bucket.py",
        "_begun_from(lab, taken, {})",
    ),
    "labelspace create NEW --bucket photos --backup-bucket kept@https://s3.fr-par.scw.cloud"
    " --from-backup s3://kept/labelspace/OLD": (
        "tests/e2e/local/test_backup_bucket.py",
        "_begun_from(lab, text, _bucket(remote))",
    ),
    "labelspace set NAME backup.bucket=kept@https://s3.fr-par.scw.cloud": (
        "tests/e2e/local/test_backup_bucket.py",
        '"set", name, f"backup.bucket=kept@{remote.url}"',
    ),
    "labelspace set street notify.webhook=-": (
        "tests/e2e/local/test_notify.py",
        '"set", name, "notify.webhook=-"',
    ),
    "labelspace notify test street": ("tests/e2e/local/test_notify.py", '"notify", "test", name'),
    "labelspace set street notify.webhook=": (
        "tests/e2e/local/test_notify.py",
        '"set", name, "notify.webhook="',
    ),
    "labelspace set street notify.email=oncall@example.org": (
        "tests/e2e/local/test_email.py",
        '"set", NAME, "notify.email=oncall@example.org"',
    ),
    "labelspace set street notify.email=": (
        "tests/e2e/local/test_email.py",
        '"set", NAME, "notify.email="',
    ),
    "labelspace set street sleep_after_minutes=30": (
        "tests/e2e/local/test_sleep.py",
        '"set", name, f"sleep_after_minutes={minutes}"',
    ),
}
"""Commands that another test runs on workspaces of its own: which one, and its words."""
ANSWERS = {
    **dict.fromkeys(("labelspace set", "labelspace restore", "labelspace delete"), "y\n"),
    "pulumi config set --secret": "Another-phrase-of-2026\n",
}
"""What is typed where a command asks."""
OF_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
"""What make hands on to those that it starts."""


@dataclass(frozen=True)
class Line:
    """A command of a page; ``marked``: a comment says why it is not run."""

    page: str
    number: int
    text: str
    marked: bool

    def __str__(self) -> str:
        return f"{self.page}:{self.number}: {self.text}"


def lines_of(page: Path) -> list[Line]:
    """The commands of a page's blocks, without their comments."""
    found, fence, marked = [], "", False
    for number, raw in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if raw.startswith("```"):
            fence = "" if fence else raw[3:] or "text"
        elif raw.startswith("<!-- not run: "):
            marked = True
        elif raw and not raw.startswith("    ") and not fence:
            marked = False
        elif fence == "sh" or (not fence and raw.strip().startswith(PROGRAMS)):
            text = re.sub(r"\s+# .*", "", raw).strip()
            found += [Line(page.name, number, text, marked)] if text and text[0] != "#" else []
    return found


COMMANDS = [line for page in PAGES for line in lines_of(page)]


@dataclass
class Guided:
    """The workspace that the pages' commands run on."""

    lab: Lab
    name: str
    folder: Path
    pictures: Path
    since: str = ""
    demo: str = ""
    exports: list[str] = field(default_factory=list)

    @property
    def by_hand(self) -> str:
        return f"{self.name}h"

    def run(self, line: Line) -> None:
        text = self.translated(line)
        if text.startswith("export"):
            self.exports.append(text)
        elif text.startswith("labelspace console"):
            self.serve(text)
        elif text.startswith("make demo"):
            self.demo = self.succeeds(text)
        else:
            self.succeeds(text)

    def translated(self, line: Line) -> str:
        """The command with what differs here: names, folders, times, and no questions from Pulumi."""
        text = re.sub(r"\bstreet\b(?!-)|\bNAME\b", self.name, line.text).replace(
            "street-scenes", "demo-photos"
        )
        text = text.replace("upload " + self.name + " pictures", f"upload {self.name} {self.pictures}")
        text = re.sub(r"(~|\$HOME)/\.labelspace", str(self.lab.home.root), text)
        text = text.replace("<the venv's bin>", str(BIN)).replace("2026-11-24T15:04:00Z", self.since)
        if text == "make bench":  # the figures are no matter of a test, and take an hour
            return "make bench BENCH=--help"
        if text.startswith("make"):
            return f"{text} WORKSPACE={self.name}"
        if text.startswith(("pulumi up", "pulumi destroy")):
            return f"{text} --yes --stack {self.name}"
        return text.replace(f"init {self.name}", f"init {self.by_hand}")

    def succeeds(self, text: str) -> str:
        """Run it as a user's shell does; the workspace's home is the tests' own."""
        typed = next((answer for words, answer in ANSWERS.items() if text.startswith(words)), "")
        done = subprocess.run(
            ["bash", "-ec", "\n".join([*self.exports, text])],
            env=self.env(), cwd=self.folder if text.startswith("labelspace") else ROOT,
            input=typed, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
        return done.stdout

    def serve(self, text: str) -> None:
        """A command that runs until Ctrl-C."""
        said = self.folder / "console.txt"
        with said.open("w") as file:
            console = subprocess.Popen(shlex.split(text), env=self.env(), cwd=self.folder, stderr=file)
        deadline = time.monotonic() + 120
        while "works once" not in said.read_text() and time.monotonic() < deadline and console.poll() is None:
            time.sleep(0.2)
        console.send_signal(signal.SIGINT)
        console.wait(60)
        assert "works once" in said.read_text(), said.read_text()

    def env(self) -> dict[str, str]:
        """A user's shell, which is not inside of ``make test``: there make says which folder it enters."""
        mine = {name: value for name, value in self.lab.env().items() if name not in OF_MAKE}
        return {
            **mine,
            "PATH": f"{BIN}{os.pathsep}{mine['PATH']}",
            "BROWSER": "true",
            "LABELSPACE_PROJECT": str(ROOT),
        }


@pytest.fixture(scope="module")
def guided(lab: Lab, dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guided]:
    one = Guided(lab, f"g{secrets.token_hex(3)}", tmp_path_factory.mktemp("guides"), dataset)
    try:
        yield one
    finally:
        lab.run("delete", one.name, "--yes")
        docker_engine.remove_data(docker_engine.connect(), one.name, lab.home.backups / one.name)


def _is_exempt(line: Line) -> bool:
    return line.marked or line.page in PAGES_WITH_OWN_TESTS or line.text in OTHERS


def test_no_command_is_left_out() -> None:
    """A page that is not of the workspace's life has a test of its own, or a mark on every command."""
    left = [str(line) for line in COMMANDS if line.page not in LIFE and not _is_exempt(line)]
    assert left == [], "commands that no test runs"
    assert len(COMMANDS) > 40
    for page, blocks in PAGES_WITH_OWN_TESTS.items():
        assert (ROOT / "docs" / page).read_text(encoding="utf-8").count("```sh\n") == blocks, page


@pytest.mark.parametrize("text", OTHERS)
def test_what_other_tests_run_is_there(text: str) -> None:
    file, words = OTHERS[text]
    assert text in [line.text for line in COMMANDS]
    assert words in re.sub(r"\s+", " ", (ROOT / file).read_text(encoding="utf-8")), f"{file} runs no {text}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_is_named_exists(page: Path) -> None:
    """Also those in sentences and tables: their verbs and flags are the command line's."""
    known = dict(generate.walk(typer.main.get_command(app)))
    for quoted in re.findall(r"`(labelspace [^`]+)`", page.read_text(encoding="utf-8")):
        words = quoted.split()[1:]
        verb = words[0] if words[0] in known else " ".join(words[:2])
        assert verb in known or words[0].startswith("--"), quoted
        flags = {flag for param in known[verb].params for flag in param.opts} if verb in known else set()
        assert {word for word in words if word.startswith("--")} <= flags | {"--help"}, quoted


@pytest.mark.parametrize("page", LIFE)
def test_the_commands_of_a_page(guided: Guided, page: str) -> None:
    mine = [line for line in COMMANDS if line.page == page and not _is_exempt(line)]
    assert mine, "a page without commands needs no place in LIFE"
    for line in [line for line in mine if line.text != LAST]:
        guided.run(line)
        guided.since = guided.since or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_demo_prints_what_the_readme_says(guided: Guided) -> None:
    """Names, ports, folders and times are this run's own."""
    block = re.search(r"ends with\n\n((?:      .*\n)+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert block
    own = r"http://\S+|\S*/(backups|bin)/\S*|\d{4}-\d\d-\d\dT\S+Z|\bdemo\b(?!-)|g[0-9a-f]{6}"
    shown, printed = (
        [re.sub(own, "_", row.strip()) for row in text.splitlines()] for text in (block[1], guided.demo)
    )
    assert shown == printed[-len(shown) :]


def test_the_outputs_are_what_the_reference_says(lab: Lab, street: Any) -> None:
    said = lab.pulumi("stack", "output", "--json", "--show-secrets", "--stack", street["name"])
    assert TypeAdapter(models.Outputs).validate_json(said)


def test_the_end(guided: Guided) -> None:
    (last,) = [line for line in COMMANDS if line.text == LAST]
    guided.run(last)
    assert guided.name not in [row["name"] for row in guided.lab.json("list")]
    guided.succeeds(f"pulumi stack rm --yes {guided.by_hand}")


def test_the_readme_leads_to_every_page() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pages = [*(ROOT / "docs").glob("*.md"), *generate.FOLDER.glob("*.md")]
    assert [str(page) for page in pages if f"({page.relative_to(ROOT)})" not in readme] == []


@pytest.mark.parametrize("page", [*PAGES, *sorted(generate.FOLDER.glob("*.md"))], ids=lambda page: page.name)
def test_links_and_pictures_are_there(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
        assert not target.endswith(".png") or (page.parent / target).stat().st_size <= 150_000, target
