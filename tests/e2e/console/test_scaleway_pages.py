"""The console's pages on a workspace in the cloud, over the double of Scaleway's API."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from tests.e2e.cloud import ACCOUNT, UUID, Account, account
from tests.e2e.console.conftest import Console, served
from tests.e2e.console.hands import MAKING_SECONDS, click, find, press, says, type_into
from tests.e2e.lab import Lab

from labelspace.home import Home

NAME = "cloudpages"
PRICE = "54.89 €, 23.62 € while stopped"


@dataclass(frozen=True)
class CloudLab(Lab):
    """A home whose commands reach the double."""

    account: Account

    def env(self) -> dict[str, str]:
        return {**self.account.env(), "SCW_S3_ENDPOINT": f"http://{self.account.address}"}

    def user_env(self) -> dict[str, str]:
        return self.env()


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """At a home with one workspace, which no update waits for."""
    with account(tmp_path_factory.mktemp("account"), NAME, Home.find().tools) as one:
        key = {"access_key": ACCOUNT["SCW_ACCESS_KEY"], "application_id": UUID}
        one.cloud.add("access_key", key, "access_key")
        one.pulumi("config", "set", "--path", "labelspace:scaleway.wait_minutes", "0")
        one.pulumi("config", "set", "--path", "labelspace:scaleway.trial_hostname", "true")
        one.pulumi("config", "set", "labelspace:target", "scaleway")
        lab = CloudLab(one.home, one)
        done = lab.run("create", NAME, "--bucket", "street", "--yes")
        assert one.outputs().get("target") == "scaleway", done.stderr
        yield from served(lab)


def test_the_price_is_in_the_list_and_on_the_page_of_costs(
    browser: webdriver.Chrome, console: Console
) -> None:
    says(browser, f"[data-workspace={NAME}]", f"a month: {PRICE}")
    browser.get(f"{console.url}/costs")
    says(browser, "tbody tr", PRICE)


def test_the_form_has_the_targets_own_fields_and_shows_its_price(
    browser: webdriver.Chrome, console: Console
) -> None:
    browser.get(f"{console.url}/create")
    type_into(browser, name="another", new_buckets="fields")
    click(browser, ".q-expansion-item")
    find(browser, "[name=s3_port]")
    click(browser, "[aria-label='Runs on']")
    click(browser, "//*[@role='option'][contains(., 'Scaleway')]")
    says(browser, "[aria-label=Workspace]", "Scaleway, in the cloud")
    assert not browser.find_elements(By.CSS_SELECTOR, "[name=s3_port]")
    type_into(browser, domain="labels.example.org")
    press(browser, "Preview")
    says(browser, "[aria-label='What it costs']", "about 54.89 EUR a month, 23.62 while stopped")
    says(browser, "[aria-label='Preview of another']", "Scaleway")


def test_it_is_stopped_and_deleted(browser: webdriver.Chrome, console: Console) -> None:
    browser.get(f"{console.url}/workspace/{NAME}")
    press(browser, "Stop")
    says(browser, "[data-state=done]", "It is stopped", MAKING_SECONDS)
    press(browser, "To the workspace")
    says(browser, ".chip", "stopped")
    press(browser, "Delete …")
    says(browser, "[aria-label=Delete]", "stay at Scaleway, and are billed until they are removed")
    assert "for good" not in browser.find_element(By.CSS_SELECTOR, "[aria-label=Delete]").text
    type_into(browser, typed=NAME)
    press(browser, "Delete")
    says(browser, "[data-state=done]", "The workspace is removed", MAKING_SECONDS)
