"""Tables of names -> their indexes: `python -m pipeline.entrypoints.gazetteer`, after every change of a table.

Writes `entities.gz` and `countries.gz` into the package, where `pipeline.stages.tag` reads them.
"""

import sys
from importlib.resources import as_file

from pipeline.stages.tag import index


def main() -> int:
    """Write the files."""
    for file, data in index.written().items():
        with as_file(file) as path:
            path.write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
