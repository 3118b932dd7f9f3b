"""The media cache's configuration: Kvrocks' storage engine stays below the container's memory limit.

Source: apache/kvrocks, src/config/config.cc and src/storage/storage.cc. By default its block cache alone
takes 4 GiB, and each of seven column families up to four write buffers of 64 MiB.
"""

from __future__ import annotations

from dataclasses import dataclass

COLUMN_FAMILIES = 7
UNSHARED_CACHES_MIB = 3 * 32
"""Three column families have a block cache of their own, of RocksDB's default size."""
WRITE_BUFFERS = 2
"""Buffers of a column family: one is filled while the other is written to the disk."""
REST_MIB = 128
"""Kept free for the process itself, its connections, and values on their way."""


@dataclass(frozen=True)
class Memory:
    """The largest amounts that the storage engine takes, in MiB."""

    block_cache: int
    write_buffer: int

    @property
    def most(self) -> int:
        """The sum of all caches and write buffers."""
        buffers = COLUMN_FAMILIES * WRITE_BUFFERS * self.write_buffer
        return self.block_cache + UNSHARED_CACHES_MIB + buffers


def memory(limit: int) -> Memory:
    """Divide the container's ``limit`` (MiB): a quarter for the block cache, less for write buffers."""
    return Memory(block_cache=limit // 4, write_buffer=limit // 64)


def configuration(password: str, limit: int) -> str:
    """``kvrocks.conf`` for a container of ``limit`` MiB.

    The content is disposable: it is compacted at night, as in CVAT's compose file, and old write-ahead logs,
    which only replicas need, are removed after minutes instead of hours. The log goes to the container's log,
    which the engine limits.
    """
    size = memory(limit)
    settings = {
        "bind": "0.0.0.0",  # noqa: S104 - the container's own network
        "port": "6666",
        "dir": "/var/lib/kvrocks/db",
        "workers": "2",
        "log-dir": "stdout",
        "compact-cron": "0 3 * * *",
        "rocksdb.block_cache_size": str(size.block_cache),
        "rocksdb.write_buffer_size": str(size.write_buffer),
        "rocksdb.max_write_buffer_number": str(WRITE_BUFFERS),
        "rocksdb.max_background_jobs": "2",
        "rocksdb.wal_ttl_seconds": "600",
        "rocksdb.wal_size_limit_mb": "512",
        "requirepass": password,
    }
    return "".join(f"{name} {value}\n" for name, value in settings.items())
