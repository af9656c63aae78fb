"""Tables of entities -> their index: `python -m pipeline.entrypoints.gazetteer`, after every change of a table.

Writes `entities.gz` into the package, where `pipeline.stages.tag` reads it.
"""

import sys
from importlib.resources import as_file

from pipeline.stages.tag import index


def main() -> int:
    """Write the file."""
    with as_file(index.FILE) as path:
        path.write_bytes(index.written())
    return 0


if __name__ == "__main__":
    sys.exit(main())
