"""The page of one workspace: what it is, its data, its backups, its end."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from nicegui import events, ui

from labelspace.home import Home
from labelspace_ops import jobs, state, uploads
from labelspace_ops.console import parts
from labelspace_ops.console.pages.annotators import Annotators
from labelspace_ops.console.pages.backups import Backups
from labelspace_ops.console.pages.progress import begin
from labelspace_ops.console.watch import TICK_SECONDS, Watch
from labelspace_ops.errors import OpsError


class WorkspacePage:
    """Draws anew what changes; the upload keeps its place meanwhile."""

    def __init__(self, watch: Watch, name: str) -> None:
        self.watch, self.name = watch, name
        self.drawn: dict[str, Any] = {}
        with parts.page(name):
            if watch.known is not None and name not in [row["name"] for row in watch.rows()]:
                parts.heading(name, 1)
                parts.note(f"There is no workspace {name!r}.", "warn")
                return
            self.page = parts.box("stack")
            with self.page:
                self.top = parts.box("stack").props("aria-live=polite")
            self.upload = Upload(watch, name)
            self.annotators = Annotators(watch, name)
            self.backups = Backups(watch, name)
            self.below = parts.box("stack")
        self.draw()
        ui.timer(TICK_SECONDS, self.draw)

    def draw(self) -> None:
        """Bring the page to the newest measurement."""
        row = self.watch.row(self.name)
        if row == self.drawn:
            return
        self.drawn = row
        for place, content in ((self.top, self._top), (self.below, self._below)):
            place.clear()
            with place:
                content(row)
        self.upload.offer(row)
        self.annotators.offer(row)
        self.backups.offer(row)

    def _top(self, row: dict[str, Any]) -> None:
        with parts.box("line"):
            parts.heading(self.name, 1)
            parts.chip(row["status"])
            if row["url"] and row["status"] in ("ready", "degraded"):
                parts.button("Open", on_click=lambda: ui.navigate.to(row["url"], new_tab=True),
                             icon="open_in_new", look="end")  # fmt: skip
        if row["description"]:
            parts.text(row["description"], "wrap")
        self._remarks(row)
        if row["url"]:
            self._facts(row)

    def _remarks(self, row: dict[str, Any]) -> None:
        job = jobs.latest(self.watch.home, self.name)
        if job and (job.state == "running" or row["status"] == "failed"):
            with parts.box("line"):
                ui.link("See its progress", f"/workspace/{self.name}/progress").classes("link")
        broken = [f"{check['name']}: {check['detail']}" for check in row["checks"] if not check["ok"]]
        if broken and row["status"] == "degraded":
            parts.note("\n".join(broken), "warn")
            parts.button(
                "Bring it back on course",
                on_click=lambda: begin(self.watch, "create", self.name, ["--yes"]),
                icon="healing",
                props="outline color=primary",
            )

    def _facts(self, row: dict[str, Any]) -> None:
        with parts.section("Information"):
            with parts.box("facts", "dl"):
                with _fact("URL"), parts.box("line"):
                    ui.link(row["url"], row["url"], new_tab=True).classes("link")
                    parts.button("Copy", on_click=lambda: self.copy(row["url"], "URL"), icon="content_copy",
                                 props='flat dense color=primary aria-label="Copy the URL"')  # fmt: skip
                with _fact("Admin"), parts.box("line"):
                    parts.text(row["admin_username"])
                    parts.button("Show password", on_click=self.show_password, icon="key",
                                 props="flat dense color=primary")  # fmt: skip
                with _fact("Runs on"):
                    parts.text("this machine" if row["target"] == "local" else row["target"])
                with _fact("CVAT"):
                    parts.text(row["cvat_version"])
            parts.heading("Buckets", 3)
            counts = [
                [one["name"], _count(one["objects"]), parts.size(one["bytes"])] for one in row["buckets"]
            ]
            parts.table(["Bucket", "Objects", "Size"], counts, numbers=(1, 2))

    def copy(self, words: str, what: str) -> None:
        """Put words into the visitor's clipboard."""
        ui.clipboard.write(words)
        ui.notify(f"{what} copied")

    async def show_password(self) -> None:
        """Fetch the admin's password when it is asked for, not before."""
        try:
            outputs = await asyncio.to_thread(state.outputs_of, self.name, self.watch.home)
        except OpsError as error:
            with self.page:
                ui.notify(str(error), type="negative")
            return
        with (
            self.page,  # not the button: it is drawn anew with each change
            ui.dialog(value=True) as dialog,
            parts.box("card stack").props('aria-label="Password of the admin"'),
        ):
            parts.heading(f"Admin of {self.name}")
            parts.facts({"User name": outputs["admin_username"], "E-mail": outputs["admin_email"]})
            parts.text(outputs["admin_password"], "log mono").props("data-password")
            with parts.box("line"):
                parts.button("Copy", on_click=lambda: self.copy(outputs["admin_password"], "Password"),
                             icon="content_copy")  # fmt: skip
                parts.button("Close", on_click=dialog.close, props="flat color=primary")
        dialog.on("hide", dialog.delete)

    def ask_to_delete(self, row: dict[str, Any]) -> None:
        """Open the dialog, in the page: what is drawn anew with each change would take it along."""
        with self.page:
            Deletion(self.watch, row)

    def _below(self, row: dict[str, Any]) -> None:
        self._rest(row)
        if row["status"] not in ("deleting", "measuring"):
            with parts.section("Delete"):
                parts.text(
                    "Takes a last backup and removes what runs. Bucket data stays in any case.", "soft"
                )
                parts.button("Delete …", on_click=lambda: self.ask_to_delete(row), icon="delete",
                             props="outline color=negative")  # fmt: skip

    def _rest(self, row: dict[str, Any]) -> None:
        """Stop what runs, start what rests."""
        if row["status"] in ("ready", "degraded"):
            with parts.section("Stop"):
                parts.text(
                    "Takes a last backup and frees memory and processor; data, URL and passwords stay.",
                    "soft",
                )
                parts.button(
                    "Stop",
                    on_click=lambda: begin(self.watch, "stop", self.name, []),
                    icon="stop",
                    props="outline color=primary",
                )
        elif row["status"] in ("stopped", "asleep"):
            with parts.section("Start"):
                parts.text("It rests: nobody can work in it, nothing is lost.", "soft")
                parts.button(
                    "Start", on_click=lambda: begin(self.watch, "start", self.name, []), icon="play_arrow"
                )


class Upload:
    """Files by drag and drop into one of the buckets, each with what became of it."""

    def __init__(self, watch: Watch, name: str) -> None:
        self.watch, self.name = watch, name
        self.section = parts.section("Add data")
        with self.section:
            parts.text("Drop images or videos here, or choose them with the plus sign.", "soft")
            self.bucket = ui.select([], label="Bucket").props("outlined")
            self.picker = ui.upload(multiple=True, auto_upload=True, on_upload=self.sent, label="Files")
            self.picker.props('flat aria-label="Files to upload"')
            self.outcome = parts.box("stack tight").props("aria-live=polite")
        self.section.set_visibility(False)

    def offer(self, row: dict[str, Any]) -> None:
        """Show itself while the workspace can take data."""
        names = [bucket["name"] for bucket in row["buckets"]]
        self.section.set_visibility(row["status"] in ("ready", "degraded") and bool(names))
        if names and self.bucket.options != names:
            self.bucket.set_options(names, value=self.bucket.value or names[0])

    async def sent(self, event: events.UploadEventArguments) -> None:
        """Hand a file that arrived here on to its bucket, checked by its checksum."""
        bucket, file = self.bucket.value, event.file
        with self.outcome:
            line = parts.text(f"{file.name}: to {bucket} …", "small wrap")
        with tempfile.TemporaryDirectory(prefix="labelspace-upload-") as folder:
            path = Path(folder) / "file"
            await file.save(path)
            upload = uploads.Upload(path, file.name, file.size())
            try:
                new = await asyncio.to_thread(_hand_on, self.name, bucket, upload, self.watch.home)
                line.set_text(f"{file.name}: {_became(upload, bucket, new)}")
            except OpsError as error:
                line.set_text(f"{file.name}: {str(error).removeprefix(f'{path}: ')}")
                line.props("data-failed")
        self.watch.hurry()


def _hand_on(name: str, bucket: str, upload: uploads.Upload, home: Home) -> bool:
    return uploads.send(uploads.Storage.of(state.outputs_of(name, home), bucket), upload, lambda _: None)


def _became(upload: uploads.Upload, bucket: str, new: bool) -> str:
    words = f"in {bucket}, {parts.size(upload.size)}" if new else f"already in {bucket}"
    strange = not upload.opens_in_cvat
    return f"{words}; CVAT cannot open files of this kind" if strange else words


STAYS = {
    "local": "Annotations and backups stay on this machine, for a new workspace of the name to go on with.",
    "scaleway": "Buckets, backups and the data volume stay at Scaleway, and cost what they did until they are"
    " removed in its console; a new workspace of the name goes on with them.",
}
"""What is left, by target; at Scaleway nothing here removes it."""


class Deletion:
    """The dialog that asks for the name to be typed."""

    def __init__(self, watch: Watch, row: dict[str, Any]) -> None:
        self.watch, self.name = watch, str(row["name"])
        with ui.dialog(value=True) as self.dialog, parts.box("card stack").props('aria-label="Delete"'):
            parts.heading(f"Delete {self.name}?")
            parts.text(STAYS.get(row["target"], STAYS["local"]))
            self.purge = ui.checkbox("Remove annotations and backups too, for good")
            self.purge.set_visibility(row["target"] != "scaleway")
            self.typed = ui.input("Type the workspace's name", on_change=self.check).props(
                "outlined name=typed"
            )
            with parts.box("line"):
                self.button = parts.button("Delete", on_click=self.go, props="color=negative")
                parts.button("Keep it", on_click=self.dialog.close, props="flat color=primary")
        self.check()
        self.dialog.on("hide", self.dialog.delete)

    def check(self) -> None:
        """The button works when the name stands there."""
        self.button.set_enabled(self.typed.value == self.name)

    def go(self) -> None:
        """Begin the removal; the server checks the name again."""
        if self.typed.value != self.name:
            return
        self.dialog.close()
        purge = self.purge.value
        begin(
            self.watch,
            "delete",
            self.name,
            ["--purge" if purge else "--yes"],
            f"{self.name}\n" if purge else "",
        )


def _fact(term: str) -> ui.element:
    parts.text(term, tag="dt")
    return parts.box("", "dd")


def _count(objects: int | None) -> str:
    return "not measured" if objects is None else str(objects)
