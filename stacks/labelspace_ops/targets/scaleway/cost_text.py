"""The cost of a workspace on Scaleway as one sentence; ``labelspace.targets.scaleway.prices`` computes it."""

from __future__ import annotations

from labelspace.spec import ScalewaySpec, SpecError
from labelspace.targets.scaleway.prices import monthly_cost, total
from labelspace_ops.core.errors import UsageError


def cost_text(spec: ScalewaySpec) -> str:
    """Return the monthly cost in EUR, in total and by part; raises ``UsageError`` for an unknown type."""
    try:
        running, stopped = total(spec)
    except SpecError as error:
        raise UsageError(str(error)) from None
    parts = ", ".join(f"{part.name} {part.running:.2f}" for part in monthly_cost(spec))
    return f"about {running:.2f} EUR a month, {stopped:.2f} while stopped ({parts}; objects on top)"
