"""The page that creates a workspace: a form that validates each field, a preview, the creation."""

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
from labelspace_ops.console.pages.progress import begin
from labelspace_ops.console.status_poller import StatusPoller
from labelspace_ops.core.errors import OpsError
from labelspace_ops.jobs import store as jobs
from labelspace_ops.storage import buckets
from labelspace_ops.targets import registry
from labelspace_ops.targets.base import Capability, Target
from labelspace_ops.workspaces import lifecycle
from labelspace_ops.workspaces import preview as previews
from labelspace_ops.workspaces.preview import Preview
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
    "scaleway": "domain",
}
"""Setting that a problem names -> attribute of the form."""
FREE = "0 € a month: it uses memory and disk of this machine."


def _title(target: Target[Any]) -> str:
    """Return the target's title in the form."""
    where = ", in the cloud" if target.can(Capability.COST) else ""
    return f"{target.title.capitalize()}{where}"


def _has_form(target: Target[Any]) -> bool:
    """Whether the form asks for what the target needs; it knows no remote bucket and no cluster."""
    return target.can(Capability.LOCAL_BUCKETS) or target.can(Capability.HOST_NAME)


CHOICES = {
    "target": {target.name: _title(target) for target in registry.installed() if _has_form(target)},
    "registration": {
        "open": "Open: annotators sign up by themselves",
        "closed": "Closed: the admin creates accounts",
    },
    "default_role": {
        "worker": "Worker: sees only what the admin assigns",
        "user": "User: may browse the buckets and create tasks",
    },
    "size": {"small": "Small", "medium": "Medium", "large": "Large"},
}


class CreatePage:
    """The form of one visitor; it keeps the typed values while the preview is shown."""

    def __init__(self, watch: StatusPoller, again: str = "") -> None:
        self.watch = watch
        self.form = _first(watch, again)
        self.inputs: dict[str, ValidationElement[Any]] = {}
        self.touched: set[str] = {"name"} if again else set()
        with widgets.page("New workspace"):
            widgets.heading("New workspace", 1)
            self.content = widgets.box("stack")
        self.show_form()

    def show_form(self) -> None:
        """Draw the fields with the values of the form."""
        self.content.clear()
        self.inputs.clear()
        with self.content:
            self._what()
            self._data()
            self._admin()
            self._access()
            with widgets.box("line"):
                widgets.button("Preview", on_click=self.preview, icon="visibility")
                widgets.flat_button("Cancel", on_click=lambda: ui.navigate.to("/"))
            self.summary = widgets.note("", "bad")
        self._show_problems()

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
            "Dataset buckets",
            "Buckets hold the images and videos. Choose existing ones, name new ones, or both.",
        ):
            is_local = self.form.can(Capability.LOCAL_BUCKETS)
            existing = buckets.local_buckets(self.watch.home) if is_local else []
            if existing:
                with widgets.box("line").props('role=group aria-label="Buckets of this machine"'):
                    for name in existing:
                        ui.checkbox(name, value=name in self.form.buckets, on_change=self._pick(name))
            self._text(
                "new_buckets",
                "New buckets" if existing else "Bucket",
                "One name, or several with spaces between",
            )

    def _admin(self) -> None:
        with widgets.section("Admin", "The admin assigns work to annotators."):
            with widgets.box("grid"):
                self._text("username", "User name", "5 characters or more", "required autocomplete=off")
                self._text("email", "E-mail", "Optional", "autocomplete=off")
            self._text(
                "password", "Password", "Leave empty to have one generated", "autocomplete=new-password"
            )
            self.rules = widgets.box("stack tight").props("aria-live=polite")

    def _access(self) -> None:
        ui.checkbox(
            "Use the annotations that a deleted workspace of this name left",
            value=self.form.reuse_data,
            on_change=lambda event: setattr(self.form, "reuse_data", bool(event.value)),
        )
        if self.form.can(Capability.HOST_NAME):
            self._host_name()
        with widgets.section("Annotators"):
            self._choice("registration", "Registration")
        with ui.expansion("More settings", icon="tune").classes("card"), widgets.box("grid"):
            self._choice("default_role", "Role of new annotators")
            self._choice("size", "Size")
            if not self.form.can(Capability.HOST_PORTS):
                return
            self._text(
                "bind_address",
                "Address",
                "127.0.0.1: only this machine; 0.0.0.0: every machine that reaches this one",
            )
            self._text("port", "Port of the URL", "Empty: a free one", "inputmode=numeric")
            self._text("s3_port", "Port of the buckets", "Empty: a free one", "inputmode=numeric")

    def _host_name(self) -> None:
        with widgets.section("Address"):
            self._text("domain", "Domain", "A host name of yours, whose A record leads to the workspace")
            ui.checkbox(
                "Without a domain: a name under sslip.io, for a trial",
                value=self.form.trial_hostname,
                on_change=lambda event: setattr(self.form, "trial_hostname", bool(event.value)),
            )

    def _text(self, attribute: str, label: str, hint: str, props: str = "") -> None:
        secret = attribute == "password"
        field = ui.input(
            label,
            value=getattr(self.form, attribute),
            password=secret,
            password_toggle_button=secret,
            on_change=lambda event: self._changed(attribute, event.value or ""),
        )
        field.props(f'outlined hide-bottom-space bottom-slots hint="{hint}" name={attribute} {props}')
        field.without_auto_validation()  # it would remove what `_show_problems` shows
        field.on("blur", lambda: self._touch(attribute))
        self.inputs[attribute] = field

    def _choice(self, attribute: str, label: str) -> None:
        field = ui.select(
            CHOICES[attribute],
            label=label,
            value=getattr(self.form, attribute),
            on_change=lambda event: self._changed(attribute, event.value),
        )
        field.props("outlined hide-bottom-space bottom-slots")
        self.inputs[attribute] = field

    def _pick(self, name: str) -> Callable[[Any], None]:
        def picked(event: Any) -> None:
            chosen = [one for one in self.form.buckets if one != name]
            self.form.buckets = [*chosen, name] if event.value else chosen
            self._touch("new_buckets")

        return picked

    def _changed(self, attribute: str, value: str) -> None:
        if attribute == "target":
            self.form.choose_target(value)
            self.show_form()  # each target has its own fields
        else:
            setattr(self.form, attribute, value)
        self._touch(attribute)

    def _touch(self, attribute: str) -> None:
        """Show problems of this field from now on; those of untouched fields are not shown."""
        self.touched.add(attribute)
        self._show_problems()

    def _show_problems(self) -> dict[str, str]:
        found = self.form.problems(self.watch.known or [])
        for key, attribute in FIELDS.items():
            if attribute in self.inputs:
                self.inputs[attribute].error = found.get(key) if attribute in self.touched else None
        others = [f"{key}: {problem}" for key, problem in found.items() if key not in FIELDS]
        self.summary.set_text("\n".join(others))
        self.summary.set_visibility(bool(others))
        self._show_password_rules()
        return found

    def _show_password_rules(self) -> None:
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
        """Preview the creation; a problem is shown in the form."""
        self.touched |= set(self.inputs)
        if problems := self._show_problems():
            first = next((self.inputs[FIELDS[key]] for key in problems if key in FIELDS), None)
            if first:
                first.run_method("focus")
            return
        self.content.clear()
        with self.content:
            widgets.note("Computing the preview …", "move")
        try:
            preview = await asyncio.to_thread(_preview, self.form, self.watch.home)
        except OpsError as error:
            self.show_form()
            self.summary.set_text(str(error))
            self.summary.set_visibility(True)
            return
        self.content.clear()
        with self.content:
            self._show_preview(preview)

    def _show_preview(self, preview: Preview) -> None:
        with widgets.section(f"Preview of {preview.name}"):
            widgets.facts(self._summary())
            for remark in preview.notes:
                widgets.note(remark, "warn")
        counts = [
            f"{number} {ACTION_LABELS[key]}"
            for key, number in preview.counts.items()
            if number and key in ACTION_LABELS
        ]
        with (
            widgets.section("What will be created", ", ".join(counts)),
            ui.expansion("All resources").classes("grow"),
        ):
            rows = [[change.kind, change.part, change.data] for change in preview.changes]
            widgets.table(["Kind", "Part", "Data"], rows)
        with widgets.section("What it costs"):
            widgets.text(preview.cost or FREE)
        with widgets.box("line"):
            widgets.button("Create", on_click=self.create, icon="check")
            widgets.flat_button("Back to the form", on_click=self.show_form)

    def _summary(self) -> dict[str, str]:
        form = self.form
        return {
            "Description": form.description or "none",
            "Runs on": CHOICES["target"][form.target],
            "Buckets": ", ".join(form.all_buckets),
            "Admin": f"{form.username}, password {'as typed' if form.password else 'generated'}",
            "Registration": CHOICES["registration"][form.registration],
        }

    def create(self) -> None:
        """Begin the job that creates the workspace."""
        form = self.form
        secret = f"{form.password}\n" if form.password else ""
        begin(self.watch, "create", form.name, ["--yes", *form.arguments()], secret)


def _preview(form: Form, home: Home) -> Preview:
    return previews.preview(lifecycle.resolve_spec(form.values(), home), home)


def strength(password: str, rules_met: bool) -> str:
    """Describe the strength of a password; ``rules_met``: whether the password policy accepts it."""
    if not rules_met:
        return "not accepted yet"
    return "strong" if len(password) >= 16 else "good" if len(password) >= 12 else "fair: longer is better"


def _first(watch: StatusPoller, again: str) -> Form:
    job = jobs.latest(watch.home, again) if again else None
    return Form.again(job.name, job.arguments) if job and job.verb == "create" else Form()
