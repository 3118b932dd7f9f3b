"""Reads large "CVAT for images 1.1" exports in several processes, split at ``<image``.

It reads only XML as CVAT writes it; ``NotPlain`` says that the general reader is needed.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from io import BytesIO
from multiprocessing import get_context
from typing import Any

from lxml import etree

from labelspace_ops.audit.dataset import Builder
from labelspace_ops.audit.readers import cvat_xml
from labelspace_ops.audit.vocabulary import Block, Declared

CHUNK = 8 * 2**20
"""Bytes that a process parses at a time."""
MOST_IMAGE = 64 * 2**20
"""The most bytes between two images; the general reader takes exports with more."""
POOL_FROM = 8
"""The least number of chunks for which several processes are faster."""
MOST_CACHED = 20_000
IMAGE = b"<image "
SHAPE = re.compile(
    rb"<(" + "|".join(("tag", *cvat_xml.OBJECTS)).encode() + rb')((?:\s+[\w:.-]+="[^"<&]*")*)\s*(/?)>'
)
NUMBER = rb'"(-?\d+(?:\.\d+)?)"'
BOX = re.compile(
    rb'\s*<box label="([^"<&]*)" source="[^"<&]*" occluded="([01])" xtl=' + NUMBER + b" ytl=" + NUMBER
    + b" xbr=" + NUMBER + b" ybr=" + NUMBER + rb'(?: [\w:.-]+="[^"<&]*")*\s*(/?)>'
)  # fmt: skip
"""A box with the attributes in CVAT's order."""
BOX_END = b"</box>"
IMAGE_END = re.compile(rb"\s*</image>\s*(?:(?=<image )|\Z)")
HEAD = re.compile(rb'((?:[\w:.-]+="[^"<&]*"\s*)*)(/?)>')
PAIR = re.compile(r'([\w:.-]+)="([^"]*)"')
VALUE = re.compile(rb'\s*<attribute name="([^"<&]*)">([^<&]*)</attribute>\s*')
Parsed = tuple[tuple[str, ...], tuple[str, ...]]
_cache: dict[bytes, Parsed] = {}


class NotPlain(Exception):  # noqa: N818 - no error: the general reader goes on
    """The file holds XML that CVAT does not write."""


def read(file: Any, name: str, builder: Builder, progress: Callable[[], None]) -> str:
    """Fill ``builder``; raises ``NotPlain`` before anything was added, or ``UsageError``."""
    chunks = _chunks(file, progress)
    head = next(chunks)
    if not head.lstrip().startswith((b"<?xml", b"<annotations")) or (b"encoding=" in head[:100] and (
        b"utf-8" not in head[:100].lower()
    )):  # fmt: skip
        raise NotPlain
    if b"<track" in head or b"<!DOCTYPE" in head or not head.rstrip().endswith(b">"):
        raise NotPlain
    reader = cvat_xml.Reader(name, builder)
    _read_head(head, reader)
    shared = (builder.wanted, builder.binned, builder.declared, reader.videos)
    for part, frames in _parsed(chunks, shared):
        builder.absorb(part)
        reader.frames += frames
    reader.finish()
    return cvat_xml.IMAGES


def _read_head(head: bytes, reader: cvat_xml.Reader) -> None:
    events = etree.iterparse(
        BytesIO(head + b"</annotations>"), events=("start", "end"), tag=cvat_xml.TAGS, resolve_entities=False
    )
    try:
        for event, element in events:
            reader.take(event, element)
    except etree.XMLSyntaxError:
        raise NotPlain from None


def _chunks(file: Any, progress: Callable[[], None]) -> Iterator[bytes]:
    """Yield the text before the first image, then whole images, without the final ``</annotations>``."""
    carry, begun = b"", False
    while data := file.read(CHUNK):
        carry += data
        if IMAGE in data:
            progress()
        if not begun and IMAGE in carry:
            cut = carry.index(IMAGE)
            yield carry[:cut]
            carry, begun = carry[cut:], True
        cut = carry.rfind(IMAGE)
        if begun and cut > 0:
            yield carry[:cut]
            carry = carry[cut:]
        if len(carry) > MOST_IMAGE:
            raise NotPlain
    end = carry.rstrip()
    if not begun or not end.endswith(b"</annotations>"):
        raise NotPlain
    yield end.removesuffix(b"</annotations>")


def _parsed(chunks: Iterator[bytes], shared: Any) -> Iterator[tuple[Builder, int]]:
    """The content of each chunk, in order; many chunks are parsed by a pool of processes."""
    first = []
    for chunk in chunks:
        first.append(chunk)
        if len(first) >= POOL_FROM:
            break
    workers = min(os.cpu_count() or 1, 8)
    if len(first) < POOL_FROM or workers < 2:
        for chunk in (*first, *chunks):
            yield parse(chunk, *shared)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from _pooled(pool, _all(first, chunks), shared, workers + 1)


def _all(first: list[bytes], rest: Iterator[bytes]) -> Iterator[bytes]:
    while first:
        yield first.pop(0)
    yield from rest


def _pooled(
    pool: ProcessPoolExecutor, chunks: Iterator[bytes], shared: Any, most: int
) -> Iterator[tuple[Builder, int]]:
    waiting: deque[Future[tuple[Builder, int]]] = deque()
    for chunk in chunks:
        waiting.append(pool.submit(parse, chunk, *shared))
        if len(waiting) >= most:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def parse(
    chunk: bytes, wanted: set[str], binned: set[str], declared: dict[tuple[str, str], Declared],
    videos: set[str],
) -> tuple[Builder, int]:  # fmt: skip
    """The rows of whole images, and the number of images that are frames of videos."""
    builder = Builder(wanted, binned)
    builder.declared = declared
    reader = cvat_xml.Reader("", builder)
    reader.videos = videos
    reader.begun = True
    known: dict[tuple[bytes, bytes], Any] = {}
    try:
        _images(chunk, reader, builder, known)
    except UnicodeDecodeError:
        raise NotPlain from None
    builder.declared = {}
    return builder, reader.frames


def _images(chunk: bytes, reader: cvat_xml.Reader, builder: Builder, known: dict[Any, Any]) -> None:
    place = chunk.find(IMAGE)
    while 0 <= place < len(chunk):
        after = _image_of_boxes(chunk, place, reader, builder, known)
        if after is None:
            found = chunk.find(IMAGE, place + len(IMAGE))
            after = found if found >= 0 else len(chunk)
            _image(chunk[place + len(IMAGE) : after], reader, builder, known)
        place = after


def _image_of_boxes(
    chunk: bytes, place: int, reader: cvat_xml.Reader, builder: Builder, known: dict[Any, Any]
) -> int | None:
    """Add an image with nothing but boxes and return the place of the next image; None if it has more."""
    head = HEAD.match(chunk, place + len(IMAGE))
    if head is None or head[2]:
        return None
    place, rows = head.end(), []
    while shape := BOX.match(chunk, place):
        label, occluded, left, top, right, bottom, closed = shape.groups()
        place, body = shape.end(), b""
        if not closed:
            stop = chunk.find(BOX_END, place)
            body, place = chunk[place:stop], stop + len(BOX_END)
        try:
            block, codes = _coded(label.decode(), body, builder, known)
        except NotPlain:
            return None
        x, y = float(left), float(top)
        rows.append((block, codes, (x, y, float(right) - x, float(bottom) - y), int(occluded)))
    end = IMAGE_END.match(chunk, place)
    if end is None:
        return None
    reader.image(_pairs(head[1]))
    for block, codes, box, hidden in rows:
        builder.add_row(block, codes, tag=False, box=box, occluded=hidden)
    return end.end()


def _unusual(text: bytes) -> bool:
    """Whether the general reader is needed. A single character is found much faster than two."""
    return (
        b"&" in text or b"<skeleton" in text or (b"!" in text and b"<!" in text)
        or (b"?" in text and b"<?" in text)
    )  # fmt: skip


def _image(text: bytes, reader: cvat_xml.Reader, builder: Builder, known: dict[Any, Any]) -> None:
    head = HEAD.match(text)
    if head is None or _unusual(text):
        _general(text, reader)
        return
    reader.image(_pairs(head[1]))
    if head[2]:
        _only_space(text[head.end() :])
        return
    place, end = head.end(), text.rfind(b"</image>")
    if end < 0:
        raise NotPlain
    _only_space(text[end + 8 :])
    while True:
        start = text.find(b"<", place)
        _only_space(text[place:start])
        if start == end:
            return
        shape = SHAPE.match(text, start)
        if shape is None:
            raise NotPlain
        place = shape.end()
        body = b""
        if not shape[3]:
            closing = b"</" + shape[1] + b">"
            stop = text.find(closing, place)
            body, place = text[place:stop], stop + len(closing)
            if stop < 0:
                raise NotPlain
        _shape(shape[1].decode(), _pairs(shape[2]), body, builder, known)


def _shape(
    kind: str, attributes: dict[str, str], body: bytes, builder: Builder, known: dict[Any, Any]
) -> None:
    block, codes = _coded(attributes.get("label", ""), body, builder, known)
    occluded = attributes.get("occluded")
    tag = kind == "tag"
    builder.add_row(
        block, codes, tag=tag, box=cvat_xml.box_of(kind, attributes),
        occluded=-1 if tag or occluded is None else int(occluded == "1"),
    )  # fmt: skip


def _coded(label: str, body: bytes, builder: Builder, known: dict[Any, Any]) -> tuple[Block, list[int]]:
    """The block and the codes of a shape's attributes."""
    found: tuple[Block, list[int]] | None = known.get((label, body))
    if found is None:
        names, values = _values(body)
        block = builder.block(label, names)
        codes = [vocabulary[value] for vocabulary, value in zip(block.vocabularies, values, strict=True)]
        found = known[label, body] = (block, codes)
    return found


def _values(body: bytes) -> Parsed:
    """Names and values of the attributes of a shape; cached, because bodies repeat."""
    found = _cache.get(body)
    if found is None:
        pairs, place = [], 0
        while match := VALUE.match(body, place):
            pairs.append((match[1].decode(), match[2].decode()))
            place = match.end()
        _only_space(body[place:])
        if len(_cache) >= MOST_CACHED:
            _cache.clear()
        found = _cache[body] = (tuple(one for one, _ in pairs), tuple(value for _, value in pairs))
    return found


def _pairs(text: bytes) -> dict[str, str]:
    return dict(PAIR.findall(text.decode()))


def _only_space(text: bytes) -> None:
    if text and not text.isspace():
        raise NotPlain


def _general(text: bytes, reader: cvat_xml.Reader) -> None:
    """Read an image with entities, skeletons or comments by the general reader."""
    wrapped = BytesIO(b"<annotations>" + IMAGE + text + b"</annotations>")
    events = etree.iterparse(
        wrapped, events=("start", "end"), tag=cvat_xml.TAGS, resolve_entities=False, huge_tree=True
    )
    try:
        for event, element in events:
            reader.take(event, element)
    except etree.XMLSyntaxError:
        raise NotPlain from None
