"""The rules of the house that no linter checks: sizes, first lines, the map, what must not be mentioned."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LONGEST_FUNCTION, LONGEST_FILE = 40, 400
GENERATED = "migrations/versions"  # a migration is a list of statements


def sources(*patterns: str) -> list[Path]:
    return sorted(path for pattern in patterns for path in ROOT.glob(pattern) if ".venv" not in path.parts)


def lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """From the first statement after the docstring to the last."""
    body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


PYTHON = [path for path in sources("pipeline/**/*.py") if GENERATED not in str(path)]


def test_there_is_something_to_check() -> None:
    assert len(PYTHON) > 40


def test_functions_and_files_are_short() -> None:
    too_long = {}
    for path in PYTHON:
        text, name = path.read_text(), str(path.relative_to(ROOT))
        if (lines := len(text.splitlines())) > LONGEST_FILE:
            too_long[name] = lines
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and lines_of(node) > LONGEST_FUNCTION:
                too_long[f"{name}: {node.name}"] = lines_of(node)
    assert too_long == {}


ALL_FILES = sources(
    "pipeline/**/*.py", "tests/**/*.py", "benchmarks/*.py", "config/*", "pipeline/**/*.toml", "pipeline/**/*.html",
    "pipeline/**/*.css", "docs/**/*.md", "*.md", "Makefile", "Dockerfile", "docker-compose.yml", ".ci/run",
    "pyproject.toml",
)  # fmt: skip
FIRST_LINES = ('"""', "#", "{#", "/*", "<!--", "#!", "r" + '"""')


def test_the_first_line_says_what_the_file_is() -> None:
    first = {str(path.relative_to(ROOT)): path.read_text().split("\n", 1)[0] for path in ALL_FILES}
    assert {name: line for name, line in first.items() if not line.startswith(FIRST_LINES) or len(line) <= 6} == {}


def test_the_map_of_the_package_is_true() -> None:
    docstring = ast.get_docstring(ast.parse((ROOT / "pipeline/__init__.py").read_text())) or ""
    named = set(re.findall(r"^    (\w+(?:\.py|/))", docstring, re.MULTILINE))
    there = {path.name for path in (ROOT / "pipeline").glob("*.py") if path.name != "__init__.py"}
    there |= {f"{path.name}/" for path in (ROOT / "pipeline").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert named == there


def test_nothing_names_the_place_where_it_was_made() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    forbidden = re.compile("/" + "work/|(^|[^a-z])/" + "root/|" + "shared" + "/(notes|data|proofs)")
    allowed = {".ci/run"}
    found = []
    for name in set(listed.stdout.split()) - allowed:
        path = ROOT / name
        if path.is_file() and path.suffix != ".lock":
            found += [
                f"{name}: {line}" for line in path.read_text(errors="replace").splitlines() if forbidden.search(line)
            ]
    assert found == []


def test_the_locks_name_every_dependency_with_hashes_and_no_index() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        pinned = set(re.findall(r"^([a-z0-9._-]+)(?:\[[^\]]*\])?==", text, re.MULTILINE))
        wanted = {re.split(r"[\[<>=]", line)[0].lower() for line in project["project"]["dependencies"]}
        assert wanted <= pinned
        assert text.count("--hash=sha256:") >= len(pinned)


def test_a_lock_is_installed_as_it_is() -> None:
    # pip's resolver fails on a lock once something that is asked for with extras has a newer release.
    for name in ("Dockerfile", "docs/operations.md"):
        installs = [line for line in (ROOT / name).read_text().splitlines() if "--require-hashes" in line]
        assert installs, name
        assert all("--no-deps" in line for line in installs), name
