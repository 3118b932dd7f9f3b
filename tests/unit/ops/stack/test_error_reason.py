"""What is shown of Pulumi's report when an update fails."""

from __future__ import annotations

import pytest

from labelspace_ops.stack.pulumi_errors import error_reason

OF_A_PROVIDER = """\
    scaleway:instance:Server pets-server creating (1s) error:   sdk-v2/provider2.go:572: sold out
    scaleway:instance:Server pets-server **creating failed** error: 1 error occurred:
    \t* creating urn:pulumi:pets::server: 1 error occurred:
    \t* scaleway-sdk-go: resource PLAY2-MICRO is out of stock
error: update failed
"""


def test_the_errors_that_a_provider_lists_are_shown() -> None:
    """They stand below their number, which says nothing."""
    said = error_reason(OF_A_PROVIDER)
    assert "scaleway-sdk-go: resource PLAY2-MICRO is out of stock" in said.splitlines()
    assert "1 error occurred" not in said


def test_the_code_of_a_provider_is_left_out() -> None:
    reason = "timeout while waiting for state to become 'removed' (last state: 'pending', timeout: 30s)"
    report = (
        f"error: sdk-v2/provider2.go:572: sdk.helper_schema: {reason}: provider=docker@5.2.0\n* {reason}\n"
    )
    assert error_reason(report) == reason


@pytest.mark.parametrize("text", ["error: no such stack", "something else"])
def test_one_line_is_shown_as_it_is(text: str) -> None:
    assert error_reason(text) == text.removeprefix("error: ")
