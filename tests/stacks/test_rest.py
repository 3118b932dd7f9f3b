"""A workspace at rest: stopped and run again."""

from __future__ import annotations

from typing import Any

import httpx
from tests.lab import Lab, admin_of, containers


def test_a_stopped_workspace_keeps_url_data_and_sessions(lab: Lab, street: Any) -> None:
    name = street["name"]
    admin = admin_of(street)
    assert admin.post("/api/projects", {"name": "outlives a stop"}).status_code == 201

    assert lab.json("stop", name)["backed_up"]
    assert {part for part in containers(name) if not part.startswith("bucket-")} == set()
    done = lab.run("status", name)
    assert done.returncode == 1
    assert "(stopped)" in done.stdout
    assert f"labelspace start {name}" in done.stderr
    assert {row["name"]: row["status"] for row in lab.json("list")}[name] == "stopped"
    assert "unchanged" in lab.pulumi("preview", "--stack", name, "--expect-no-changes")
    assert "unchanged" in lab.pulumi("refresh", "--stack", name, "--yes", "--expect-no-changes")

    lab.pulumi("config", "set", "--stack", name, "labelspace:running", "true")
    lab.pulumi("up", "--stack", name, "--yes", "--skip-preview")
    measured = lab.until_ready(name)
    assert measured["url"] == street["url"]
    assert measured["backup"]["copies"] > street["backup"]["copies"]
    assert "outlives a stop" in [row["name"] for row in admin.get("/api/projects").json()["results"]]
    assert httpx.get(f"{street['api_url']}/api/users/self").status_code == 401
