"""The console's pages in Chromium: a workspace made, watched, used and deleted without a terminal."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait
from tests.lab import ADMIN, PASSWORD, Lab, containers, ports
from tests.stacks.labelspace_ops.console.conftest import Console, look, served

PATIENCE_SECONDS = 120
MAKING_SECONDS = 420
NASTY = "<img src=x onerror=\"document.title='owned'\">{{7*7}}<script>document.title='owned'</script>"


def _wait(
    browser: webdriver.Chrome, so: Callable[[webdriver.Chrome], Any], seconds: int = PATIENCE_SECONDS
) -> Any:
    """The first true value; elements that are drawn anew meanwhile are looked up again."""
    return WebDriverWait(browser, seconds, ignored_exceptions=[Exception]).until(so)


def _find(browser: webdriver.Chrome, selector: str, seconds: int = PATIENCE_SECONDS) -> WebElement:
    found: WebElement = _wait(browser, lambda at: at.find_element(By.CSS_SELECTOR, selector), seconds)
    return found


def _says(browser: webdriver.Chrome, selector: str, words: str, seconds: int = PATIENCE_SECONDS) -> None:
    def said(at: webdriver.Chrome) -> bool:
        return any(words in one.text for one in at.find_elements(By.CSS_SELECTOR, selector))

    try:
        _wait(browser, said, seconds)
    except Exception as error:
        text = browser.find_element(By.TAG_NAME, "body").text
        raise AssertionError(f"{words!r} is not in {selector} of {browser.current_url}:\n{text}") from error


def _press(browser: webdriver.Chrome, words: str) -> None:
    """Click the button that shows ``words``, once it can be clicked."""
    path = f"//button[.//*[normalize-space(text())='{words}']]"

    def pressed(at: webdriver.Chrome) -> bool:
        at.find_element(By.XPATH, path).click()
        return True

    _wait(browser, pressed)


def _type(browser: webdriver.Chrome, **values: str) -> None:
    for name, value in values.items():
        field = _find(browser, f"[name={name}]")
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(value or Keys.BACKSPACE)


def _field(browser: webdriver.Chrome, name: str) -> str:
    """What the form says at a field."""
    inside = _find(browser, f"[name={name}]")
    return str(inside.find_element(By.XPATH, "./ancestor::label").text)


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
    _says(chromium, ".empty", "No workspaces yet")
    for _ in range(12):
        chromium.switch_to.active_element.send_keys(Keys.TAB)
        if "Create the first workspace" in chromium.switch_to.active_element.text:
            break
    chromium.switch_to.active_element.send_keys(Keys.ENTER)
    _says(chromium, "h1", "New workspace")


def test_every_rule_is_told_in_place_while_it_is_typed(browser: webdriver.Chrome, console: Console) -> None:
    browser.get(f"{console.url}/create")
    _type(browser, name="Bad Name", new_buckets="UPPER", username="ann", email="nobody", password="short1")
    for name, words in {
        "name": "lowercase letters, digits and hyphens",
        "new_buckets": "Amazon S3's rules",
        "username": "5 to 150",
        "email": "ann@example.org",
        "password": "too short",
    }.items():
        _wait(browser, lambda at, name=name, words=words: words in _field(at, name))  # type: ignore[misc]
    _says(browser, "[data-strength]", "not accepted yet")
    _type(browser, password=PASSWORD)
    _says(browser, "[data-strength]", "strong")
    _type(browser, name="good-name")
    _wait(browser, lambda at: "refused" not in _field(at, "name"))
    _press(browser, "Preview")
    assert "Bad" not in _field(browser, "name")
    _wait(browser, lambda at: "5 to 150" in _field(at, "username"))
    assert not console.lab.home.jobs.joinpath("good-name.jsonl").exists()


def test_a_name_that_is_taken_is_told_in_place(
    browser: webdriver.Chrome, console: Console, street: Any
) -> None:
    _says(browser, "article", street["name"])
    browser.get(f"{console.url}/create")
    _type(browser, name=street["name"])
    _wait(browser, lambda at: "is taken" in _field(at, "name"))


def test_the_list_shows_what_is_measured(browser: webdriver.Chrome, street: Any) -> None:
    card = f"[data-workspace={street['name']}]"
    _says(browser, f"{card} .chip", "ready")
    for words in (street["url"], "two buckets", "street (", "fields (", "last backup: 20", "0 € a month"):
        _says(browser, card, words)


def test_the_costs_are_nothing_but_memory_and_disk(
    browser: webdriver.Chrome, console: Console, street: Any
) -> None:
    browser.get(f"{console.url}/costs")
    _says(browser, "tbody", street["name"])
    cells = [cell.text for cell in browser.find_elements(By.CSS_SELECTOR, "tbody tr:first-child td")]
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
        _find(browser, "h1")
        _wait(browser, lambda at: at.execute_script("return document.readyState") == "complete")
        wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert browser.execute_script(wide) <= 0, place
        ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert (int(ground.split("(")[1].split(",")[0]) < 100) == (scheme == "dark"), ground
        for one in browser.find_elements(By.CSS_SELECTOR, "button, a, input, textarea, [role=combobox]"):
            if one.is_displayed():
                assert one.accessible_name, (place, one.get_attribute("outerHTML"))


def test_a_workspace_that_is_not_there(browser: webdriver.Chrome, console: Console) -> None:
    _find(browser, "article, .empty")  # measured once
    browser.get(f"{console.url}/workspace/nobody-made-this")
    _says(browser, ".note", "There is no workspace 'nobody-made-this'")
    browser.get(f"{console.url}/workspace/..%2Fkeys")
    assert "Traceback" not in browser.page_source


def test_a_failure_shows_its_reason_and_a_way_back_into_the_form(
    browser: webdriver.Chrome, console: Console, street: Any
) -> None:
    name, port = f"t{secrets.token_hex(3)}", street["url"].rsplit(":", 1)[1]
    browser.get(f"{console.url}/create")
    _type(browser, name=name, new_buckets="street", description="kept words")
    _press(browser, "Preview")
    _press(browser, "Back to the form")
    _press(browser, "Preview")
    _says(browser, "section", "to make")
    from labelspace_ops import jobs  # noqa: PLC0415

    jobs.begin(console.lab.home, "create", name, ["--yes", "--bucket=street", f"--port={port}"])
    browser.get(f"{console.url}/workspace/{name}/progress")
    _says(browser, "[data-state=failed]", f"port: {port} is in use", MAKING_SECONDS)
    browser.get(console.url)
    _says(browser, f"[data-workspace={name}] .chip", "failed")
    browser.get(f"{console.url}/workspace/{name}/progress")
    _press(browser, "Try again")
    _wait(browser, lambda at: _find(at, "[name=name]").get_attribute("value") == name)
    assert _find(browser, "[name=new_buckets]").get_attribute("value") == "street"
    browser.get(f"{console.url}/workspace/{name}/progress")
    _press(browser, "Dismiss")
    _says(browser, "h1", "Workspaces")
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
        _says(browser, f"[data-workspace={name}] .chip", "creating")
        browser.get(f"{console.url}/workspace/{name}/progress")
        _says(browser, "[data-state=done]", "It is ready", MAKING_SECONDS)
        assert {
            one.get_attribute("data-step") for one in browser.find_elements(By.CSS_SELECTOR, ".steps li")
        } == {"done"}
        _press(browser, "To the workspace")
        _use(browser, console, name, dataset)
        _delete(browser, name)
        assert not containers(name)
        assert (console.lab.home.buckets / name / "a.png").read_bytes() == (dataset / "a.png").read_bytes()
    finally:
        console.lab.run("delete", name, "--purge", stdin=f"{name}\n")


def _make(browser: webdriver.Chrome, console: Console, name: str, port: str, s3_port: str) -> None:
    browser.get(f"{console.url}/create")
    _type(browser, name=name, description=NASTY, new_buckets=name, username=ADMIN, password=PASSWORD)
    _find(browser, ".q-expansion-item").click()
    _type(browser, port=port, s3_port=s3_port)
    _press(browser, "Preview")
    _says(browser, "section", "to make")
    _says(browser, "section", NASTY)
    _press(browser, "Create")
    _find(browser, "[data-step=now]")
    _says(browser, ".steps", "done, last:")
    assert PASSWORD not in "".join(path.read_text() for path in console.lab.home.jobs.glob("*"))


def _use(browser: webdriver.Chrome, console: Console, name: str, dataset: Path) -> None:
    _says(browser, ".chip", "ready")
    _says(browser, ".content", NASTY)
    assert "owned" not in browser.title
    assert not browser.find_elements(By.CSS_SELECTOR, "img[src=x]")
    _find(browser, "input[type=file]").send_keys(f"{dataset / 'a.png'}\n{dataset / 'notes.txt'}")
    _says(browser, ".content", f"a.png: in {name}")
    _says(browser, ".content", "CVAT cannot open files of this kind")
    _wait(browser, lambda at: at.find_element(By.CSS_SELECTOR, "tbody td.num").text == "2")
    _press(browser, "Show password")
    _says(browser, "[data-password]", PASSWORD)
    _press(browser, "Close")
    browser.get(console.url)
    _says(browser, f"[data-workspace={name}] .chip", "ready")
    _says(browser, f"[data-workspace={name}]", NASTY)
    assert "owned" not in browser.title
    browser.get(f"{console.url}/workspace/{name}")


def _delete(browser: webdriver.Chrome, name: str) -> None:
    _press(browser, "Delete …")
    _type(browser, typed="something")
    asked = "//*[@role='dialog']//button[.//*[normalize-space(text())='Delete']]"
    assert _wait(browser, lambda at: at.find_element(By.XPATH, asked)).get_attribute("disabled") is not None
    _type(browser, typed=name)
    _wait(browser, lambda at: at.find_element(By.XPATH, asked).is_enabled())
    browser.find_element(By.XPATH, asked).click()
    _says(browser, "[data-state=done]", "It is removed", MAKING_SECONDS)
    _press(browser, "To the list")
    _wait(browser, lambda at: not at.find_elements(By.CSS_SELECTOR, f"[data-workspace={name}]"))
