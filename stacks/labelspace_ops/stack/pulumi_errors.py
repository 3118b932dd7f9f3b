"""Pulumi's error reports as sentences with a next step."""

from __future__ import annotations

import re

from labelspace_ops.core.errors import OpsError

ERROR_COUNT = r"(.*: )?\d+ errors? occurred:"
"""The line above the list of a provider's errors."""
PROGRAM_ERROR = "Exception calling application: "
"""Pulumi's prefix of an error that the Pulumi program raised."""
KEYS = "set LABELSPACE_HOME to the home that made it, or `labelspace keys import KIT` in a new home"
PASSPHRASE = {
    r"secrets manager for new stack: incorrect passphrase": (
        "another home or a deleted workspace left this workspace's settings (stacks/Pulumi.NAME.yaml), and"
        f" the passphrase of this home does not open them: move that file away, or {KEYS}"
    ),
    r"incorrect passphrase": (
        f"the passphrase of this home does not open the settings and the state of the workspace: {KEYS}"
    ),
    r"passphrase must be set|unable to find either `PULUMI_CONFIG_PASSPHRASE`": (
        "this home has no passphrase (keys/passphrase), which opens the settings and the state of its"
        " workspaces: `labelspace keys import KIT`"
    ),
}
"""As ``KNOWN``, for errors about the passphrase."""
KNOWN = {
    **PASSPHRASE,
    r"invalid YAML file: (?:yaml: )?(.+)": (
        r"the settings of the workspace (stacks/Pulumi.NAME.yaml) are no valid YAML (\1): mend the file"
    ),
    r"panic: (.+)": r"Pulumi's program crashed (\1): run the same command again",
}
"""Pulumi's errors without a next step -> the sentence that is shown instead."""
PROVIDER_SOURCE = r"^\S+\.go:\d+: ([\w.]+_schema: )?|: provider=\w+@[\w.+-]+$"
"""What bridged providers write around an error: file, line, and their own version."""


class PassphraseError(OpsError):
    """This home has no passphrase, or not the one that encrypted settings and state."""


def error_of(report: str) -> OpsError:
    """The error that an error report of Pulumi stands for; ``PassphraseError`` where it is about that."""
    kind = PassphraseError if any(re.search(sign, report) for sign in PASSPHRASE) else OpsError
    return kind(error_reason(report))


def error_reason(report: str) -> str:
    """The lines of Pulumi's error report that give the reason; its last line when there are none."""
    lines = [
        line.strip() for line in report.splitlines() if "error:" in line or line.strip().startswith("* ")
    ]
    reasons = [_without_source(line.split("error:", 1)[-1].strip(" *")) for line in lines]
    useful = [line for line in dict.fromkeys(reasons) if line and not _is_heading(line)]
    return _known(report) or "\n".join(useful) or _last_line(report)


def _known(report: str) -> str:
    """The sentence for an error whose own text names no next step; empty for others."""
    found = ((text, re.search(pattern, report)) for pattern, text in KNOWN.items())
    return next((match.expand(text) for text, match in found if match), "")


def _last_line(report: str) -> str:
    """The last line of a report without reasons: what stands above is Pulumi's own code."""
    lines = [line.strip() for line in report.splitlines() if line.strip()]
    return lines[-1] if lines else "Pulumi ended without a reason: run the same command again"


def _without_source(reason: str) -> str:
    """Leave out where in the code of a provider or program the error was raised."""
    return re.sub(PROVIDER_SOURCE, "", reason.removeprefix(PROGRAM_ERROR))


def _is_heading(line: str) -> bool:
    """Whether the line only introduces the list of a provider's errors."""
    return "unhandled error" in line or line == "update failed" or bool(re.fullmatch(ERROR_COUNT, line))
