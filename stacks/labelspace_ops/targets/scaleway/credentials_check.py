"""Sources of Scaleway's keys; the environment overrides a stack's own keys, which users miss."""

from __future__ import annotations

from collections.abc import Mapping

from labelspace.home import Home
from labelspace.targets.scaleway import credentials
from labelspace_ops.core.checks import Check
from labelspace_ops.core.errors import OpsError
from labelspace_ops.stack import automation as stack
from labelspace_ops.stack import project, state
from labelspace_ops.targets.scaleway import account
from labelspace_ops.targets.scaleway.checks import check

PRECEDENCE = (
    "Scaleway's provider uses the environment before the stack's configuration, and that before a profile:"
    " unset the values that you do not mean"
)


def stack_credentials(home: Home) -> dict[str, dict[str, str]]:
    """Return the provider settings of the stacks that have their own, by stack."""
    found = {}
    for name in state.names(home):
        file = project.find(home).settings_file(name)
        if file.exists() and " scaleway:" in file.read_text():  # decrypting each would take a second
            found[name] = stack.provider_settings(stack.select(name, home), "scaleway")
    return found


def examine(configs: Mapping[str, Mapping[str, str]]) -> tuple[account.Account | None, list[Check]]:
    """Return the account of this machine, else of the first stack with its own keys, and the checks."""
    all_configs = {"": {}, **configs}
    first: OpsError | None = None
    for name, config in all_configs.items():
        try:
            cloud = account.find(config)
        except OpsError as error:
            first = first or error
            continue
        known = credentials.lookup_all(config)
        sources = ", ".join(f"{field} from {known[field][0].source}" for field in account.FORMS)
        of_stack = f" (stack {name})" if name else ""
        return cloud, [check("account", sources + of_stack, ok=True), *_conflicts(all_configs)]
    return None, [check("account", str(first), ok=False)]


def _conflicts(all_configs: Mapping[str, Mapping[str, str]]) -> list[Check]:
    """Return a check for overridden values, and one for each pair of keys from different sources."""
    hidden: dict[str, bool] = {}
    for config in all_configs.values():
        for field, known in credentials.lookup_all(config).items():
            hidden |= {
                f"{known[0].source} hides {other.source} ({_display(field, known[0])} is used,"
                f" not {_display(field, other)})": "of the stack" in other.source
                for other in known[1:]
                if other.value != known[0].value and known[0].value
            }
    checks = [check("halves", half, ok=False) for half in _mixed_pairs(all_configs)]
    if hidden:
        checks.append(check("precedence", f"{'; '.join(hidden)}. {PRECEDENCE}", ok=not any(hidden.values())))
    return checks


def _mixed_pairs(all_configs: Mapping[str, Mapping[str, str]]) -> list[str]:
    found = []
    for config in all_configs.values():
        known = credentials.lookup_all(config)
        one, other = known["access_key"][:1], known["secret_key"][:1]
        if one and other and _origin(one[0].source) != _origin(other[0].source):
            found.append(
                f"access key from {one[0].source}, secret key from {other[0].source}: they may be halves of"
                " two keys: give both in one place"
            )
    return list(dict.fromkeys(found))


def _origin(source: str) -> str:
    return "environment" if source.startswith("SCW_") else source.partition(" ")[2]


def _display(field: str, found: credentials.Credential) -> str:
    return "a secret key" if field == "secret_key" else found.value
