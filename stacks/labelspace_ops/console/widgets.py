"""What the pages are made of. Text goes into elements as text alone: nothing here renders HTML."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

STYLE = Path(__file__).with_name("style.css")
LOOKS = {
    "ready": "good",
    "degraded": "warn",
    "failed": "bad",
    "stopped": "rest",
    "asleep": "rest",
}
"""A status that is not here is something under way."""
NAVIGATION = {"/": "Workspaces", "/costs": "Costs"}


@contextmanager
def page(title: str, path: str = "") -> Iterator[None]:
    """The frame of a page: the bar with its links, then the content in ``main``."""
    ui.page_title(f"{title} · labelspace")
    ui.colors(primary="#0b6e69", negative="#b3261e")
    text("Skip to the content", "skip", "a").props("href=#content")
    with box("bar", "header"), box("bar-in", "nav").props('aria-label="Main"'):
        ui.link("labelspace", "/").classes("brand")
        for target, words in NAVIGATION.items():
            link = ui.link(words, target).classes("nav")
            if target == path:
                link.props("aria-current=page")
        button("New workspace", on_click=lambda: ui.navigate.to("/create"), look="push", icon="add")
    with box("content").props("id=content"):
        yield


def box(classes: str = "", tag: str = "div") -> ui.element:
    """A plain element to put others in."""
    return ui.element(tag).classes(classes)


def section(title: str, words: str = "") -> ui.element:
    """A part of the page under a heading of its own."""
    made = box("card stack", "section").props(f'aria-label="{title}"')
    with made:
        heading(title)
        if words:
            text(words, "soft")
    return made


def text(words: str, classes: str = "", tag: str = "div") -> TextElement:
    """Words as an element of any tag; never read as markup."""
    element = TextElement(tag=tag, text=words)
    element.classes(classes)
    return element


def heading(words: str, level: int = 2) -> TextElement:
    """A heading of the page's outline."""
    return text(words, tag=f"h{level}")


def button(
    words: str, *, on_click: Any, look: str = "", icon: str | None = None, props: str = ""
) -> ui.button:
    """A button with words; ``props`` are Quasar's."""
    return ui.button(words, on_click=on_click, icon=icon).props(f"unelevated no-caps {props}").classes(look)


def chip(status: str) -> TextElement:
    """A workspace's status: colour and word."""
    return text(status, f"chip {LOOKS.get(status, 'move')}").props(f'data-status="{status}"')


def note(words: str, look: str) -> TextElement:
    """A remark; a bad one is read out at once."""
    return text(words, f"note wrap {look}").props("role=alert" if look == "bad" else "role=status")


def facts(rows: dict[str, str]) -> None:
    """Terms and what they are."""
    with box("facts", "dl"):
        for term, value in rows.items():
            text(term, tag="dt")
            text(value, tag="dd")


def table(columns: list[str], rows: list[list[str]], numbers: tuple[int, ...] = ()) -> None:
    """A plain table; the columns whose index is in ``numbers`` stand to the right."""
    with box("scroll"), box("plain", "table"):
        with box(tag="thead"), box(tag="tr"):
            for at, words in enumerate(columns):
                text(words, "num" if at in numbers else "", "th").props("scope=col")
        with box(tag="tbody"):
            for row in rows:
                with box(tag="tr"):
                    for at, words in enumerate(row):
                        text(words, "num" if at in numbers else "", "td")


def size(number: float | None) -> str:
    """Bytes for people."""
    if number is None:
        return "not measured"
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def price(cost: dict[str, Any]) -> str:
    """What a workspace in the cloud costs, as its outputs say."""
    if not cost:
        return "not known"
    running, stopped = cost["eur_per_month_running"], cost["eur_per_month_stopped"]
    return f"{running:.2f} €, {stopped:.2f} € while stopped"


def span(seconds: float) -> str:
    """A duration as minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def moment(iso: str | None) -> str:
    """An ISO 8601 time in UTC for people."""
    return f"{iso[:10]} {iso[11:16]} UTC" if iso else "none yet"


def clock(at: float) -> str:
    """Seconds since the epoch as this machine's time of day."""
    return time.strftime("%H:%M:%S", time.localtime(at))
