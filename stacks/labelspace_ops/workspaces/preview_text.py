"""A review for people: lines for a terminal, Markdown to be posted under a pull request."""

from __future__ import annotations

from collections.abc import Iterable

from labelspace_ops.workspaces.preview import ACTIONS, Preview, ResourceChange

DONE = {"create": "to make", "update": "to update", "replace": "to replace", "delete": "to remove"}
SIGNS = {"create": "+", "update": "~", "replace": "±", "delete": "-"}


def heading(review: Preview) -> str:
    """One sentence: what is this preview of."""
    if not review.exists:
        return f"workspace {review.name} ({review.target}): new"
    if not review.settings and not review.changes:
        return f"workspace {review.name} ({review.target}): no change"
    return f"workspace {review.name} ({review.target}): {_many(len(review.settings))} changed"


def _many(number: int) -> str:
    return f"{number} setting" + ("" if number == 1 else "s")


def summary(review: Preview) -> str:
    """The counts in words."""
    parts = [f"{review.counts[action]} {DONE[action]}" for action in ACTIONS[:-1] if review.counts[action]]
    return ", ".join([*parts, f"{review.counts['same']} stay as they are"])


def downtime(review: Preview) -> str:
    """The longest wait of all changes, in words."""
    waits = [change.downtime for change in review.changes if change.downtime]
    longest = next((wait for wait in waits if wait.startswith("about")), waits[0] if waits else "")
    return longest or "nobody waits"


def to_lines(review: Preview) -> list[str]:
    """For a terminal."""
    settings = [f"  {one.key}: {one.before} -> {one.after}" for one in review.settings]
    rows = [f"  {SIGNS[row.action]} {_line(row)}" for row in review.changes]
    return [
        heading(review),
        *settings,
        *(rows if review.exists else _by_kind(review)),
        summary(review),
        *([f"downtime: {downtime(review)}"] if review.exists and review.changes else []),
        *[f"note: {note}" for note in review.notes],
    ]


def _by_kind(review: Preview) -> list[str]:
    """A new workspace is many resources and no surprise: a line for each kind."""
    kinds = list(dict.fromkeys(row.kind for row in review.changes))
    parts = {kind: [row.part for row in review.changes if row.kind == kind] for kind in kinds}
    return [f"  + {len(names)} {kind}: {', '.join(names)}" for kind, names in parts.items()]


def _line(change: ResourceChange) -> str:
    of_labels = change.kind == "cvatproject"
    why = f"  {': ' if of_labels else 'because of '}{', '.join(change.why)}"
    why = "" if change.why == ["new workspace"] else why
    data = f"; {change.data}" if change.data else ""
    return f"{change.action:<8} {change.kind} {change.part}{why}{data}"


def to_markdown(review: Preview) -> str:
    """For a comment under a pull request."""
    blocks = [f"### {heading(review)}", f"**{summary(review)}**"]
    if review.settings:
        rows = [(f"`{one.key}`", one.before, one.after) for one in review.settings]
        blocks.append(_table(("setting", "now", "then"), rows))
    if review.changes:
        rows_ = [(row.action, f"{row.kind} `{row.part}`", ", ".join(row.why), row.data, row.downtime)
                 for row in review.changes]  # fmt: skip
        table = _table(("", "resource", "because of", "data", "who waits"), rows_)
        blocks.append(f"<details><summary>{len(review.changes)} resources</summary>\n\n{table}\n\n</details>")
    if review.exists and review.changes:
        blocks.append(f"Downtime: {downtime(review)}.")
    return "\n\n".join([*blocks, *[f"> {note}" for note in review.notes]]) + "\n"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
