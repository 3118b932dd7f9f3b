"""A preview as text: lines for a terminal, Markdown for a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterable

from labelspace_ops.workspaces.preview import ACTIONS, Preview, ResourceChange

ACTION_LABELS = {"create": "to create", "update": "to update", "replace": "to replace", "delete": "to delete"}
SIGNS = {"create": "+", "update": "~", "replace": "±", "delete": "-"}


def heading(preview: Preview) -> str:
    """Return one line with the workspace, its target and the number of changed settings."""
    if not preview.exists:
        return f"workspace {preview.name} ({preview.target}): new"
    if not preview.settings and not preview.changes:
        return f"workspace {preview.name} ({preview.target}): no change"
    return f"workspace {preview.name} ({preview.target}): {_settings_count(len(preview.settings))} changed"


def _settings_count(number: int) -> str:
    return f"{number} setting" + ("" if number == 1 else "s")


def summary(preview: Preview) -> str:
    """Return the number of resources for each action as one line."""
    parts = [
        f"{preview.counts[action]} {ACTION_LABELS[action]}"
        for action in ACTIONS[:-1]
        if preview.counts[action]
    ]
    return ", ".join([*parts, f"{preview.counts['same']} unchanged"])


def downtime(preview: Preview) -> str:
    """Return the longest downtime of all changes."""
    downtimes = [change.downtime for change in preview.changes if change.downtime]
    longest = next(
        (text for text in downtimes if text.startswith("about")), downtimes[0] if downtimes else ""
    )
    return longest or "none"


def to_lines(preview: Preview) -> list[str]:
    """Return the lines for a terminal."""
    settings = [f"  {one.key}: {one.before} -> {one.after}" for one in preview.settings]
    rows = [f"  {SIGNS[row.action]} {_line(row)}" for row in preview.changes]
    return [
        heading(preview),
        *settings,
        *(rows if preview.exists else _by_kind(preview)),
        summary(preview),
        *([f"downtime: {downtime(preview)}"] if preview.exists and preview.changes else []),
        *[f"note: {note}" for note in preview.notes],
    ]


def _by_kind(preview: Preview) -> list[str]:
    """Summarize a new workspace with one line for each kind of resource."""
    kinds = list(dict.fromkeys(row.kind for row in preview.changes))
    parts = {kind: [row.part for row in preview.changes if row.kind == kind] for kind in kinds}
    return [f"  + {len(names)} {kind}: {', '.join(names)}" for kind, names in parts.items()]


def _line(change: ResourceChange) -> str:
    of_labels = change.kind == "cvatproject"
    why = f"  {': ' if of_labels else 'because of '}{', '.join(change.why)}"
    why = "" if change.why == ["new workspace"] else why
    data = f"; {change.data}" if change.data else ""
    return f"{change.action:<8} {change.kind} {change.part}{why}{data}"


def to_markdown(preview: Preview) -> str:
    """Return Markdown for a comment on a pull request."""
    blocks = [f"### {heading(preview)}", f"**{summary(preview)}**"]
    if preview.settings:
        rows = [(f"`{one.key}`", one.before, one.after) for one in preview.settings]
        blocks.append(_table(("setting", "deployed", "new"), rows))
    if preview.changes:
        changes = [(row.action, f"{row.kind} `{row.part}`", ", ".join(row.why), row.data, row.downtime)
                 for row in preview.changes]  # fmt: skip
        table = _table(("", "resource", "because of", "data", "downtime"), changes)
        blocks.append(
            f"<details><summary>{len(preview.changes)} resources</summary>\n\n{table}\n\n</details>"
        )
    if preview.exists and preview.changes:
        blocks.append(f"Downtime: {downtime(preview)}.")
    return "\n\n".join([*blocks, *[f"> {note}" for note in preview.notes]]) + "\n"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
