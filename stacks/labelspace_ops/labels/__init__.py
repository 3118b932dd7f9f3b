"""Labels as code: the file, what CVAT has, the difference, and the resource that brings them together."""
