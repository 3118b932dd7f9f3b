"""The media cache's memory: Kvrocks must stay below the limit of its container."""

from __future__ import annotations

import pytest

from labelspace.cvat import kvrocks
from labelspace.cvat.services import SIZES


@pytest.mark.parametrize("size", SIZES)
def test_caches_and_write_buffers_stay_below_the_containers_limit(size: str) -> None:
    limit = SIZES[size].cache
    told = dict(line.split(" ", 1) for line in kvrocks.configuration("pass", limit).splitlines())
    buffers = int(told["rocksdb.write_buffer_size"]) * int(told["rocksdb.max_write_buffer_number"])
    shared, own = int(told["rocksdb.block_cache_size"]), kvrocks.UNSHARED_CACHES_MIB
    assert shared + own + kvrocks.COLUMN_FAMILIES * buffers == kvrocks.memory(limit).most
    assert kvrocks.memory(limit).most <= limit - kvrocks.REST_MIB


def test_the_log_goes_to_the_container_and_not_into_the_volume() -> None:
    assert "log-dir stdout" in kvrocks.configuration("pass", 512).splitlines()
