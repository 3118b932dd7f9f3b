"""Passwords that a workspace makes for itself: secret in Pulumi's state, the same at every update."""

from __future__ import annotations

import pulumi
import pulumi_random as random


def generated(parent: pulumi.Resource, workspace: str, what: str, length: int = 40) -> pulumi.Output[str]:
    """Letters and digits alone: safe in every file that it goes into."""
    made = random.RandomPassword(
        f"{workspace}-{what}", length=length, special=False, opts=pulumi.ResourceOptions(parent=parent)
    )
    return made.result
