"""The reason of an error that a library raised, in one sentence that people can read.

A library is recognised by the name of its module, so that none is loaded here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

LONGEST = 300
"""Characters of a reason: some errors quote whole pages."""
NO_ANSWER = "the server does not answer in time"
NOISE = r"(?i) ?\(_ssl\.c:\d+\)|\[Errno -?\d+\] |<[^>]* object at 0x[0-9a-f]+>|\s+(?=\s)"
"""What exceptions of Python write around their reason."""
AGAIN = "then run the same command again"
_BUCKET = ("bucket", f"check its endpoint, keys and network, {AGAIN}")
_ENGINE = ("Docker engine", f"see `labelspace doctor`, {AGAIN}")
_SERVER = ("CVAT", f"see `labelspace status NAME`, {AGAIN}")
_FILE = ("file", f"mend it or give another, {AGAIN}")
NEXT_STEPS = {
    **dict.fromkeys(("obstore", "botocore", "boto3"), _BUCKET),
    **dict.fromkeys(("docker", "requests", "urllib3"), _ENGINE),
    **dict.fromkeys(("httpx", "httpcore"), _SERVER),
    **dict.fromkeys(("pydantic", "pydantic_core"), ("data", f"update labelspace, {AGAIN}")),
    **dict.fromkeys(("yaml", "json", "PIL", "pyarrow", "zipfile", "zlib"), _FILE),
}
"""Library -> what an error of it is about, and the next step where the code around it names none."""


def sentence(error: BaseException) -> str:
    """Return a whole sentence with a next step; empty for an error that only a defect can cause."""
    library = _library(error, NEXT_STEPS)
    if library:
        subject, step = NEXT_STEPS[library]
        return f"{subject}: {reason(error)}: {step}"
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {reason(error)}: check the path, its permissions and the disk, {AGAIN}"
    return ""


def reason(error: BaseException) -> str:
    """Return why an error was raised, on one line, without the library's own code and objects."""
    read = _READERS.get(_library(error, _READERS), _plain)
    text = re.sub(NOISE, "", " ".join(str(read(error)).split())).strip(" :.")
    return (text if len(text) <= LONGEST else f"{text[:LONGEST]} ...") or type(error).__name__


def _library(error: BaseException, known: dict[str, Any]) -> str:
    modules = [kind.__module__.partition(".")[0] for kind in type(error).__mro__]
    return next((module for module in modules if module in known), "")


def _plain(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing" if error.args else "a part is missing"
    if isinstance(error, TypeError | AttributeError | IndexError):
        return "a part of it has another form"
    inner = getattr(error, "reason", None)
    if isinstance(inner, BaseException):  # of urllib
        return reason(inner)
    if isinstance(error, TimeoutError):
        return NO_ANSWER
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error)


def _obstore(error: Any) -> str:
    """Obstore adds Rust's own description of the error below its text (``Debug source``)."""
    text, _, debug = str(error).partition("\n\nDebug source:")
    if status := re.search(r"status code: (\d{3}) ?([\w ]*)", text):
        return _answer(status[1], _tag("Code", text) or status[2].strip(), _tag("Message", text))
    if "kind: Timeout" in debug:
        return NO_ANSWER
    if cause := re.search(r'message: "([^"]+)"', debug):
        return f"the server cannot be reached ({cause[1].lower()})"
    return re.sub(r"^Generic \w+ error: ", "", text)


def _tag(name: str, text: str) -> str:
    found = re.search(rf"<{name}>([^<]+)</{name}>", text)
    return found[1] if found else ""


def _answer(status: object, code: str, message: str) -> str:
    detail = ": ".join(part for part in (code, message) if part and part != str(status))
    return f"the server answers {status} ({detail})" if detail else f"the server answers {status}"


def _botocore(error: Any) -> str:
    response = getattr(error, "response", None)
    if response:
        said = response.get("Error", {})
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode") or said.get("Code", "")
        return _answer(status, str(said.get("Code", "")), str(said.get("Message", "")))
    return NO_ANSWER if "Timeout" in type(error).__name__ else str(error)


def _docker(error: Any) -> str:
    explanation = getattr(error, "explanation", None)
    return str(explanation) if explanation else _requests(error)


def _requests(error: Any) -> str:
    text, kind = str(error), type(error).__name__
    if "Timeout" in kind or "timed out" in text:
        return NO_ANSWER
    if "JSON" in kind:
        return "its answer is no JSON"
    cause = re.search(r"\[Errno \d+\] ([\w ]+)|Error\(\d+, '([\w ]+)'\)", text)
    if cause:
        return f"it cannot be reached ({(cause[1] or cause[2]).lower()})"
    return "the connection broke off" if "Connection" in text else text


def _httpx(error: Any) -> str:
    return NO_ANSWER if "Timeout" in type(error).__name__ else str(error).lower()


def _pydantic(error: Any) -> str:
    problems = error.errors(include_url=False) if hasattr(error, "errors") else []
    if not problems:
        return str(error)
    field = ".".join(str(part) for part in problems[0]["loc"])
    return f"{field}: {problems[0]['msg']}" if field else str(problems[0]["msg"])


def _yaml(error: Any) -> str:
    problem, mark = getattr(error, "problem", None), getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return f"{where}{problem or error}"


def _json(error: Any) -> str:
    return (
        f"line {error.lineno}, column {error.colno}: {error.msg}" if hasattr(error, "lineno") else str(error)
    )


def _pillow(error: Any) -> str:
    return "it is no image" if "Unidentified" in type(error).__name__ else str(error)


_READERS: dict[str, Callable[[Any], str]] = {
    "obstore": _obstore,
    "botocore": _botocore,
    "docker": _docker,
    "requests": _requests,
    "urllib3": _requests,
    "httpx": _httpx,
    "pydantic": _pydantic,
    "pydantic_core": _pydantic,
    "yaml": _yaml,
    "json": _json,
    "PIL": _pillow,
}
