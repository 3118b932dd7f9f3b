"""Rules for an admin's password, equal to the server's own so that a refusal comes before creation.

Source: AUTH_PASSWORD_VALIDATORS of CVAT (similarity, length 8 to 256, common, numeric) and its web form
(a digit, an upper and a lower case letter).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from importlib.resources import files

MIN_LENGTH = 8
MAX_LENGTH = 256
_MAX_SIMILARITY = 0.7


@cache
def _common() -> frozenset[str]:
    text = files("labelspace").joinpath("common-passwords.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


def password_problem(password: str, username: str, email: str) -> str | None:
    """Why the server would refuse ``password``, with the next step; ``None`` when it is good."""
    if not password:
        return "empty: give one, or leave it out to have one generated"
    rules = password_rules(password, username, email)
    return next((rule.refusal for rule in rules if not rule.met), None)


@dataclass(frozen=True)
class PasswordRule:
    """One rule: its requirement, its error message, and whether a password meets it."""

    requirement: str
    refusal: str
    met: bool


def password_rules(password: str, username: str, email: str) -> list[PasswordRule]:
    """Every rule, in the order of their messages."""
    words = (username, *re.split(r"\W+", email), email)
    similar = any(_similar(password, word) for word in words)
    return [
        PasswordRule(
            f"{MIN_LENGTH} characters or more",
            f"too short: give at least {MIN_LENGTH} characters",
            len(password) >= MIN_LENGTH,
        ),
        PasswordRule(
            f"at most {MAX_LENGTH} characters",
            f"too long: give at most {MAX_LENGTH} characters",
            len(password) <= MAX_LENGTH,
        ),
        PasswordRule(
            "printable characters alone",
            "holds a line break or control character: use printable characters",
            password.isprintable(),
        ),
        PasswordRule("not digits alone", "only digits: add letters", not password.isdigit()),
        PasswordRule(
            "not on lists of often used passwords",
            "too common: give one that is not on lists of often used passwords",
            not _is_common(password),
        ),
        PasswordRule(
            "not like the user name or e-mail",
            "too similar to the user name or e-mail: give one that does not contain them",
            not similar,
        ),
        PasswordRule(
            "a digit, a lower and an upper case letter",
            "too simple: use at least one digit, one lower and one upper case letter",
            _is_mixed(password),
        ),
    ]


def _is_mixed(password: str) -> bool:
    return all(re.search(pattern, password) for pattern in ("[0-9]", "[a-z]", "[A-Z]"))


def _is_common(password: str) -> bool:
    bare = password.lower().strip()
    return bare in _common() or bare.rstrip("0123456789!?.") in _common()


def _similar(password: str, word: str) -> bool:
    if len(word) < 3:
        return False
    return SequenceMatcher(a=password.lower(), b=word.lower()).quick_ratio() >= _MAX_SIMILARITY
