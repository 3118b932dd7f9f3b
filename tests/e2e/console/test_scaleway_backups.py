"""The page's backups of workspaces at Scaleway: a double of the API, a real S3 gateway, a stand-in for SSH.

The tests go one after another through the life of one workspace whose database is managed; another one has
its database on its server.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from tests.e2e.cloud import ACCOUNT, KEY, UUID, Account, account
from tests.e2e.console.conftest import Console, served
from tests.e2e.console.hands import MAKING_SECONDS, click, press, says, texts, type_into
from tests.e2e.endpoint import Endpoint, endpoint
from tests.e2e.lab import Lab
from tests.paths import ROOT

from labelspace.home import Home

NAME, OWN = "cloudkept", "cloudkeptown"
BUCKETS = {name: f"labelspace-{name}-{UUID[:8]}-backups" for name in (NAME, OWN)}
OLDER, NEWER, LAST = "2026-11-24T10-00-00Z", "2026-11-24T11-00-00Z", "2026-11-24T12-00-00Z"
FULL, BROKEN = "20261126-085642F", "20261126-205642F"
ROW = '"kind": "dump", "size": 5, "added": 5, "complete": true, "files": false, "proof": null,' + (
    ' "timeline": 0, "rows": 1, "latest": {}'
)
SECTION, REASON = "[aria-label=Backups]", "[aria-label=Backups] .note.bad"
SSH = f"""#!/bin/bash
# Stands in for the connection, and for the server at its end: it keeps dumps.
here=$(dirname "$0")
case "${{!#}}" in
"labelspace-backup backup"*) echo {LAST} >>"$here/dumps"
    echo '{{"id": "{LAST}", "kind": "dump", "size": 5, "added": 5}}' ;;
labelspace-restore*) echo "${{!#}}" >>"$here/restored" ;;
"labelspace-backup list"*)
    sed -E 's/(.*T)(..)-(..)-(..)Z/{{"id": "&", "when": "\\1\\2:\\3:\\4+00:00", {ROW}}}/' "$here/dumps" |
        paste -sd, | sed 's/.*/[&]/' ;;
esac
"""


@dataclass(frozen=True)
class CloudLab(Lab):
    """A home whose commands reach the doubles."""

    account: Account
    storage: Endpoint
    programs: Path

    def env(self) -> dict[str, str]:
        s3 = {"SCW_S3_ENDPOINT": self.storage.url, "AWS_CA_BUNDLE": str(self.storage.authority)}
        known = self.account.env()
        return {**known, **s3, "PATH": f"{self.programs}{os.pathsep}{known['PATH']}"}


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    keys = f"{ACCOUNT['SCW_ACCESS_KEY']}@{UUID}", ACCOUNT["SCW_SECRET_KEY"]
    folder = tmp_path_factory.mktemp("storage")
    with endpoint(folder, buckets=("fields", *BUCKETS.values()), keys=keys, region="fr-par") as one:
        for label in (OLDER, NEWER):
            one.client().put_object(Bucket=BUCKETS[NAME], Key=f"dumps/{label}.dump", Body=b"PGDMP")
        made = f"labelspace/{OWN}/database/backup/main"
        for key in (f"{FULL}/bundle/1", f"{FULL}/backup.manifest", f"{BROKEN}/bundle/1"):
            one.client().put_object(Bucket=BUCKETS[OWN], Key=f"{made}/{key}", Body=b"12345")
        yield one


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("programs")
    (folder / "ssh").write_text(SSH)
    (folder / "ssh").chmod(0o755)
    (folder / "dumps").write_text(f"{OLDER}\n{NEWER}\n")
    return folder


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory, storage: Endpoint, programs: Path) -> Iterator[Console]:
    with account(tmp_path_factory.mktemp("account"), NAME, Home.find().tools) as one:
        one.cloud.add("access_key", dict(KEY), "access_key")
        try:
            _made(one, NAME)
            _made(one, OWN, "--set", "scaleway.database=server")
            yield from served(CloudLab(one.home, one, storage, programs))
        finally:
            (ROOT / "stacks" / f"Pulumi.{OWN}.yaml").unlink(missing_ok=True)


def _made(one: Account, name: str, *flags: str) -> None:
    done = one.labelspace(
        *("create", name, "--target", "scaleway", "--bucket", "fields", "--yes", *flags),
        *("--set", "scaleway.wait_minutes=0", "--set", "scaleway.domain=labels.invalid"),
    )
    assert "workspace" in done.stdout, done.stderr


@pytest.fixture
def page(browser: webdriver.Chrome, console: Console) -> webdriver.Chrome:
    browser.get(f"{console.url}/workspace/{NAME}")
    return browser


def _account(console: Console) -> Account:
    assert isinstance(console.lab, CloudLab)
    return console.lab.account


def _let_in(console: Console) -> None:
    """From now on this machine is; the double's server is not exchanged for it."""
    _account(console).pulumi("config", "set", "--path", "labelspace:scaleway.ssh_cidrs[0]", "203.0.113.7/32")


def test_a_backup_where_nobody_is_let_in_is_a_snapshot(page: webdriver.Chrome, console: Console) -> None:
    press(page, "Back up now")
    taken = "The backup is taken: snapshot"
    says(page, "[data-state=done]", taken, MAKING_SECONDS)
    says(page, "[data-state=done]", _account(console).only("snapshot")["id"])


def test_snapshots_and_dumps_are_listed_newest_first(page: webdriver.Chrome, console: Console) -> None:
    press(page, "Show all")
    says(page, f"{SECTION} tbody", "database alone, not proven yet")
    assert texts(page, f"{SECTION} tbody td:last-child") == [
        _account(console).only("snapshot")["id"],
        NEWER,
        OLDER,
    ]
    assert texts(page, f"{SECTION} tbody tr:nth-child(2) td")[:3] == ["2026-11-24 11:00 UTC", "dump", "5 B"]
    says(page, SECTION, "restorable: the moments above")
    says(page, SECTION, BUCKETS[NAME])


def test_a_restore_that_nobody_is_let_in_for_says_so_and_the_page_goes_on(
    page: webdriver.Chrome, console: Console
) -> None:
    press(page, "Restore …")
    says(page, REASON, "scaleway.ssh_cidrs is empty")
    assert not page.find_elements(By.CSS_SELECTOR, "[role=dialog]")
    assert "Traceback" not in page.page_source
    press(page, "Show all")
    says(page, f"{SECTION} tbody", NEWER)
    assert not page.find_elements(By.CSS_SELECTOR, REASON)


def test_a_drill_that_nobody_is_let_in_for_says_so(page: webdriver.Chrome) -> None:
    press(page, "Verify the newest")
    says(page, "[data-state=failed]", "scaleway.ssh_cidrs is empty", MAKING_SECONDS)


def test_a_repository_on_the_server_is_listed_by_its_bucket(
    browser: webdriver.Chrome, console: Console
) -> None:
    browser.get(f"{console.url}/workspace/{OWN}")
    press(browser, "Show all")
    says(browser, f"{SECTION} tbody", "interrupted")
    broken, full = (texts(browser, f"{SECTION} tbody tr:nth-child({at}) td") for at in (1, 2))
    assert broken == ["not known", "full", "5 B", "interrupted", BROKEN]
    assert full[1:] == ["full", "10 B", "seen in the bucket, not looked into", FULL]
    says(browser, SECTION, "restorable: any moment from")
    press(browser, "Restore …")
    says(browser, REASON, "scaleway.ssh_cidrs is empty")


def test_a_bucket_that_cannot_be_read_says_why(page: webdriver.Chrome, storage: Endpoint) -> None:
    storage.client().put_object(Bucket=BUCKETS[NAME], Key="proofs/bad.json", Body=b"{")
    press(page, "Show all")
    says(page, REASON, "a proof in the backup bucket (proofs/) is not one: remove it there")
    storage.client().delete_object(Bucket=BUCKETS[NAME], Key="proofs/bad.json")


def test_the_dialog_says_which_dump_is_taken_and_the_restore_takes_it(
    page: webdriver.Chrome, console: Console, programs: Path
) -> None:
    _let_in(console)
    press(page, "Restore …")
    says(page, "[data-choice]", f"Restores {NEWER} (what was annotated since is lost).")
    click(page, "[aria-label='Restore to'] [aria-label='a time']")
    type_into(page, to="2026-11-24T09:00:00Z")
    says(page, "[data-choice]", "there is no dump of 2026-11-24T09:00:00Z or before")
    type_into(page, to="2026-11-24T10:30:00Z")
    says(page, "[data-choice]", f"Restores {OLDER} (what was annotated since is lost).")
    type_into(page, typed=NAME)
    press(page, "Restore")
    says(page, "[data-state=done]", "Restored to 2026-11-24T10:00:00+00:00. Lost: what", MAKING_SECONDS)
    assert (programs / "restored").read_text() == f"labelspace-restore {OLDER}.dump\n"
    assert (programs / "dumps").read_text().split()[-1] == LAST, "what was there is dumped first"


def test_only_dumps_are_offered_to_a_restore(page: webdriver.Chrome) -> None:
    press(page, "Restore …")
    click(page, "[aria-label='Restore to'] [aria-label='one of the backups']")
    click(page, "[role=dialog] [role=combobox]")
    offered = texts(page, "[role=listbox] [role=option]")
    assert [one.split(",")[0] for one in offered] == ["2026-11-24 11:00 UTC", "2026-11-24 10:00 UTC"]


def test_a_stopped_one_says_what_to_start(page: webdriver.Chrome, console: Console) -> None:
    _account(console).pulumi("config", "set", "labelspace:running", "false")
    for server in _account(console).cloud.all("instance_server").values():
        server["state"] = "stopped"  # an update would do both, but the provider takes no AWS_CA_BUNDLE
    says(page, ".chip", "stopped")
    press(page, "Restore …")
    says(page, REASON, f"it is stopped: run `labelspace start {NAME}` first")
    press(page, "Show all")
    says(page, f"{SECTION} tbody", NEWER)
