"""The console's pages in Chromium: a workspace made, watched, used and deleted without a terminal."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from tests.e2e.console.conftest import Console, look, served
from tests.e2e.console.hands import (
    MAKING_SECONDS,
    click,
    find,
    press,
    says,
    texts,
    type_into,
    wait,
)
from tests.e2e.lab import ADMIN, PASSWORD, Lab, containers, ports

BACKUPS = "[aria-label=Backups] tbody"
NASTY = "<img src=x onerror=\"document.title='owned'\">{{7*7}}<script>document.title='owned'</script>"


def _field(browser: webdriver.Chrome, name: str) -> str:
    """What the form says at a field."""
    return texts(browser, f"//*[@name='{name}']/ancestor::label")[0]


@pytest.fixture
def emptied(lab: Lab, tmp_path: Path) -> Iterator[Console]:
    """A console of a home where nothing was made."""
    (tmp_path / "tools").symlink_to(lab.home.tools)
    yield from served(Lab(type(lab.home)(tmp_path)))


def test_an_empty_list_invites_to_create_and_the_keyboard_gets_there(
    chromium: webdriver.Chrome, emptied: Console
) -> None:
    look(chromium, 1280)
    chromium.get(emptied.link())
    says(chromium, ".empty", "No workspaces yet")
    for _ in range(12):
        chromium.switch_to.active_element.send_keys(Keys.TAB)
        if "Create the first workspace" in chromium.switch_to.active_element.text:
            break
    chromium.switch_to.active_element.send_keys(Keys.ENTER)
    says(chromium, "h1", "New workspace")


def test_a_broken_rule_is_reported_at_its_field_while_typing(
    browser: webdriver.Chrome, console: Console
) -> None:
    browser.get(f"{console.url}/create")
    type_into(
        browser, name="Bad Name", new_buckets="UPPER", username="ann", email="nobody", password="short1"
    )
    for name, words in {
        "name": "lowercase letters, digits and hyphens",
        "new_buckets": "Amazon S3's rules",
        "username": "5 to 150",
        "email": "ann@example.org",
        "password": "too short",
    }.items():
        wait(browser, lambda at, name=name, words=words: words in _field(at, name))  # type: ignore[misc]
    says(browser, "[data-strength]", "not accepted yet")
    type_into(browser, password=PASSWORD)
    says(browser, "[data-strength]", "strong")
    type_into(browser, name="good-name")
    wait(browser, lambda at: "refused" not in _field(at, "name"))
    press(browser, "Preview")
    assert "Bad" not in _field(browser, "name")
    wait(browser, lambda at: "5 to 150" in _field(at, "username"))
    assert not console.lab.home.jobs.joinpath("good-name.jsonl").exists()


def test_a_name_that_is_taken_is_reported_at_its_field(
    browser: webdriver.Chrome, console: Console, street: Any
) -> None:
    says(browser, "article", street["name"])
    browser.get(f"{console.url}/create")
    type_into(browser, name=street["name"])
    wait(browser, lambda at: "is taken" in _field(at, "name"))


def test_the_list_shows_what_is_measured(browser: webdriver.Chrome, lab: Lab, street: Any) -> None:
    card = f"[data-workspace={street['name']}]"
    described = lab.json("status", street["name"])["description"]  # other tests change it
    says(browser, f"{card} .chip", "ready")
    for words in (street["url"], described, "street (", "fields (", "last backup: 20", "0 € a month"):
        says(browser, card, words)


def test_the_costs_are_nothing_but_memory_and_disk(
    browser: webdriver.Chrome, console: Console, street: Any
) -> None:
    browser.get(f"{console.url}/costs")
    says(browser, "tbody", street["name"])
    cells = texts(browser, "tbody tr:first-child td")
    assert cells[1] == "0 €"
    assert all(float(cell.split()[0]) > 0 for cell in cells[2:6])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_pages_fit_and_everything_has_a_name(
    browser: webdriver.Chrome, console: Console, street: Any, width: int, scheme: str
) -> None:
    look(browser, width, scheme)
    for place in ("/", "/create", f"/workspace/{street['name']}", "/costs"):
        browser.get(console.url + place)
        find(browser, "h1")
        wait(browser, lambda at: at.execute_script("return document.readyState") == "complete")
        wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert browser.execute_script(wide) <= 0, place
        ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert (int(ground.split("(")[1].split(",")[0]) < 100) == (scheme == "dark"), ground
        assert wait(browser, _nameless) == "none", place


def _nameless(browser: webdriver.Chrome) -> str:
    """What a screen reader has no words for; asked again when the page draws itself anew meanwhile."""
    seen = browser.find_elements(By.CSS_SELECTOR, "button, a, input, textarea, [role=combobox]")
    silent = [one for one in seen if one.is_displayed() and not one.accessible_name]
    return ", ".join(str(one.get_attribute("outerHTML")) for one in silent) or "none"


def test_a_workspace_that_is_not_there(browser: webdriver.Chrome, console: Console) -> None:
    find(browser, "article, .empty")  # measured once
    browser.get(f"{console.url}/workspace/nobody-made-this")
    says(browser, ".note", "There is no workspace 'nobody-made-this'")
    browser.get(f"{console.url}/workspace/..%2Fkeys")
    assert "Traceback" not in browser.page_source


def test_a_failure_shows_its_reason_and_a_way_back_into_the_form(
    browser: webdriver.Chrome, console: Console, street: Any
) -> None:
    name, port = f"t{secrets.token_hex(3)}", street["url"].rsplit(":", 1)[1]
    browser.get(f"{console.url}/create")
    type_into(browser, name=name, new_buckets="street", description="kept words")
    press(browser, "Preview")
    press(browser, "Back to the form")
    press(browser, "Preview")
    says(browser, "section", "to create")
    from labelspace_ops.jobs import store as jobs  # noqa: PLC0415

    jobs.begin(console.lab.home, "create", name, ["--yes", "--bucket=street", f"--port={port}"])
    browser.get(f"{console.url}/workspace/{name}/progress")
    says(browser, "[data-state=failed]", f"port: {port} is in use", MAKING_SECONDS)
    browser.get(console.url)
    says(browser, f"[data-workspace={name}] .chip", "failed")
    browser.get(f"{console.url}/workspace/{name}/progress")
    press(browser, "Try again")
    wait(browser, lambda at: find(at, "[name=name]").get_attribute("value") == name)
    assert find(browser, "[name=new_buckets]").get_attribute("value") == "street"
    browser.get(f"{console.url}/workspace/{name}/progress")
    press(browser, "Dismiss")
    says(browser, "h1", "Workspaces")
    assert jobs.latest(console.lab.home, name) is None


def test_a_workspace_is_made_watched_used_and_deleted(
    browser: webdriver.Chrome, console: Console, dataset: Path
) -> None:
    name, (_, port, _, s3_port) = f"t{secrets.token_hex(3)}", ports()
    try:
        _make(browser, console, name, port, s3_port)
        console.kill()
        console.start()
        browser.get(console.link())
        says(browser, f"[data-workspace={name}] .chip", "creating")
        browser.get(f"{console.url}/workspace/{name}/progress")
        says(browser, "[data-state=done]", "It is ready", MAKING_SECONDS)
        assert texts(browser, ".steps li[data-step=done]") == texts(browser, ".steps li")
        press(browser, "To the workspace")
        _use(browser, console, name, dataset)
        _go_back(browser, name)
        _delete(browser, name)
        wait(
            browser, lambda _: not containers(name), 30
        )  # the page may still be listing backups, in a container
        assert (console.lab.home.buckets / name / "a.png").read_bytes() == (dataset / "a.png").read_bytes()
    finally:
        console.lab.run("delete", name, "--purge", stdin=f"{name}\n")


def _make(browser: webdriver.Chrome, console: Console, name: str, port: str, s3_port: str) -> None:
    browser.get(f"{console.url}/create")
    type_into(browser, name=name, description=NASTY, new_buckets=name, username=ADMIN, password=PASSWORD)
    click(browser, ".q-expansion-item")
    type_into(browser, port=port, s3_port=s3_port)
    press(browser, "Preview")
    says(browser, "section", "to create")
    says(browser, "section", NASTY)
    press(browser, "Create")
    find(browser, "[data-step=now]")
    says(browser, ".steps", "done, last:")
    assert PASSWORD not in "".join(path.read_text() for path in console.lab.home.jobs.glob("*"))


def _use(browser: webdriver.Chrome, console: Console, name: str, dataset: Path) -> None:
    says(browser, ".chip", "ready")
    says(browser, ".content", NASTY)
    assert "owned" not in browser.title
    assert not browser.find_elements(By.CSS_SELECTOR, "img[src=x]")
    find(browser, "input[type=file]").send_keys(f"{dataset / 'a.png'}\n{dataset / 'notes.txt'}")
    says(browser, ".content", f"a.png: in {name}")
    says(browser, ".content", "CVAT cannot open files of this kind")
    wait(browser, lambda at: at.find_element(By.CSS_SELECTOR, "tbody td.num").text == "2")
    press(browser, "Show password")
    says(browser, "[data-password]", PASSWORD)
    press(browser, "Close")
    press(browser, "Show annotators")
    says(browser, "[aria-label=Annotators] tbody", ADMIN)
    type_into(browser, invite="ann@example.org")
    press(browser, "Copy an invitation")
    says(browser, "[data-invitation]", "/auth/register")
    browser.get(console.url)
    says(browser, f"[data-workspace={name}] .chip", "ready")
    says(browser, f"[data-workspace={name}]", NASTY)
    assert "owned" not in browser.title
    browser.get(f"{console.url}/workspace/{name}")


def _go_back(browser: webdriver.Chrome, name: str) -> None:
    """A backup, and the way back to it; the server's admin stays the same."""
    press(browser, "Back up now")
    says(browser, "[data-state=done]", "The backup is taken", MAKING_SECONDS)
    press(browser, "To the workspace")
    wait(browser, _shows_backups)
    says(browser, BACKUPS, "not proven yet")
    newest = texts(browser, "[aria-label=Backups] tbody tr td:last-child")[0]
    press(browser, "Restore …")
    click(browser, "[aria-label='Restore to'] [aria-label='one of the backups']")
    click(browser, "[role=dialog] [role=combobox]")
    click(browser, "[role=listbox] [role=option]")
    type_into(browser, typed=name)
    press(browser, "Restore")
    says(browser, "[data-state=done]", f"Restored to backup {newest}", MAKING_SECONDS)
    press(browser, "To the workspace")
    says(browser, ".chip", "ready")


def _shows_backups(browser: webdriver.Chrome) -> bool:
    """A button that is drawn anew in the moment in which it is pressed hears nothing of it."""
    press(browser, "Show all")
    return bool(browser.find_elements(By.CSS_SELECTOR, BACKUPS))


def _delete(browser: webdriver.Chrome, name: str) -> None:
    press(browser, "Delete …")
    type_into(browser, typed="something")
    asked = "//*[@role='dialog']//button[.//*[normalize-space(text())='Delete']]"
    find(browser, f"{asked}[@disabled]")
    type_into(browser, typed=name)
    wait(browser, lambda at: find(at, asked).is_enabled())
    click(browser, asked)
    says(browser, "[data-state=done]", "The workspace is removed", MAKING_SECONDS)
    press(browser, "To the list")
    wait(browser, lambda at: not at.find_elements(By.CSS_SELECTOR, f"[data-workspace={name}]"))
