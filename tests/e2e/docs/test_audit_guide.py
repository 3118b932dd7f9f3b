"""Every command of docs/audit.md runs, and the reports say what the guide says they say."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

from tests.e2e.lab import BIN

ROOT = Path(__file__).resolve().parents[3]


def test_the_guides_commands_find_what_it_says(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    commands = re.findall(r"```sh\n(.*?)```", guide, re.DOTALL)
    assert len(commands) == 4
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    for command in commands:
        subprocess.run(["bash", "-ec", command], cwd=tmp_path, env=env, check=True, capture_output=True)
    animals = json.loads((tmp_path / "animals" / "audit.json").read_text())
    said = re.findall(r'says "(9.*?)"', guide)
    assert said == [animals["associations"][0]["sentence"]]
    assert animals["balanced_set"]["limited_by"][0]["place"] == "outdoor"
    scrubs = json.loads((tmp_path / "scrubs" / "audit.json").read_text())
    women = {"by": {"gender": "woman"}, "class": "doctor"}
    rate = next(row for row in scrubs["error_rates"] if {key: row[key] for key in women} == women)
    assert 0.17 < rate["error_rate"] < 0.25
