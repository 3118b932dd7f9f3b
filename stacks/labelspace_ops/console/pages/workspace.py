"""The page of one workspace: its facts, its data, its annotators and backups; stop and delete."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from nicegui import events, ui

from labelspace.home import Home
from labelspace_ops.console import widgets
from labelspace_ops.console.pages.annotators import Annotators
from labelspace_ops.console.pages.backups import Backups
from labelspace_ops.console.pages.progress import begin
from labelspace_ops.console.status_poller import TICK_SECONDS, StatusPoller
from labelspace_ops.core.errors import OpsError
from labelspace_ops.jobs import store as jobs
from labelspace_ops.stack import state
from labelspace_ops.storage import upload as uploads
from labelspace_ops.targets import registry
from labelspace_ops.targets.base import Capability
from labelspace_ops.targets.status import Status


class WorkspacePage:
    """Redraws what changes; a running upload is not interrupted."""

    def __init__(self, watch: StatusPoller, name: str) -> None:
        self.watch, self.name = watch, name
        self.drawn: Status | None = None
        with widgets.page(name):
            if watch.known is not None and name not in [row.name for row in watch.rows()]:
                widgets.heading(name, 1)
                widgets.note(f"There is no workspace {name!r}.", "warn")
                return
            self.page = widgets.box("stack")
            with self.page:
                self.top, self.remarks = widgets.Area(), widgets.Area()
                self.information, self.buckets = widgets.Area(), widgets.Area()
            self.upload = Upload(watch, name)
            self.annotators = Annotators(watch, name)
            self.backups = Backups(watch, name)
            self.below = widgets.Area()
        self.draw()
        ui.timer(TICK_SECONDS, self.draw)

    def draw(self) -> None:
        """Update the page to the newest measurement."""
        row = self.watch.row(self.name)
        if row == self.drawn:
            return
        self.drawn = row
        self.top.show((row.status, row.url, row.description), lambda: self._top(row))
        self.remarks.show((row.status, row.checks), lambda: self._remarks(row))
        self.information.show((row.url, row.cvat), lambda: self._information(row))
        self.buckets.show((row.url, row.buckets), lambda: self._buckets(row))
        self.below.show((row.status, row.target), lambda: self._below(row))
        self.upload.offer(row)
        self.annotators.offer(row)
        self.backups.offer(row)

    def _top(self, row: Status) -> None:
        with widgets.box("line"):
            widgets.heading(self.name, 1)
            widgets.chip(row.status)
            if row.url and row.status in ("ready", "degraded"):
                widgets.button("Open", on_click=lambda: ui.navigate.to(row.url, new_tab=True),
                             icon="open_in_new", look="end")  # fmt: skip
        if row.description:
            widgets.text(row.description, "wrap")

    def _remarks(self, row: Status) -> None:
        job = jobs.latest(self.watch.home, self.name)
        if job and (job.state == "running" or row.status == "failed"):
            with widgets.box("line"):
                ui.link("See its progress", f"/workspace/{self.name}/progress").classes("link")
        broken = [f"{check.name}: {check.detail}" for check in row.checks if not check.ok]
        if row.status == "unreadable":
            widgets.note("\n".join(broken), "bad")
        if broken and row.status == "degraded":
            widgets.note("\n".join(broken), "warn")
            widgets.outline_button(
                "Repair", on_click=lambda: begin(self.watch, "create", self.name, ["--yes"]), icon="healing"
            )

    def _information(self, row: Status) -> None:
        if not row.url:
            return
        with widgets.section("Information"), widgets.box("facts", "dl"):
            with _fact("URL"), widgets.box("line"):
                ui.link(row.url, row.url, new_tab=True).classes("link")
                widgets.button("Copy", on_click=lambda: self.copy(row.url, "URL"), icon="content_copy",
                             props='flat dense color=primary aria-label="Copy the URL"')  # fmt: skip
            with _fact("Admin"), widgets.box("line"):
                widgets.text(row.admin_username)
                widgets.button("Show password", on_click=self.show_password, icon="key",
                             props="flat dense color=primary")  # fmt: skip
            with _fact("Runs on"):
                widgets.text(registry.get(row.target or registry.DEFAULT).title)
            with _fact("CVAT"):
                widgets.text(row.cvat)

    def _buckets(self, row: Status) -> None:
        if not row.url:
            return
        with widgets.section("Buckets"):
            counts = [[one.name, _count(one.objects), widgets.size(one.bytes)] for one in row.buckets]
            widgets.table(["Bucket", "Objects", "Size"], counts, numbers=(1, 2))

    def copy(self, text: str, what: str) -> None:
        """Copy a text to the user's clipboard."""
        ui.clipboard.write(text)
        ui.notify(f"{what} copied")

    async def show_password(self) -> None:
        """Read and show the admin's password."""
        try:
            outputs = await asyncio.to_thread(state.require_outputs, self.name, self.watch.home)
        except OpsError as error:
            with self.page:
                ui.notify(str(error), type="negative")
            return
        with (
            self.page,  # the button is redrawn with each change
            ui.dialog(value=True) as dialog,
            widgets.box("card stack").props('aria-label="Password of the admin"'),
        ):
            widgets.heading(f"Admin of {self.name}")
            widgets.facts({"User name": outputs["admin_username"], "E-mail": outputs["admin_email"]})
            widgets.text(outputs["admin_password"], "log mono").props("data-password")
            with widgets.box("line"):
                widgets.button("Copy", on_click=lambda: self.copy(outputs["admin_password"], "Password"),
                             icon="content_copy")  # fmt: skip
                widgets.flat_button("Close", on_click=dialog.close)
        dialog.on("hide", dialog.delete)

    def ask_to_delete(self, row: Status) -> None:
        """Open the dialog."""
        with self.page:  # the button is redrawn with each change
            Deletion(self.watch, row)

    def _below(self, row: Status) -> None:
        self._stop_or_start(row)
        if row.status not in ("deleting", "measuring"):
            with widgets.section("Delete"):
                widgets.text(
                    "Takes a last backup and removes what runs. Bucket data stays in any case.", "soft"
                )
                widgets.outline_button(
                    "Delete …", on_click=lambda: self.ask_to_delete(row), icon="delete", danger=True
                )

    def _stop_or_start(self, row: Status) -> None:
        if row.status in ("ready", "degraded"):
            with widgets.section("Stop"):
                widgets.text(
                    "Takes a last backup and frees memory and processor; data, URL and passwords stay.",
                    "soft",
                )
                widgets.outline_button(
                    "Stop", on_click=lambda: begin(self.watch, "stop", self.name, []), icon="stop"
                )
        elif row.status in ("stopped", "asleep"):
            with widgets.section("Start"):
                widgets.text("Annotators cannot work while it is stopped; no data is lost.", "soft")
                widgets.button(
                    "Start", on_click=lambda: begin(self.watch, "start", self.name, []), icon="play_arrow"
                )


class Upload:
    """Uploads files to one of the buckets, by drag and drop, and shows the result of each."""

    def __init__(self, watch: StatusPoller, name: str) -> None:
        self.watch, self.name = watch, name
        self.section = widgets.section("Add data")
        with self.section:
            widgets.text("Drop images or videos here, or choose them with the plus sign.", "soft")
            self.bucket = ui.select([], label="Bucket").props("outlined")
            self.picker = ui.upload(multiple=True, auto_upload=True, on_upload=self.sent, label="Files")
            self.picker.props('flat aria-label="Files to upload"')
            self.outcome = widgets.box("stack tight").props("aria-live=polite")
        self.section.set_visibility(False)

    def offer(self, row: Status) -> None:
        """Show the section while the workspace can receive data."""
        names = [bucket.name for bucket in row.buckets if not bucket.path]
        self.section.set_visibility(row.status in ("ready", "degraded") and bool(names))
        if names and self.bucket.options != names:
            self.bucket.set_options(names, value=self.bucket.value or names[0])

    async def sent(self, event: events.UploadEventArguments) -> None:
        """Send a file that the console received to its bucket, with its checksum."""
        bucket, file = self.bucket.value, event.file
        with self.outcome:
            line = widgets.text(f"{file.name}: to {bucket} …", "small wrap")
        with tempfile.TemporaryDirectory(prefix="labelspace-upload-") as folder:
            path = Path(folder) / "file"
            await file.save(path)
            upload = uploads.Upload(path, file.name, file.size())
            try:
                new = await asyncio.to_thread(_send, self.name, bucket, upload, self.watch.home)
                line.set_text(f"{file.name}: {_outcome(upload, bucket, new)}")
            except OpsError as error:
                line.set_text(f"{file.name}: {str(error).removeprefix(f'{path}: ')}")
                line.props("data-failed")
        self.watch.refresh_now()


def _send(name: str, bucket: str, upload: uploads.Upload, home: Home) -> bool:
    outputs = state.require_outputs(name, home)
    storage = registry.get(outputs["target"]).storage(outputs, bucket)
    return uploads.upload_file(storage, upload, lambda _: None)


def _outcome(upload: uploads.Upload, bucket: str, new: bool) -> str:
    text = f"in {bucket}, {widgets.size(upload.size)}" if new else f"already in {bucket}"
    return text if upload.opens_in_cvat else f"{text}; CVAT cannot open files of this kind"


class Deletion(widgets.ConfirmByName):
    """The dialog that confirms a deletion."""

    def __init__(self, watch: StatusPoller, row: Status) -> None:
        self.watch, self.target = watch, registry.get(row.target or registry.DEFAULT)
        super().__init__(f"Delete {row.name}?", row.name, "Delete", self._fields)

    def _fields(self) -> None:
        widgets.text(self.target.retention_note)
        self.purge = ui.checkbox("Remove annotations and backups too, for good")
        self.purge.set_visibility(self.target.can(Capability.PURGE))

    def confirmed(self) -> None:
        """Begin the deletion."""
        arguments, stdin = (["--purge"], f"{self.name}\n") if self.purge.value else (["--yes"], "")
        begin(self.watch, "delete", self.name, arguments, stdin)


def _fact(term: str) -> ui.element:
    widgets.text(term, tag="dt")
    return widgets.box("", "dd")


def _count(objects: int | None) -> str:
    return "not measured" if objects is None else str(objects)
