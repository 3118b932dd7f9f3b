"""The pages, as people see them, in Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as until
from selenium.webdriver.support.wait import WebDriverWait
from tests.e2e.browser import chromium
from tests.e2e.lab import ADMIN, PASSWORD, Lab, admin_of

PATIENCE_SECONDS = 30


@pytest.fixture
def browser() -> Iterator[webdriver.Chrome]:
    with chromium(1200, 900) as driver:
        yield driver


def _fill(browser: webdriver.Chrome, **values: str) -> None:
    for name, value in values.items():
        field = WebDriverWait(browser, PATIENCE_SECONDS).until(until.element_to_be_clickable((By.NAME, name)))
        field.send_keys(value)
    browser.find_element(By.CSS_SELECTOR, "[type=submit]").click()


def _text(browser: webdriver.Chrome, selector: str) -> str:
    found = (By.CSS_SELECTOR, selector)
    return WebDriverWait(browser, PATIENCE_SECONDS).until(until.visibility_of_element_located(found)).text


def test_the_login_page_leads_the_admin_to_the_datasets(browser: webdriver.Chrome, street: Any) -> None:
    browser.get(street["url"])
    _fill(browser, username=ADMIN, password=PASSWORD)
    assert _text(browser, "#me") == f"{ADMIN} (admin)"
    assert "a.png" in _text(browser, "#share")


def test_an_annotator_signs_up_and_gets_rights_in_the_django_panel(
    browser: webdriver.Chrome, lab: Lab, street: Any
) -> None:
    browser.get(f"{street['url']}/auth/register")
    _fill(browser, username="browser-person", email="b@example.org", password1=PASSWORD, password2=PASSWORD)
    assert _text(browser, "#me") == "browser-person (worker)"
    assert "You do not have permission" in _text(browser, ".error")
    number = next(
        user["id"]
        for user in admin_of(street).get("/api/users").json()["results"]
        if user["username"] == "browser-person"
    )
    browser.delete_all_cookies()
    browser.get(f"{street['url']}/admin/auth/user/{number}/change/")
    _fill(browser, username=ADMIN, password=PASSWORD)
    option = (By.XPATH, "//select[@id='id_groups_from']/option[text()='user']")
    WebDriverWait(browser, PATIENCE_SECONDS).until(until.element_to_be_clickable(option)).click()
    browser.find_element(By.ID, "id_groups_add").click()
    browser.find_element(By.NAME, "_save").click()
    assert "was changed successfully" in _text(browser, ".success")
    browser.delete_all_cookies()
    browser.get(f"{street['url']}/auth/login")
    _fill(browser, username="browser-person", password=PASSWORD)
    assert _text(browser, "#me") == "browser-person (user, worker)"
    assert "street" in _text(browser, "#share")


def test_logging_in_to_one_workspace_leaves_the_other_alone(
    browser: webdriver.Chrome, street: Any, clinic: Any
) -> None:
    for measured in (street, clinic):
        browser.get(measured["url"])
        _fill(browser, username=ADMIN, password=PASSWORD)
        assert _text(browser, "#me").startswith(ADMIN)
    browser.get(f"{street['url']}/tasks")
    assert _text(browser, "#me").startswith(ADMIN)
