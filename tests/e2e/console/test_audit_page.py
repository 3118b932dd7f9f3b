"""The report in Chromium: on screens light and dark, on paper, without a network."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from selenium import webdriver
from tests.e2e.browser import chromium
from tests.unit.ops.audit import exports

from labelspace_ops.audit import findings
from labelspace_ops.audit.predictions import Prediction
from labelspace_ops.labels.audit_choices import Choices

READABLE = 4.5
"""The contrast that text needs (WCAG 2.2, 1.4.3)."""
COLOURS = """
const shown = one => getComputedStyle(one);
const ground = one => { for (; one; one = one.parentElement)
  if (shown(one).backgroundColor !== 'rgba(0, 0, 0, 0)') return shown(one).backgroundColor;
  return 'rgb(255, 255, 255)'; };
return [...document.querySelectorAll('h1, h2, p, th, td, li, .tile b, .tile span')]
  .filter(one => one.textContent.trim() && !one.closest('.heat'))
  .map(one => [shown(one).color, ground(one), one.textContent.trim().slice(0, 40)]);
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """The report of a planted accident, with predictions."""
    folder: Path = tmp_path_factory.mktemp("report")
    draws = np.random.default_rng(2)
    made = [(f"{n}.jpg", "ab"[n % 2], {"light": "night" if draws.random() < (0.9, 0.3)[n % 2] else "day"})
            for n in range(300)]  # fmt: skip
    predicted = [Prediction(name, str(draws.choice(["a", "b"]))) for name, _, _ in made]
    audit = findings.audit(exports.dataset(made), Choices(protected=("light",)), predicted)
    findings.write(audit, folder)
    with chromium(1200, 900) as driver:
        driver.get((folder / "report.html").as_uri())
        yield driver


def _media(page: webdriver.Chrome, scheme: str, media: str = "screen") -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})


def _luminance(colour: str) -> float:
    """Of ``rgb(r, g, b)``, relative (WCAG 2.2)."""
    parts = np.array([float(part) for part in colour.strip("rgba()").split(",")[:3]]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def _contrast(one: str, two: str) -> float:
    dark, light = sorted([_luminance(one), _luminance(two)])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("media", ["screen", "print"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(page: webdriver.Chrome, scheme: str, media: str) -> None:
    _media(page, scheme, media)
    texts = page.execute_script(COLOURS)
    assert len(texts) > 30
    faint = [text for ink, ground, text in texts if _contrast(ink, ground) < READABLE]
    assert faint == []
    dark_ground = _luminance(texts[0][1]) < 0.2
    assert dark_ground == (scheme == "dark" and media == "screen"), "paper is white"


def test_it_prints_on_pages_and_fits_their_width(page: webdriver.Chrome) -> None:
    _media(page, "dark", "print")
    pdf = base64.b64decode(page.print_page())
    assert pdf.startswith(b"%PDF")
    size = {"width": 720, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    assert page.execute_script("return document.documentElement.scrollWidth") <= 720


def test_it_asks_for_nothing(page: webdriver.Chrome) -> None:
    page.refresh()
    assert page.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert page.execute_script("return document.scripts.length") == 0
