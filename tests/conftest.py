"""What all tests share: how pytest-xdist divides them between its processes."""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling


class _FileByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """One process runs all tests of a file; one process runs the whole contract of CVAT."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "contract" if file.startswith("testbed/contract/") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _FileByFile:
    return _FileByFile(config, log)
