"""The listing of a bucket: which library lists, what it returns, and the error of a bucket that refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from obstore.store import MemoryStore

from labelspace_ops.core.errors import OpsError
from labelspace_ops.storage import buckets, object_store
from labelspace_ops.storage.listing import Storage, list_objects

KEYS = {"night/a.png": 3, "night/b.png": 4, "nightly.png": 5}


class Client:
    """The paginator of an S3 client; each page has one object. ``broken``: the second page fails."""

    def __init__(self, *, broken: bool = False) -> None:
        self.broken, self.prefixes = broken, list[str]()

    def get_paginator(self, name: str) -> Client:
        assert name == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803 - boto3's names
        assert Bucket == "street"
        self.prefixes.append(Prefix)
        for key, size in KEYS.items():
            if key.startswith(Prefix):
                yield {"Contents": [{"Key": key, "Size": size}]}
            if self.broken:
                raise ClientError({"Error": {"Code": "NoSuchBucket"}}, "ListObjectsV2")
        yield {}


def _store() -> Any:
    store = MemoryStore()
    for key, size in KEYS.items():
        store.put(key, bytes(size))
    return store


def _listed(client: Any, prefix: str, small: Any = None) -> dict[str, int]:
    return dict(Storage("street", lambda: client, small).list_objects(prefix, lambda key, size: (key, size)))


@pytest.mark.parametrize("prefix", ["", "night", "night/", "night/a", "none"])
def test_both_libraries_list_the_same(prefix: str) -> None:
    client = Client()
    expected = {key: size for key, size in KEYS.items() if key.startswith(prefix)}
    assert _listed(client, prefix, _store()) == expected
    assert client.prefixes == []
    assert _listed(client, prefix) == expected
    assert client.prefixes == [prefix]


def test_boto3_lists_anew_what_obstore_refuses_halfway(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Iterator[tuple[str, int]]:
        yield "night/a.png", 3
        raise ValueError("a key that is no path")

    monkeypatch.setattr(object_store, "list_objects", refuse)
    client: Any = Client()
    sizes = Storage("street", lambda: client, _store()).list_objects("", lambda _, size: size)
    assert sizes == [3, 4, 5]


def test_a_folder_that_is_no_path_for_obstore_is_listed_by_boto3() -> None:
    client = Client()
    assert _listed(client, "a//b/", _store()) == {}
    assert client.prefixes == ["a//b/"]


def test_a_bucket_that_refuses_is_named() -> None:
    broken: Any = Client(broken=True)
    with pytest.raises(OpsError, match=r"bucket street cannot be listed: .*NoSuchBucket"):
        list(list_objects(broken, "street"))


def test_the_size_of_a_bucket() -> None:
    one: Any = Client()
    assert buckets.size(one, "street") == (3, 12)
