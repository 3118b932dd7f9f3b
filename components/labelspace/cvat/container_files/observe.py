"""What a server over a copy of a database shows: its health, a login, and one task's labels and annotations.

Runs in CVAT's own image while an upgrade is rehearsed. ``observe.py account`` makes the account that later
calls log in with. ``observe.py look [TASK]`` prints one line of JSON; without a task it chooses one.
"""

import contextlib
import hashlib
import io
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from http.cookiejar import CookieJar
from xml.etree import ElementTree

ACCOUNT_FILE = "/run/labelspace/observer.json"
SERVER = "http://127.0.0.1:8080"
REQUIRED = set(os.environ["LABELSPACE_HEALTH"].split(","))
PATIENCE_SECONDS = float(os.environ.get("LABELSPACE_TIMEOUT", "900"))
FORMAT = "CVAT for images 1.1"
NEWEST_TASKS = 20
"""So many tasks are asked for annotations before one without any is taken."""
SHAPE = ("frame", "label_id", "type", "points", "rotation", "occluded", "outside", "z_order", "source")
LABEL = ("name", "type", "color")
ATTRIBUTE = ("name", "input_type", "mutable", "default_value", "values")


class FailedError(Exception):
    """The copy does not work; the message says why."""


class Server:
    """A logged-in session."""

    def __init__(self):
        cookies = urllib.request.HTTPCookieProcessor(CookieJar())
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies)
        self.headers = {"Content-Type": "application/json"}

    def call(self, path, body=None):
        """The body of an answer; raises ``FailedError`` for a refusal, ``OSError`` for none."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(SERVER + path, data=data, headers=self.headers)
        try:
            with self.opener.open(request, timeout=120) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            reason = error.read()[:200].decode(errors="replace")
            raise FailedError(f"{path.partition('?')[0]} answers {error.code}: {reason}") from None

    def json(self, path, body=None):
        """As ``call``, as an object."""
        return json.loads(self.call(path, body))

    def log_in(self):
        """Log in as the account of ``observe.py account``."""
        with open(ACCOUNT_FILE, encoding="utf-8") as file:
            account = json.load(file)
        words = {"username": account["username"], "password": account["password"]}
        self.headers["Authorization"] = f"Token {self.json('/api/auth/login', words)['key']}"

    def pages(self, path):
        """All rows of a list."""
        number, rows = 1, []
        while True:
            page = self.json(f"{path}&page_size=100&page={number}")
            rows += page["results"]
            if len(rows) >= page["count"] or not page["results"]:
                return rows
            number += 1


def until(true, what):
    """Wait for ``true``; raises ``FailedError`` with its last reason."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return true()
        except (OSError, ValueError, FailedError) as error:
            if time.monotonic() > deadline:
                raise FailedError(f"{what}: {error}") from None
        time.sleep(0.5)


def health():
    """Every part works."""
    parts = Server().json("/api/server/health/?format=json")
    found = {name: parts.get(name, "not reported") for name in REQUIRED}
    broken = [f"{name}: {text}" for name, text in found.items() if text != "working"]
    if broken:
        raise FailedError("; ".join(sorted(broken)))
    return len(parts)


def choose(server):
    """The newest task that has annotations, else the newest with frames; None without one."""
    rows = server.json(f"/api/tasks?sort=-id&page_size={NEWEST_TASKS}")["results"]
    whole = [row["id"] for row in rows if row.get("size")]
    for task in whole:
        found = server.json(f"/api/tasks/{task}/annotations")
        if any(found[kind] for kind in ("tags", "shapes", "tracks")):
            return task
    return whole[0] if whole else None


def export(server, task):
    """The images of the task's export as text: names, sizes, shapes, attributes; without dates and URLs."""
    query = urllib.parse.urlencode({"format": FORMAT, "save_images": "false"})
    begun = server.json(f"/api/tasks/{task}/dataset/export?{query}", {})["rq_id"]

    def done():
        row = server.json(f"/api/requests/{urllib.parse.quote(begun, safe='')}")
        if row["status"] == "failed":
            return row
        if row["status"] != "finished":
            raise FailedError(row["status"])
        return row

    row = until(done, "the export of a task")
    if row["status"] == "failed":
        raise FailedError(f"the export of task {task} failed: {row['message'][:200]}")
    packed = server.call(urllib.parse.urlsplit(row["result_url"])._replace(scheme="", netloc="").geturl())
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        root = ElementTree.fromstring(archive.read("annotations.xml"))  # noqa: S314 - this server's
    return [ElementTree.tostring(one, encoding="unicode") for one in root if one.tag in ("image", "track")]


def normal(row, keys):
    """The row's keys that must be equal, and its attributes' values."""
    values = sorted((one["spec_id"], one["value"]) for one in row.get("attributes", ()))
    elements = [normal(one, keys) for one in row.get("elements", ())]
    return [[row.get(key) for key in keys], values, elements]


def label(row):
    """A label with its attributes and sublabels."""
    attributes = [[one.get(key) for key in ATTRIBUTE] for one in row["attributes"]]
    return [[row.get(key) for key in LABEL], attributes, [label(one) for one in row.get("sublabels", ())]]


def digest(rows):
    """How many rows there are, and a digest of them in any order."""
    texts = sorted(json.dumps(row, sort_keys=True) for row in rows)
    return [len(texts), hashlib.sha256("\n".join(texts).encode()).hexdigest()]


def describe(server, task):
    """What must be the same before and after an upgrade."""
    found = server.json(f"/api/tasks/{task}/annotations")
    shapes = [normal(row, SHAPE) for row in found["shapes"]]
    return {
        "labels": digest([label(row) for row in server.pages(f"/api/labels?task_id={task}")]),
        "tags": digest([normal(row, SHAPE) for row in found["tags"]]),
        "shapes": digest(shapes),
        "tracks": digest([[row["label_id"], row["frame"], len(row["shapes"])] for row in found["tracks"]]),
        "export": digest(export(server, task)),
    }


def look(task):
    """Everything, as one object."""
    parts = until(health, "its health")
    server = Server()
    server.log_in()
    task = task or choose(server)
    return {"health": parts, "task": task, "content": describe(server, task) if task else {}}


def account():
    """Make the account, in the copy alone."""
    import django

    django.setup()
    from django.contrib.auth import get_user_model

    with open(ACCOUNT_FILE, encoding="utf-8") as file:
        values = json.load(file)
    get_user_model().objects.create_superuser(**values)
    return {}


def main():
    """Print what was asked for, or why it failed."""
    verb, *rest = sys.argv[1:]
    try:
        found = account() if verb == "account" else look(int(rest[0]) if rest else None)
    except (FailedError, OSError, KeyError, ValueError) as error:
        kind = "" if isinstance(error, FailedError) else f"{type(error).__name__}: "
        found = {"failed": f"{kind}{error}"}
    with contextlib.suppress(BrokenPipeError):
        print(json.dumps(found), flush=True)
    return 1 if "failed" in found else 0


if __name__ == "__main__":
    sys.exit(main())
