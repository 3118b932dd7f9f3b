"""What was typed, as refusals by field and as flags."""

from __future__ import annotations

import pytest

from labelspace_ops.console.forms import Form

GOOD = Form(name="street", new_buckets="photos, clips", email="ann@example.org", password="a-Long-phrase-26")
REFUSED = {
    "name": ("name", "Bad Name", "lowercase letters"),
    "description": ("description", "x" * 501, "at most 500"),
    "buckets": ("new_buckets", "UPPER", "lowercase letters"),
    "admin.username": ("username", "ann", "5 to 150"),
    "admin.email": ("email", "nobody", "ann@example.org"),
    "admin.password": ("password", "short1", "too short"),
    "bind_address": ("bind_address", "nowhere", "IP address"),
    "port": ("port", "80", "1024"),
}


def test_a_good_form_has_no_problems() -> None:
    assert GOOD.problems([]) == {}


@pytest.mark.parametrize("key", REFUSED)
def test_a_refusal_is_reported_at_its_field(key: str) -> None:
    attribute, value, words = REFUSED[key]
    found = Form(**{**vars(GOOD), attribute: value}).problems([])
    assert list(found) == [key]
    assert words in found[key]


def test_all_refusals_are_reported_at_once() -> None:
    typed = {attribute: value for attribute, value, _ in REFUSED.values()}
    assert set(Form(**{**vars(GOOD), **typed}).problems([])) == set(REFUSED)


def test_words_for_the_command_line_stay_there() -> None:
    found = Form(name="street").problems([])
    assert found == {"buckets": "name at least one dataset bucket"}


def test_a_taken_name() -> None:
    assert GOOD.problems(["street"]) == {"name": "'street' is taken: choose another name"}


def test_the_flags_hold_no_password_and_give_the_form_back() -> None:
    flags = Form(**{**vars(GOOD), "reuse_data": True}).arguments()
    assert "--password-stdin" in flags
    assert GOOD.password not in " ".join(flags)
    again = Form.again("street", flags)
    assert again == Form(**{**vars(GOOD), "new_buckets": "photos clips", "password": "", "reuse_data": True})


def test_registration_follows_the_target_until_it_is_chosen() -> None:
    form = Form(name="street")
    assert form.registration == "open"
    form.choose_target("scaleway")
    assert "--registration=closed" in form.arguments()
    form.registration = "open"
    assert "--registration=open" in form.arguments()


def test_a_public_target_gets_a_domain_or_a_trial_name() -> None:
    form = Form(name="street", new_buckets="photos")
    form.domain = "labels.example.org"
    assert not [flag for flag in form.arguments() if flag.startswith("--set")]
    form.choose_target("scaleway")
    assert "--set=scaleway.domain=labels.example.org" in form.arguments()
    assert form.values()["scaleway"] == {"domain": "labels.example.org"}
    form.domain, form.trial_hostname = "", True
    assert "--set=scaleway.trial_hostname=true" in form.arguments()
    again = Form.again("street", form.arguments())
    assert (again.domain, again.trial_hostname) == ("", True)
