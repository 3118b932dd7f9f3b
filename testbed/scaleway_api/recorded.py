"""``python -m testbed.scaleway_api.recorded FOLDER``: what recorded answers look like, as two tables.

``shapes.json`` has the fields of the answers that the program or the provider reads; ``statuses.json`` has
the status codes of every call that the double answers.

``FOLDER`` is a checkout of scaleway/terraform-provider-scaleway: its cassettes
(``internal/services/*/testdata``) hold answers of the real API. Only names of fields and types of values are
noted, never a recording.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import yaml

TABLE = Path(__file__).with_name("shapes.json")
STATUSES = Path(__file__).with_name("statuses.json")
ID = "[0-9a-f-]{36}"
TOO_MANY_CALLS = 429
"""A status code that says nothing of the call."""
SERVICES = ("account", "block", "domain", "iam", "instance", "ipam", "rdb", "secret", "vpc")
LARGEST_FILE = 1_500_000
"""Larger cassettes repeat what smaller ones have, and take minutes to read."""
INSTANCE, RDB = "/instance/v1/zones/ZONE", "/rdb/v1/regions/REGION"
VPC, SECRETS = "/vpc/v2/regions/REGION", "/secret-manager/v1beta1/regions/REGION/secrets"
CALLS = (
    *(f"{verb} {INSTANCE}/servers/ID" for verb in ("GET", "PATCH")),
    f"POST {INSTANCE}/servers",
    f"POST {INSTANCE}/servers/ID/action",
    f"GET {INSTANCE}/servers/ID/user_data",
    f"GET {INSTANCE}/servers/ID/private_nics",
    f"POST {INSTANCE}/servers/ID/private_nics",
    f"GET {INSTANCE}/servers/ID/private_nics/ID",
    f"GET {INSTANCE}/products/servers/availability",
    f"POST {INSTANCE}/ips",
    f"GET {INSTANCE}/ips/ID",
    f"POST {INSTANCE}/security_groups",
    f"GET {INSTANCE}/security_groups/ID",
    f"PUT {INSTANCE}/security_groups/ID/rules",
    "POST /block/v1/zones/ZONE/volumes",
    "GET /block/v1/zones/ZONE/volumes/ID",
    f"POST {VPC}/vpcs",
    f"GET {VPC}/vpcs/ID",
    f"POST {VPC}/private-networks",
    f"GET {VPC}/private-networks/ID",
    "GET /ipam/v1/regions/REGION/ips",
    f"POST {RDB}/instances",
    f"GET {RDB}/instances/ID",
    f"GET {RDB}/instances/ID/users",
    f"POST {RDB}/instances/ID/users",
    f"GET {RDB}/instances/ID/databases",
    f"POST {RDB}/instances/ID/databases",
    f"GET {RDB}/instances/ID/privileges",
    f"PUT {RDB}/instances/ID/privileges",
    f"GET {RDB}/instances/ID/certificate",
    f"POST {RDB}/instances/ID/snapshots",
    f"GET {RDB}/snapshots/ID",
    f"GET {RDB}/database-engines",
    "POST /iam/v1alpha1/applications",
    "GET /iam/v1alpha1/applications/ID",
    "POST /iam/v1alpha1/policies",
    "GET /iam/v1alpha1/policies/ID",
    "GET /iam/v1alpha1/rules",
    "POST /iam/v1alpha1/api-keys",
    "GET /iam/v1alpha1/api-keys/KEY",
    "POST /account/v3/projects",
    "GET /account/v3/projects/ID",
    f"POST {SECRETS}",
    f"GET {SECRETS}/ID",
    f"POST {SECRETS}/ID/versions",
    f"GET {SECRETS}/ID/versions/REVISION/access",
)
"""The calls whose answers the program or the provider reads; DELETE answers are empty."""
PLACES = {
    "ZONE": r"[a-z]{2}-[a-z]{3}-\d",
    "REGION": "[a-z]{2}-[a-z]{3}",
    "ID": ID,
    "KEY": "SCW[A-Z0-9]+",
    "REVISION": r"(?:\d+|latest)",
    "NAME": "[^/]+",
}


def pattern(call: str) -> re.Pattern[str]:
    """A regular expression of the method and the path of a call."""
    words = re.split(f"({'|'.join(PLACES)})(?![a-z])", call)
    return re.compile("".join(PLACES.get(word, re.escape(word)) for word in words))


def shape(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Path and type of every field; items of a list, and of a map by free names, share one path."""
    if isinstance(value, dict):
        yield path, "object"
        free = bool(value) and all(isinstance(one, dict) for one in value.values()) and path in FREE_NAMES
        for name, one in value.items():
            yield from shape(one, f"{path}.{'*' if free else name}")
    elif isinstance(value, list):
        yield path, "list"
        for one in value:
            yield from shape(one, f"{path}[]")
    else:
        kinds = {str: "text", bool: "flag", int: "number", float: "number", type(None): "null"}
        yield path, kinds[type(value)]


FREE_NAMES = (".servers", ".server.volumes")
"""Maps whose keys are names of things, not of fields."""


@dataclass
class Recording:
    """The merged shape of all answers to one call."""

    answers: int = 0
    newest: str = ""
    source: str = ""
    fields: dict[str, set[str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, body: Any, when: str, source: str) -> None:
        """Merge one answer."""
        self.answers += 1
        if when > self.newest:
            self.newest, self.source = when, source
        found = list(shape(body))
        for path, kind in found:
            self.fields.setdefault(path, set()).add(kind)
        self.counts.update({path for path, _ in found})

    def row(self) -> dict[str, Any]:
        """As the table has it: types by path, with ``?`` for a field that some answers leave out."""
        fields = {
            path: "|".join(sorted(kinds)) + ("?" if self.counts[path] < self.answers else "")
            for path, kinds in sorted(self.fields.items())
            if path
        }
        return {"answers": self.answers, "newest": self.newest, "source": self.source, "fields": fields}


@dataclass(frozen=True)
class RecordedAnswer:
    """One recorded answer."""

    call: str
    """Method and path."""
    status: int
    text: str
    when: str
    """Its day."""
    source: str
    """The cassette, below the provider's checkout."""

    @property
    def body(self) -> Any:
        """What the text says as JSON; None for anything else."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None


def shapes(answers: Iterable[RecordedAnswer]) -> dict[str, Any]:
    """The table of shapes, by call: of successes with JSON."""
    patterns = {call: pattern(call) for call in CALLS}
    found = {call: Recording() for call in CALLS}
    for one in answers:
        body = one.body if one.status < 300 else None
        for call in [call for call, known in patterns.items() if body and known.fullmatch(one.call)]:
            found[call].add(body, one.when, one.source)
    return {call: one.row() for call, one in found.items() if one.answers}


def statuses(answers: Iterable[RecordedAnswer], calls: Iterable[str]) -> dict[str, Any]:
    """The table of status codes: by call and code the number of answers, the newest's day and source.

    Of refusals, also what the newest says: its ``type``, and ``resource`` or ``precondition``.
    """
    patterns = {call: pattern(call) for call in calls}
    found: dict[str, dict[str, Any]] = {}
    for one in sorted(answers, key=lambda one: one.when):
        for call in [call for call, known in patterns.items() if known.fullmatch(one.call)]:
            rows = found.setdefault(call, {})
            answered = rows.get(str(one.status), {}).get("answers", 0) + 1
            rows[str(one.status)] = {"answers": answered, "newest": one.when, "source": one.source}
            if one.status >= 400 and isinstance(one.body, dict):
                said = {key: one.body[key] for key in REFUSAL if key in one.body}
                rows[str(one.status)] |= said
    return {call: dict(sorted(rows.items())) for call, rows in sorted(found.items())}


REFUSAL = ("type", "resource", "precondition")


def answers(provider: Path) -> Iterator[RecordedAnswer]:
    """Every recorded answer of the API, apart from those of its limit of calls."""
    for service in SERVICES:
        folder = provider / "internal" / "services" / service / "testdata"
        for file in sorted(folder.glob("*.cassette.yaml")):
            if file.stat().st_size <= LARGEST_FILE:
                yield from _answers(file, file.relative_to(provider).as_posix())


def _answers(file: Path, source: str) -> Iterator[RecordedAnswer]:
    for one in yaml.load(file.read_text(), Loader=yaml.CSafeLoader)["interactions"]:
        request, response = one["request"], one["response"]
        path = re.sub(r"^https://api\.scaleway\.com|\?.*$", "", request["url"])
        dates = response["headers"].get("Date") or []
        if dates and response["code"] != TOO_MANY_CALLS:
            when = parsedate_to_datetime(dates[0]).date().isoformat()
            yield RecordedAnswer(
                f"{request['method']} {path}", response["code"], response["body"], when, source
            )


def main(provider: Path) -> None:
    """Write the tables."""
    from testbed.scaleway_api.sources import calls  # noqa: PLC0415 - it reads the tables

    found = list(answers(provider))
    TABLE.write_text(json.dumps(shapes(found), indent=1) + "\n")
    STATUSES.write_text(json.dumps(statuses(found, calls()), indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
