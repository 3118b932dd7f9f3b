"""A stand-in for Pulumi's random plugin: ``RandomPassword`` alone, made once and kept in the state.

Runs where the official plugin cannot be downloaded; called a stand-in everywhere.
"""

from __future__ import annotations

import secrets
import string
import sys

from pulumi.provider.experimental import provider as api
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.server import main

VERSION = "4.21.4"
SPECIAL = "!@#$%&*()-_=+[]{}<>:?"
CLASSES = {
    "lower": string.ascii_lowercase,
    "upper": string.ascii_uppercase,
    "numeric": string.digits,
    "special": SPECIAL,
}


def _alphabet(inputs: dict[str, PropertyValue]) -> list[str]:
    wanted = [chars for name, chars in CLASSES.items() if name not in inputs or inputs[name].value]
    special = inputs.get("overrideSpecial")
    return [str(special.value) if special and chars is SPECIAL else chars for chars in wanted]


def _password(inputs: dict[str, PropertyValue]) -> str:
    """One character of each class at least, the rest from all, in random order."""
    classes = _alphabet(inputs)
    chars = [secrets.choice(one) for one in classes]
    chars += [secrets.choice("".join(classes)) for _ in range(int(inputs["length"].value) - len(chars))]
    secrets.SystemRandom().shuffle(chars)
    return "".join(chars)


class Random(api.Provider):
    """``random:index/randomPassword:RandomPassword`` alone."""

    async def configure(self, request: api.ConfigureRequest) -> api.ConfigureResponse:
        return api.ConfigureResponse(
            accept_secrets=True, supports_preview=False, accept_resources=True, accept_outputs=True
        )

    async def check(self, request: api.CheckRequest) -> api.CheckResponse:
        return api.CheckResponse(inputs=request.new_inputs)

    async def diff(self, request: api.DiffRequest) -> api.DiffResponse:
        old, new = request.old_state, request.new_inputs
        changed = [key for key in {*old, *new} - {"result"} if old.get(key) != new.get(key)]
        return api.DiffResponse(changes=bool(changed), replaces=changed, delete_before_replace=False)

    async def create(self, request: api.CreateRequest) -> api.CreateResponse:
        made = PropertyValue(_password(dict(request.properties)), is_secret=True)
        return api.CreateResponse(resource_id="none", properties={**request.properties, "result": made})

    async def read(self, request: api.ReadRequest) -> api.ReadResponse:
        return api.ReadResponse(
            resource_id=request.resource_id, inputs=request.inputs, properties=request.properties
        )

    async def delete(self, request: api.DeleteRequest) -> None:
        return None


if __name__ == "__main__":
    main(sys.argv[1:], VERSION, Random())
