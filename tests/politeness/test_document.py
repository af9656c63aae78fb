"""docs/politeness.md names tests that are there, for each of its 22 lines."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TABLE = re.findall(r"^\| (\d+) \|(.*)\|$", (ROOT / "docs/politeness.md").read_text(), re.MULTILINE)


def test_every_line_has_its_tests_and_they_exist() -> None:
    assert [int(number) for number, _ in TABLE] == list(range(1, 23))
    named = re.findall(r"`(tests/[^`]+)::([^`]+)`", " ".join(rest for _, rest in TABLE))
    missing = [name for path, name in named if f"def {name}(" not in (ROOT / path).read_text()]
    assert missing == []
