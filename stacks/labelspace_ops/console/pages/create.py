"""The page that makes a workspace: a form with every rule in place, then a preview, then the making."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from nicegui import ui
from nicegui.elements.mixins.validation_element import ValidationElement

from labelspace.home import Home
from labelspace.password_policy import password_rules
from labelspace_ops.console import widgets
from labelspace_ops.console.forms import Form
from labelspace_ops.console.status_poller import StatusPoller
from labelspace_ops.core.errors import OpsError
from labelspace_ops.jobs import store as jobs
from labelspace_ops.storage import buckets
from labelspace_ops.targets import registry
from labelspace_ops.targets.base import Capability, Target
from labelspace_ops.workspaces import lifecycle
from labelspace_ops.workspaces import preview as previews
from labelspace_ops.workspaces.preview_text import ACTION_LABELS

FIELDS = {
    "name": "name",
    "description": "description",
    "target": "target",
    "buckets": "new_buckets",
    "admin.username": "username",
    "admin.email": "email",
    "admin.password": "password",
    "registration": "registration",
    "default_role": "default_role",
    "bind_address": "bind_address",
    "size": "size",
}
"""A refusal's field and the form's own."""


def _title(target: Target[Any]) -> str:
    """The target in the form's list."""
    where = ", in the cloud" if target.can(Capability.COST) else ""
    return f"{target.title.capitalize()}{where}"


CHOICES = {
    "target": {target.name: _title(target) for target in registry.installed()},
    "registration": {
        "open": "Open: annotators sign up by themselves",
        "closed": "Closed: the admin makes accounts",
    },
    "default_role": {
        "worker": "Worker: sees what the admin assigns, no more",
        "user": "User: may browse the buckets and make tasks",
    },
    "size": {"small": "Small", "medium": "Medium", "large": "Large"},
}


class CreatePage:
    """One visitor's form; what was typed stays in it while the preview is shown."""

    def __init__(self, watch: StatusPoller, again: str = "") -> None:
        self.watch = watch
        self.form = _first(watch, again)
        self.inputs: dict[str, ValidationElement[Any]] = {}
        self.touched: set[str] = {"name"} if again else set()
        with widgets.page("New workspace"):
            widgets.heading("New workspace", 1)
            self.where = widgets.box("stack")
        self.show_form()

    def show_form(self) -> None:
        """Draw the fields with what stands in the form."""
        self.where.clear()
        self.inputs.clear()
        with self.where:
            self._what()
            self._data()
            self._admin()
            self._access()
            with widgets.box("line"):
                widgets.button("Preview", on_click=self.preview, icon="visibility")
                widgets.button("Cancel", on_click=lambda: ui.navigate.to("/"), props="flat color=primary")
            self.summary = widgets.note("", "bad")
        self._tell()

    def _what(self) -> None:
        with widgets.section("Workspace"):
            with widgets.box("grid"):
                self._text(
                    "name", "Name", "Part of its URL: lowercase letters, digits and hyphens", "required"
                )
                self._choice("target", "Runs on")
            self._text("description", "Description", "What it is for; optional", "autogrow")

    def _data(self) -> None:
        with widgets.section(
            "Dataset buckets", "Images and videos live in buckets. Choose some, name new ones, or both."
        ):
            kept = buckets.local_buckets(self.watch.home) if self.form.can(Capability.LOCAL_BUCKETS) else []
            if kept:
                with widgets.box("line").props('role=group aria-label="Buckets of this machine"'):
                    for name in kept:
                        ui.checkbox(name, value=name in self.form.buckets, on_change=self._pick(name))
            self._text(
                "new_buckets", "New buckets" if kept else "Bucket", "One name, or several with spaces between"
            )

    def _admin(self) -> None:
        with widgets.section(
            "Admin", "The one who assigns work. An empty password gets you a generated one."
        ):
            with widgets.box("grid"):
                self._text("username", "User name", "5 characters or more", "required autocomplete=off")
                self._text("email", "E-mail", "Optional", "autocomplete=off")
            self._text(
                "password", "Password", "Leave empty to have one generated", "autocomplete=new-password"
            )
            self.rules = widgets.box("stack tight").props("aria-live=polite")

    def _access(self) -> None:
        ui.checkbox(
            "Go on with the annotations that a deleted workspace of this name left",
            value=self.form.reuse_data,
            on_change=lambda event: setattr(self.form, "reuse_data", bool(event.value)),
        )
        with widgets.section("Annotators"):
            self._choice("registration", "Registration")
        with ui.expansion("More settings", icon="tune").classes("card"), widgets.box("grid"):
            self._choice("default_role", "New annotators are")
            self._choice("size", "Size")
            if not self.form.can(Capability.HOST_PORTS):
                return
            self._text(
                "bind_address", "Served on", "127.0.0.1 is this machine alone; 0.0.0.0 is whoever reaches it"
            )
            self._text("port", "Port of the URL", "Empty: a free one", "inputmode=numeric")
            self._text("s3_port", "Port of the buckets", "Empty: a free one", "inputmode=numeric")

    def _text(self, attribute: str, label: str, hint: str, props: str = "") -> None:
        secret = attribute == "password"
        field = ui.input(
            label,
            value=getattr(self.form, attribute),
            password=secret,
            password_toggle_button=secret,
            on_change=lambda event: self._typed(attribute, event.value or ""),
        )
        field.props(f'outlined hide-bottom-space bottom-slots hint="{hint}" name={attribute} {props}')
        field.without_auto_validation()  # it would take away what `_tell` says
        field.on("blur", lambda: self._left(attribute))
        self.inputs[attribute] = field

    def _choice(self, attribute: str, label: str) -> None:
        field = ui.select(
            CHOICES[attribute],
            label=label,
            value=getattr(self.form, attribute),
            on_change=lambda event: self._typed(attribute, event.value),
        )
        field.props("outlined hide-bottom-space bottom-slots")
        self.inputs[attribute] = field

    def _pick(self, name: str) -> Callable[[Any], None]:
        def picked(event: Any) -> None:
            chosen = [one for one in self.form.buckets if one != name]
            self.form.buckets = [*chosen, name] if event.value else chosen
            self._left("new_buckets")

        return picked

    def _typed(self, attribute: str, value: str) -> None:
        setattr(self.form, attribute, value)
        if attribute == "target":
            self.show_form()  # each target has fields of its own
        self._left(attribute)

    def _left(self, attribute: str) -> None:
        """A rule speaks in a field that somebody was in, not in one that nobody reached."""
        self.touched.add(attribute)
        self._tell()

    def _tell(self) -> dict[str, str]:
        found = self.form.problems(self.watch.known or [])
        for key, attribute in FIELDS.items():
            if attribute in self.inputs:
                self.inputs[attribute].error = found.get(key) if attribute in self.touched else None
        others = [f"{key}: {words}" for key, words in found.items() if key not in FIELDS]
        self.summary.set_text("\n".join(others))
        self.summary.set_visibility(bool(others))
        self._tell_password()
        return found

    def _tell_password(self) -> None:
        form = self.form
        self.rules.clear()
        if not form.password:
            return
        rules = password_rules(form.password, form.username, form.email)
        with self.rules:
            widgets.text(
                f"Strength: {strength(form.password, all(rule.met for rule in rules))}", "small"
            ).props("data-strength")
            with widgets.box("rules", "ul"):
                for rule in rules:
                    mark, look = ("✓", "met") if rule.met else ("·", "unmet")
                    widgets.text(f"{mark} {rule.requirement}", look, "li")

    async def preview(self) -> None:
        """Ask Pulumi what would be made; a refusal comes back into the form."""
        self.touched |= set(self.inputs)
        if self._tell():
            first = next((self.inputs[FIELDS[key]] for key in self._tell() if key in FIELDS), None)
            if first:
                first.run_method("focus")
            return
        self.where.clear()
        with self.where:
            widgets.note("Asking Pulumi what would be made …", "move")
        try:
            reviewed, costs = await asyncio.to_thread(_review, self.form, self.watch.home)
        except OpsError as error:
            self.show_form()
            self.summary.set_text(str(error))
            self.summary.set_visibility(True)
            return
        self.where.clear()
        with self.where:
            self._show_review(reviewed, costs)

    def _show_review(self, review: dict[str, Any], costs: str) -> None:
        with widgets.section(f"Preview of {review['name']}"):
            widgets.facts(self._wish())
            for remark in review["notes"]:
                widgets.note(remark, "warn")
        counts = [
            f"{number} {ACTION_LABELS[key]}"
            for key, number in review["counts"].items()
            if number and key in ACTION_LABELS
        ]
        with (
            widgets.section("What will be created", ", ".join(counts)),
            ui.expansion("Every part").classes("grow"),
        ):
            rows = [[change["kind"], change["part"], change["data"]] for change in review["changes"]]
            widgets.table(["Kind", "Part", "Its data"], rows)
        with widgets.section("What it costs"):
            widgets.text(costs)
        with widgets.box("line"):
            widgets.button("Create", on_click=self.create, icon="check")
            widgets.button("Back to the form", on_click=self.show_form, props="flat color=primary")

    def _wish(self) -> dict[str, str]:
        form = self.form
        return {
            "Description": form.description or "none",
            "Runs on": CHOICES["target"][form.target],
            "Buckets": ", ".join(form.all_buckets),
            "Admin": f"{form.username}, password {'as typed' if form.password else 'generated'}",
            "Registration": CHOICES["registration"][form.registration],
        }

    def create(self) -> None:
        """Begin the making, apart from this console."""
        form = self.form
        secret = f"{form.password}\n" if form.password else ""
        try:
            jobs.begin(self.watch.home, "create", form.name, ["--yes", *form.arguments()], secret)
        except OpsError as error:
            ui.notify(str(error), type="negative")
            return
        self.watch.refresh_now()
        ui.navigate.to(f"/workspace/{form.name}/progress")


def _review(form: Form, home: Home) -> tuple[dict[str, Any], str]:
    """The preview, and the price in words."""
    spec = lifecycle.resolve_spec(form.values(), home)
    free = "0 € a month: it runs on this machine and takes of its memory and disk."
    price = registry.get(spec.target).cost(spec) or free
    return previews.preview(spec, home).as_json(), price


def strength(password: str, rules_met: bool) -> str:
    """A word for how long it would hold; rules that are broken come first."""
    if not rules_met:
        return "not accepted yet"
    return "strong" if len(password) >= 16 else "good" if len(password) >= 12 else "fair: longer is better"


def _first(watch: StatusPoller, again: str) -> Form:
    job = jobs.latest(watch.home, again) if again else None
    return Form.again(job.name, job.arguments) if job and job.verb == "create" else Form()
