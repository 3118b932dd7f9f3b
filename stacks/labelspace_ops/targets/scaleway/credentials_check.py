"""Where Scaleway's keys come from, and the trap in it: the environment hides what a stack's file says."""

from __future__ import annotations

from collections.abc import Mapping

from labelspace.home import Home
from labelspace.targets.scaleway import credentials
from labelspace_ops.core.checks import Check
from labelspace_ops.core.errors import OpsError
from labelspace_ops.stack import automation as stack
from labelspace_ops.stack import state
from labelspace_ops.stack.project import PROJECT
from labelspace_ops.targets.scaleway import account
from labelspace_ops.targets.scaleway.checks import check

TRAP = (
    "Scaleway's provider lets the environment win over the stack's configuration, and that over a profile:"
    " unset what you do not mean"
)


def stack_credentials(home: Home) -> dict[str, dict[str, str]]:
    """What stacks of this machine say to the provider themselves, by stack."""
    found = {}
    for name in state.names(home):
        file = PROJECT / "stacks" / f"Pulumi.{name}.yaml"
        if file.exists() and " scaleway:" in file.read_text():  # to decrypt each would take a second
            found[name] = stack.provider_settings(stack.select(name, home), "scaleway")
    return found


def examine(configs: Mapping[str, Mapping[str, str]]) -> tuple[account.Account | None, list[Check]]:
    """The account that counts here, else that of the first stack with keys of its own; and what is wrong."""
    everyone = {"": {}, **configs}
    first: OpsError | None = None
    for name, config in everyone.items():
        try:
            mine = account.find(config)
        except OpsError as error:
            first = first or error
            continue
        known = credentials.lookup_all(config)
        said = ", ".join(f"{field} from {known[field][0].source}" for field in account.FORMS)
        of_stack = f" (stack {name})" if name else ""
        return mine, [check("account", said + of_stack, ok=True), *_disagreements(everyone)]
    return None, [check("account", str(first), ok=False)]


def _disagreements(everyone: Mapping[str, Mapping[str, str]]) -> list[Check]:
    """One check for all that hides something, and one for halves of two keys."""
    hidden: dict[str, bool] = {}
    for config in everyone.values():
        for field, known in credentials.lookup_all(config).items():
            hidden |= {
                f"{known[0].source} hides {other.source} ({_shown(field, known[0])} is used,"
                f" not {_shown(field, other)})": "of the stack" in other.source
                for other in known[1:]
                if other.value != known[0].value and known[0].value
            }
    checks = [check("halves", half, ok=False) for half in _halves(everyone)]
    if hidden:
        checks.append(check("precedence", f"{'; '.join(hidden)}. {TRAP}", ok=not any(hidden.values())))
    return checks


def _halves(everyone: Mapping[str, Mapping[str, str]]) -> list[str]:
    found = []
    for config in everyone.values():
        known = credentials.lookup_all(config)
        one, other = known["access_key"][:1], known["secret_key"][:1]
        if one and other and _place(one[0].source) != _place(other[0].source):
            found.append(
                f"access key from {one[0].source}, secret key from {other[0].source}: they may be halves of"
                " two keys: give both in one place"
            )
    return list(dict.fromkeys(found))


def _place(source: str) -> str:
    return "environment" if source.startswith("SCW_") else source.partition(" ")[2]


def _shown(field: str, found: credentials.Credential) -> str:
    return "a secret key" if field == "secret_key" else found.value
