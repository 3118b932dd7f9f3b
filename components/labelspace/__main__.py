"""Host the components for stacks in other languages: ``pulumi-resource-labelspace`` on PATH.

Pulumi also runs this folder as a program, by its ``PulumiPlugin.yaml``.
"""

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
if Path(sys.path[0]).resolve() == FOLDER:  # run as a folder: else `import secrets` would find labelspace's
    sys.path[0] = str(FOLDER.parent)


def main() -> None:
    """Serve Pulumi's engine until it ends."""
    from labelspace.provider import serve  # noqa: PLC0415 - after sys.path is set

    serve(sys.argv[1:])


if __name__ == "__main__":
    main()
