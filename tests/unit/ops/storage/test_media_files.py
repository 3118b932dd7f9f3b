"""Which files of a bucket become a task."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from labelspace_ops.core.errors import UsageError
from labelspace_ops.storage import media_files


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF"])
def test_images_are_recognised_by_their_first_bytes(form: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, form)
    assert media_files.is_image(out.getvalue()[: media_files.HEAD_BYTES])
    assert not media_files.is_image(b"no " + out.getvalue()[: media_files.HEAD_BYTES])


@given(st.sets(st.text(min_size=1), min_size=6), st.integers(0, 99), st.integers(1, 5))
def test_a_seed_draws_the_same_keys_and_a_larger_sample_contains_them(
    keys: set[str], seed: int, few: int
) -> None:
    drawn = media_files.sample(sorted(keys), seed)
    assert media_files.sample(sorted(keys, reverse=True), seed) == drawn
    assert set(drawn) == keys
    rest = keys - set(drawn[few:][:1])
    assert media_files.sample(sorted(rest), seed)[:few] == drawn[:few]


def test_each_key_is_drawn_equally_often() -> None:
    """Each of 20 keys is among 5 drawn a quarter of the time; seeded by the seeds 0 to 1999."""
    keys = [f"{number}.png" for number in range(20)]
    count = dict.fromkeys(keys, 0)
    for seed in range(2000):
        for key in media_files.sample(keys, seed)[:5]:
            count[key] += 1
    assert all(420 < times < 580 for times in count.values())


class Bucket:
    """As much of an S3 client as a look at a bucket needs."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects = objects

    def get_paginator(self, _: str) -> Bucket:
        return self

    def paginate(self, **query: str) -> list[dict[str, Any]]:
        found = [key for key in sorted(self.objects) if key.startswith(query["Prefix"])]
        return [{"Contents": [{"Key": key, "Size": len(self.objects[key])}]} for key in found]

    def get_object(self, **query: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(self.objects[query["Key"]])}


PNG = b"\x89PNG\r\n\x1a\n"
FILES = {
    "night/a.png": PNG, "night/b.png": PNG, "night/c.jpg": b"text", "night/d.png": b"", "night/e.txt": b"x",
    "night/f.mp4": b"x", "night/.hidden/g.png": PNG, "nightly/h.png": PNG,
}  # fmt: skip


def find(prefix: str, subset: int | None = None) -> media_files.MediaSelection:
    bucket: Any = Bucket(FILES)
    return media_files.find_files(bucket, "street", prefix, subset=subset, seed=1, checked=lambda _: None)


def test_left_out_files_are_counted_by_reason() -> None:
    found = find("night")
    assert found.keys == ["night/a.png", "night/b.png"]
    assert found.left_out == {
        "damaged: not the image that its name says": 1, "empty": 1, "hidden": 1, "no image": 1,
        "a video: it needs a task of its own (--from BUCKET/FILE)": 1,
    }  # fmt: skip


def test_files_that_cvats_user_cannot_read_are_left_out_and_counted() -> None:
    bucket: Any = Bucket(FILES)
    found = media_files.find_files(
        bucket, "street", "", subset=None, seed=1, checked=lambda _: None,
        unreadable=frozenset({"night/a.png", "nightly"}),
    )  # fmt: skip
    assert found.keys == ["night/b.png"]
    assert found.left_out[media_files.UNREADABLE] == 2
    assert found.unreadable == ("night/a.png", "nightly/h.png")


def test_a_bucket_whose_folder_is_shut_has_no_readable_file() -> None:
    bucket: Any = Bucket(FILES)
    with pytest.raises(UsageError, match="not readable by CVAT's user"):
        media_files.find_files(
            bucket, "street", "", subset=None, seed=1, checked=lambda _: None, unreadable=frozenset({""})
        )


def test_an_unreadable_video_is_refused() -> None:
    bucket: Any = Bucket(FILES)
    with pytest.raises(UsageError, match="1 not readable by CVAT's user"):
        media_files.find_files(
            bucket, "street", "night/f.mp4", subset=None, seed=1, checked=lambda _: None,
            unreadable=frozenset({"night"}),
        )  # fmt: skip


def test_one_file_and_a_whole_bucket() -> None:
    assert find("night/a.png").keys == ["night/a.png"]
    assert find("").keys == ["night/a.png", "night/b.png", "nightly/h.png"]
    assert find("night/f.mp4") == media_files.MediaSelection(["night/f.mp4"], {})


@pytest.mark.parametrize(
    ("prefix", "subset", "said"),
    [("nowhere", None, "holds no image"), ("night/e.txt", None, "1 no image"), ("night", 3, "night has 2")],
)  # fmt: skip
def test_too_few_images_are_refused(prefix: str, subset: int | None, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        find(prefix, subset)


def test_a_location_starts_with_a_bucket_of_the_workspace() -> None:
    assert media_files.parse_location("street/night/", ["street"]) == ("street", "night")
    assert media_files.parse_location("street", ["street"]) == ("street", "")
    with pytest.raises(UsageError, match="choose one of street"):
        media_files.parse_location("other/night", ["street"])
