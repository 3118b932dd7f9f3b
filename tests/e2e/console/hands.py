"""What a person does at the console's pages, as often as a page that draws itself anew asks for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

PATIENCE_SECONDS = 120
MAKING_SECONDS = 420


def wait(
    browser: webdriver.Chrome, so: Callable[[webdriver.Chrome], Any], seconds: int = PATIENCE_SECONDS
) -> Any:
    """The first true value; elements that are drawn anew meanwhile are looked up again."""
    return WebDriverWait(browser, seconds, ignored_exceptions=[Exception]).until(so)


def find(browser: webdriver.Chrome, selector: str, seconds: int = PATIENCE_SECONDS) -> WebElement:
    found: WebElement = wait(browser, lambda at: at.find_element(*_by(selector)), seconds)
    return found


def _by(selector: str) -> tuple[str, str]:
    """CSS, or XPath when it begins as a path does."""
    return (By.XPATH if selector.startswith("/") else By.CSS_SELECTOR, selector)


def texts(browser: webdriver.Chrome, selector: str) -> list[str]:
    """What the elements say, all of one drawing of the page; there is at least one."""
    said: list[str] = wait(browser, lambda at: [one.text for one in at.find_elements(*_by(selector))])
    return said


def says(browser: webdriver.Chrome, selector: str, words: str, seconds: int = PATIENCE_SECONDS) -> None:
    def said(at: webdriver.Chrome) -> bool:
        return any(words in one.text for one in at.find_elements(By.CSS_SELECTOR, selector))

    try:
        wait(browser, said, seconds)
    except Exception as error:
        text = browser.find_element(By.TAG_NAME, "body").text
        raise AssertionError(f"{words!r} is not in {selector} of {browser.current_url}:\n{text}") from error


def click(browser: webdriver.Chrome, selector: str) -> None:
    """Click an element, once it is there and can be clicked."""

    def clicked(at: webdriver.Chrome) -> bool:
        at.find_element(*_by(selector)).click()
        return True

    wait(browser, clicked)


def press(browser: webdriver.Chrome, words: str) -> None:
    """Click the button that shows ``words``, once it can be clicked."""
    click(browser, f"//button[not(@disabled)][.//*[normalize-space(text())='{words}']]")


def type_into(browser: webdriver.Chrome, **values: str) -> None:
    """Let each field hold the value, whatever it held before."""
    for name, value in values.items():
        wait(browser, lambda at, name=name, value=value: _typed(at, name, value))  # type: ignore[misc]


def _typed(browser: webdriver.Chrome, name: str, value: str) -> bool:
    field = browser.find_element(By.CSS_SELECTOR, f"[name={name}]")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(value or Keys.BACKSPACE)
    return True
