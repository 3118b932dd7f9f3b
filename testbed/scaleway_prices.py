"""``python -m testbed.scaleway_prices [--write]``: the table of servers' prices against the account's API.

The list of server types has each one's price by the hour (recorded on 2026-06-23). Prices of databases,
volumes and addresses are in no answer that was recorded: compare those by hand with Scaleway's price pages.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from labelspace.targets.scaleway import prices
from labelspace_ops.core.errors import OpsError
from labelspace_ops.targets.scaleway import account as accounts
from labelspace_ops.targets.scaleway.answers import Answer

ZONE = "fr-par-1"
HOURS_OF_A_MONTH = 730
TABLE = Path(prices.__file__)


class Type(Answer):
    """A type of server; ``hourly_price`` in EUR without taxes."""

    hourly_price: float


def changes(account: accounts.Account) -> dict[str, tuple[float, float | None]]:
    """Return each type whose price differs: EUR a month in the table, and now (None: not offered)."""
    offered = account.map_all(f"/instance/v1/zones/{ZONE}/products/servers", "servers", Type)
    now = {name: round(one.hourly_price * HOURS_OF_A_MONTH, 2) for name, one in offered.items()}
    return {name: (old, now.get(name)) for name, old in prices.SERVERS.items() if now.get(name) != old}


def rewritten(text: str, changed: dict[str, tuple[float, float | None]]) -> str:
    """Return the table's source with the new prices; a type that is not offered any more keeps its price."""
    for name, (_, new) in changed.items():
        if new is not None:
            text = re.sub(rf'("{re.escape(name)}": )[0-9.]+', rf"\g<1>{new:.2f}", text, count=1)
    return text


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what changed; return 1 when something did and was not written."""
    parser = argparse.ArgumentParser(prog="scaleway-prices", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the new prices of servers into the table")
    options = parser.parse_args(arguments)
    try:
        changed = changes(accounts.find())
    except OpsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for name, (old, new) in changed.items():
        print(f"{name}: {old:.2f} -> {'not offered' if new is None else f'{new:.2f}'} EUR a month")
    print(
        f"{len(changed)} of {len(prices.SERVERS)} prices of servers differ from the table of {prices.AS_OF}"
    )
    if options.write and changed:
        TABLE.write_text(rewritten(TABLE.read_text(), changed))
        print(f"written: {TABLE}; compare databases, volumes and addresses by hand, then set AS_OF")
        return 0
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
