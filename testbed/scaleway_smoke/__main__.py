"""``python -m testbed.scaleway_smoke``: the target scaleway on an account of yours, for about a EUR.

It makes a project of its own at Scaleway, works in it alone, and removes it with everything in it at the end,
also after a failure. ``--clean-up`` does only that, for a run that was killed.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import platform
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from labelspace.home import Home
from labelspace.targets.scaleway import credentials
from labelspace.targets.scaleway.prices import AS_OF
from labelspace_ops.core.errors import OpsError
from labelspace_ops.targets.scaleway import account as accounts
from labelspace_ops.targets.scaleway.answers import Named
from testbed.scaleway_smoke.cleanup import remove_all
from testbed.scaleway_smoke.steps import STEPS, Step
from testbed.scaleway_smoke.trial import Names, Trial, cost_per_hour

NOT_RUN = "left out: no server answers behind a double of the API"
VERSIONS = ("labelspace", "pulumi", "pulumiverse-scaleway")


@dataclass(frozen=True)
class Result:
    """What a step gave; ``ok`` is None for one that was left out."""

    name: str
    ok: bool | None
    seconds: float
    detail: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all steps, clean up, write the report; return 0 when every step passed and nothing is left."""
    options = _parser().parse_args(arguments)
    home = Home(Home.find().root / "scaleway-smoke")
    file = home.root / "run.json"
    try:
        _ask_for_keys()
        account = accounts.find()
        if options.clean_up:
            return _finish(account, Names.load(file), file, [], options)
        if file.exists():
            raise OpsError(f"{file}: an earlier run was not cleaned up: run it with --clean-up first")
        if not _agreed(options):
            return 2
        names = _new_project(account, file)
    except OpsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    trial = Trial(
        replace(account, project=names.project), names, home, options.ssh_cidr, not options.without_servers,
        time.monotonic() + options.hours * 3600,
    )  # fmt: skip
    results = list[Result]()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))
    try:
        _prepare(home)
        _run(trial, results)
    except (KeyboardInterrupt, SystemExit) as error:
        results.append(Result("interrupted", ok=False, seconds=0, detail=str(error) or "Ctrl-C"))
    return _finish(account, names, file, results, options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scaleway-smoke", description=__doc__)
    parser.add_argument("--ssh-cidr", default="", help="this machine's public address, as 203.0.113.7/32")
    parser.add_argument("--hours", type=float, default=3.0, help="no step starts later than this (3)")
    parser.add_argument(
        "--report", type=Path, default=Path("scaleway-smoke.json"), help="the report, as JSON"
    )
    parser.add_argument("--patience", type=float, default=900, help="seconds to remove everything in (900)")
    parser.add_argument("--clean-up", action="store_true", help="only remove what a killed run left")
    parser.add_argument(
        "--without-servers", action="store_true", help="for a double of the API: no server answers"
    )
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask before anything is made")
    return parser


def _ask_for_keys() -> None:
    """Ask for what neither environment nor profile has; nothing that is typed is stored."""
    known = credentials.lookup_all({})
    for field in accounts.FORMS:
        variable = credentials.FIELDS[field].variable
        if not known[field] and sys.stdin.isatty():
            os.environ[variable] = (getpass.getpass if "SECRET" in variable else input)(f"{variable}: ")


def _agreed(options: argparse.Namespace) -> bool:
    hourly, hours = cost_per_hour(), options.hours
    print(
        f"two workspaces cost {hourly:.2f} EUR an hour together (prices of {AS_OF}, without taxes); a run"
        f" takes one to two hours and starts no step after {hours:g}: at most {hourly * (hours + 1):.2f} EUR,"
        " and a few cents for addresses and objects. It makes a project of its own and removes it at the end."
    )
    if not options.without_servers and not options.ssh_cidr:
        options.ssh_cidr = input("this machine's public address, as 203.0.113.7/32: ").strip()
    return options.yes or input("go on? [y/N] ").strip().lower() in ("y", "yes")


def _new_project(account: accounts.Account, file: Path) -> Names:
    """Make the run's project, and store the names by which ``--clean-up`` finds everything."""
    names = Names(secrets.token_hex(3))
    body = {"name": names.project_name, "organization_id": account.organization,
            "description": "a smoke run of labelspace; it may be removed"}  # fmt: skip
    made = replace(names, project=account.post("/account/v3/projects", body, Named).id)
    made.save(file)
    return made


def _prepare(home: Home) -> None:
    """The run's own state and settings, with the tools that this machine has."""
    if not home.tools.exists():
        home.tools.symlink_to(Home.find().tools)


def _run(trial: Trial, results: list[Result]) -> None:
    """Run the steps until one fails."""
    for step in STEPS:
        if step.needs_server and not trial.has_servers:
            results.append(Result(step.name, ok=None, seconds=0, detail=NOT_RUN))
            continue
        results.append(_step(trial, step))
        if not results[-1].ok:
            return


def _step(trial: Trial, step: Step) -> Result:
    print(f"  {step.name}", flush=True)
    began = time.monotonic()
    try:
        if began >= trial.deadline:
            raise OpsError("the run's time is over")
        ok, detail = True, step.run(trial)
    except (OpsError, LookupError, ValueError) as error:
        ok, detail = False, str(error) or repr(error)
    seconds = round(time.monotonic() - began, 1)
    print(f"    {'ok' if ok else 'FAILED'} after {seconds} s: {detail}", flush=True)
    return Result(step.name, ok, seconds, detail)


def _finish(
    account: accounts.Account, names: Names, file: Path, results: list[Result], options: argparse.Namespace
) -> int:
    """Remove everything, write the report; keep the run's names when something is left."""
    print("  removes everything", flush=True)
    removed, left = remove_all(account, names, options.patience)
    found = _report(account, names, results, removed, left)
    options.report.write_text(json.dumps(found, indent=2) + "\n")
    for one in left:
        print(f"    LEFT, and perhaps billed: {one}")
    if not left:
        shutil.rmtree(file.parent, ignore_errors=True)
    print(f"{'passed' if found['ok'] else 'FAILED'}; {len(removed)} removed, {len(left)} left")
    print(f"report: {options.report}")
    return 0 if found["ok"] else 1


def _report(
    account: accounts.Account, names: Names, results: list[Result], removed: list[str], left: list[str]
) -> dict[str, object]:
    return {
        "ok": all(one.ok is not False for one in results) and not left,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in VERSIONS}},
        "api": account.api,
        "project": names.project,
        "steps": [asdict(one) for one in results],
        "removed": removed,
        "left": left,
    }


if __name__ == "__main__":
    sys.exit(main())
