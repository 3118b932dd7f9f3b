"""Elements of the pages. Text is inserted as text, never as HTML."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
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
    "unreadable": "bad",
    "stopped": "rest",
    "asleep": "rest",
}
"""Status -> CSS class of its chip; any other status means that a job runs."""
NAVIGATION = {"/": "Workspaces", "/costs": "Costs"}


@contextmanager
def page(title: str, path: str = "") -> Iterator[None]:
    """The frame of a page: the navigation bar, then the content."""
    ui.page_title(f"{title} · labelspace")
    ui.colors(primary="#0b6e69", negative="#b3261e")
    text("Skip to the content", "skip", "a").props("href=#content")
    with box("bar", "header"), box("bar-in", "nav").props('aria-label="Main"'):
        ui.link("labelspace", "/").classes("brand")
        for target, label in NAVIGATION.items():
            link = ui.link(label, target).classes("nav")
            if target == path:
                link.props("aria-current=page")
        button("New workspace", on_click=lambda: ui.navigate.to("/create"), look="push", icon="add")
    with box("content").props("id=content"):
        yield


def box(classes: str = "", tag: str = "div") -> ui.element:
    """An element that contains others."""
    return ui.element(tag).classes(classes)


class Area:
    """A box that is drawn again only for another key.

    A button that is replaced while it is pressed loses the click.
    """

    def __init__(self, classes: str = "stack") -> None:
        self.box = box(classes).props("aria-live=polite")
        self._key: object = None

    def show(self, key: object, draw: Callable[[], object]) -> None:
        """Draw the content unless it is there for this key."""
        if key == self._key:
            return
        self._key = key
        self.box.clear()
        with self.box:
            draw()


def section(title: str, introduction: str = "") -> ui.element:
    """A part of the page with its own heading."""
    made = box("card stack", "section").props(f'aria-label="{title}"')
    with made:
        heading(title)
        if introduction:
            text(introduction, "soft")
    return made


def text(content: str, classes: str = "", tag: str = "div") -> TextElement:
    """Text as an element of any tag, never parsed as markup."""
    element = TextElement(tag=tag, text=content)
    element.classes(classes)
    return element


def heading(content: str, level: int = 2) -> TextElement:
    """A heading."""
    return text(content, tag=f"h{level}")


def button(
    label: str, *, on_click: Any, look: str = "", icon: str | None = None, props: str = ""
) -> ui.button:
    """A button with a label; ``look``: CSS classes, ``props``: Quasar's."""
    return ui.button(label, on_click=on_click, icon=icon).props(f"unelevated no-caps {props}").classes(look)


def outline_button(label: str, *, on_click: Any, icon: str, danger: bool = False) -> ui.button:
    """A button that is not the page's main action."""
    color = "negative" if danger else "primary"
    return button(label, on_click=on_click, icon=icon, props=f"outline color={color}")


def flat_button(label: str, *, on_click: Any) -> ui.button:
    """A button that leaves or closes."""
    return button(label, on_click=on_click, props="flat color=primary")


class ConfirmByName:
    """A dialog whose button works when the workspace's name is typed; ``fields`` draws what comes before."""

    def __init__(self, title: str, name: str, verb: str, fields: Callable[[], None]) -> None:
        self.name = name
        with ui.dialog(value=True) as self.dialog, box("card stack").props(f'aria-label="{verb}"'):
            heading(title)
            fields()
            self.typed = ui.input("Type the workspace's name", on_change=self.check)
            self.typed.props("outlined name=typed")
            with box("line"):
                self.button = button(verb, on_click=self._confirm, props="color=negative")
                flat_button("Cancel", on_click=self.dialog.close)
        self.check()
        self.dialog.on("hide", self.dialog.delete)

    def is_complete(self) -> bool:
        """Return whether the name is typed; a subclass may require more."""
        return bool(self.typed.value == self.name)

    def check(self) -> None:
        """Enable the button when the fields are complete."""
        self.button.set_enabled(self.is_complete())

    def _confirm(self) -> None:
        if self.is_complete():  # the browser is not trusted
            self.dialog.close()
            self.confirmed()

    def confirmed(self) -> None:
        """Do what was confirmed."""
        raise NotImplementedError


def chip(status: str) -> TextElement:
    """A workspace's status, as text with a colour."""
    return text(status, f"chip {LOOKS.get(status, 'move')}").props(f'data-status="{status}"')


def note(content: str, look: str) -> TextElement:
    """A remark; screen readers read one with look ``bad`` at once."""
    return text(content, f"note wrap {look}").props("role=alert" if look == "bad" else "role=status")


def facts(rows: dict[str, str]) -> None:
    """A list of terms and their values."""
    with box("facts", "dl"):
        for term, value in rows.items():
            text(term, tag="dt")
            text(value, tag="dd")


def table(columns: list[str], rows: list[list[str]], numbers: tuple[int, ...] = ()) -> None:
    """A plain table; the columns whose index is in ``numbers`` are aligned to the right."""
    with box("scroll"), box("plain", "table"):
        with box(tag="thead"), box(tag="tr"):
            for at, title in enumerate(columns):
                text(title, "num" if at in numbers else "", "th").props("scope=col")
        with box(tag="tbody"):
            for row in rows:
                with box(tag="tr"):
                    for at, label in enumerate(row):
                        text(label, "num" if at in numbers else "", "td")


def size(number: float | None) -> str:
    """Bytes for people."""
    if number is None:
        return "not measured"
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def price(cost: Mapping[str, Any]) -> str:
    """The monthly cost of a workspace in the cloud, from its outputs."""
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
