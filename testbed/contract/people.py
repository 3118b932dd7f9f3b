"""A person at CVAT's REST API, with cookies as a browser keeps them."""

from __future__ import annotations

from typing import Any

import httpx

from testbed.contract.stack import PASSWORD


class Person:
    """``get``, ``post``, ``patch`` under ``/api``; answers as they come."""

    def __init__(self, url: str, **options: Any) -> None:
        self.http = httpx.Client(base_url=f"{url}/api", timeout=120, **options)

    def _csrf(self) -> dict[str, str]:
        return {"X-CSRFToken": self.http.cookies.get("csrftoken") or ""}

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.http.get(path, params=query)

    def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return self.http.post(path, json=body, headers=self._csrf())

    def patch(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return self.http.patch(path, json=body, headers=self._csrf())

    def log_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        return self.post("/auth/login", {"username": name, "password": password})

    def logged_in(self, name: str) -> Person:
        answer = self.log_in(name)
        assert answer.status_code == 200, answer.text
        return self

    def sign_up(self, name: str, password: str = PASSWORD) -> httpx.Response:
        both = {"password1": password, "password2": password}
        return self.post("/auth/register", {"username": name, "email": f"{name}@example.org", **both})

    def me(self) -> dict[str, Any]:
        answer = self.get("/users/self")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())
