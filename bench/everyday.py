"""What is waited for every day: help, a preview without changes; and how many resources there are."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from statistics import median
from typing import Any

from bench.rows import Bound, Row
from bench.workspace import LABELSPACE, Bench, pulumi, seconds

HELP, RESOURCES = Bound(0.5), Bound(30)
FRAMES = ("pulumi:", "labelspace:")
"""The stack, its providers and the components: names in the state, nothing that exists."""
REGISTRATION = """
import json, sys, time
import pulumi
from pulumi.runtime import set_mocks, test

class Mocks(pulumi.runtime.Mocks):
    made = 0
    def new_resource(self, args):
        Mocks.made += args.custom
        return f"{args.name}-id", {"exitCode": 0, "result": "x" * 40, **args.inputs}
    def call(self, args):
        return {}

set_mocks(Mocks(), preview=True)
import pulumi_docker
from labelspace.spec import parse_spec
from labelspace.workspace import declare

def plain(count):
    for number in range(count):
        pulumi_docker.Container(f"c{number}", image="redis", name=f"c{number}")

@test
def timed(what, *args):
    what(*args)

began = time.monotonic()
settings = {"name": "bench", "buckets": [{"name": "bench-bucket"}], "port": 8080, "s3_port": 8081}
timed(declare, parse_spec(settings))
own, count = time.monotonic() - began, Mocks.made
began = time.monotonic()
timed(plain, count)
print(json.dumps([own / count * 1000, (time.monotonic() - began) / count * 1000]))
"""
"""In a process of its own, with Pulumi's mocks: the program's part of an update, without the engine's."""


def measure(bench: Bench) -> list[Row]:
    """Seconds, milliseconds, and things."""
    name = bench.workspace.name
    helps = [_help() for _ in range(max(5, bench.pairs))]
    previews, peers = [], []
    for _ in range(bench.pairs):
        previews.append(seconds("preview", name, "--json"))
        peers.append(_plain_preview(name))
    own, bare = json.loads(_python(REGISTRATION).splitlines()[-1])
    state = json.loads(pulumi("stack", "export", "--stack", name))["deployment"]["resources"]
    made = [one for one in state if not one["type"].startswith(FRAMES)]
    counted = "resources of a workspace with one bucket (all in the state but stack, providers, components)"
    return [
        Row("labelspace --help", median(helps), "s", bound=HELP, runs=helps),
        Row("preview without changes", median(previews), "s", "pulumi preview", median(peers), runs=previews),
        Row(counted, len(made), "", bound=RESOURCES),
        Row("the same with stack, providers, components", len(state), ""),
        Row("registration, per resource", own, "ms", "as many plain docker.Container", bare),
    ]


def _help() -> float:
    began = time.monotonic()
    subprocess.run([LABELSPACE, "--help"], check=True, capture_output=True)
    return time.monotonic() - began


def _plain_preview(name: str) -> float:
    began = time.monotonic()
    pulumi("preview", "--stack", name, "--expect-no-changes")
    return time.monotonic() - began


def _python(code: str, *arguments: Any) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout
