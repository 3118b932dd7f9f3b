"""Stops the containers of a server in order before an update replaces it: deleting a server cuts its power.

Pulumi's own hooks on the deletion of a resource would make plain `pulumi destroy` fail without
``--run-program``. So a stash holds a digest of what replaces the server. The server depends on it, and its
update, which comes first, stops the containers.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable

import pulumi

from labelspace.home import Home

STOP_CONTAINERS = "docker compose --file /etc/labelspace/compose.yaml stop && sync"
"""Each container has 30 s (``stop_grace_period``); ``sync`` writes the data volume."""
TIMEOUT_SECONDS = 300
SSH_OPTIONS = ("BatchMode=yes", "ConnectTimeout=15", "LogLevel=ERROR", "StrictHostKeyChecking=no")
"""The host key is not checked: the address outlives servers, and neither a secret nor an answer is used."""
UNORDERED = "its containers are not stopped before the server is replaced, PostgreSQL replays its log"


def before_replacement(
    name: str,
    workspace: str,
    *,
    replaces: pulumi.Output[str],
    address: pulumi.Output[str],
    over_ssh: bool,
    opts: pulumi.ResourceOptions,
) -> pulumi.Resource:
    """Return a resource on which the server depends; ``replaces``: the text whose change replaces the server.

    ``over_ssh``: whether the server allows SSH from this machine.
    """
    known = pulumi.Output.all(replaces, address).apply(lambda values: [_digest(values[0]), values[1]])
    hook = _stop(workspace) if over_ssh else _report(workspace)
    hooks = pulumi.ResourceHookBinding(before_update=[hook])
    # the digest of a secret is none
    return pulumi.Stash(
        name,
        input=pulumi.Output.unsecret(known),
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(hooks=hooks)),
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _stop(workspace: str) -> Callable[[pulumi.ResourceHookArgs], None]:
    """Return the hook that stops the containers of the server at the stash's address."""

    def stop(args: pulumi.ResourceHookArgs) -> None:
        old = dict(args.old_inputs or {})["input"]
        problem = stop_containers(workspace, str(old[1]))
        if problem:
            pulumi.log.warn(f"{workspace}: {UNORDERED} ({problem})")

    return stop


def _report(workspace: str) -> Callable[[pulumi.ResourceHookArgs], None]:
    def report(_: pulumi.ResourceHookArgs) -> None:
        pulumi.log.info(f"{workspace}: {UNORDERED} (scaleway.ssh_cidrs is empty)")

    return report


def stop_containers(workspace: str, address: str) -> str:
    """Stop the containers of the server at an address; return the problem, empty when they stopped."""
    private = Home.find().server_key(workspace)
    options = [f"-o{option}" for option in (*SSH_OPTIONS, "UserKnownHostsFile=/dev/null")]
    key = ["-i", str(private)] if private.exists() else []
    command = ["ssh", "-n", *options, *key, f"root@{address}", STOP_CONTAINERS]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    last_line = done.stderr.strip().rpartition("\n")[2]
    return (last_line or f"exit code {done.returncode}") if done.returncode else ""
