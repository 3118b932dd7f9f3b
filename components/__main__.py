"""Host the components for stacks in other languages: Pulumi runs this folder, by ``PulumiPlugin.yaml``."""

from labelspace.__main__ import main

if __name__ == "__main__":
    main()
