"""The house is kept: imports point one way, start-up is light, files and functions stay small."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "jviz").rglob("*.py"))


def test_import_contracts():
    run = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr


def test_importing_jviz_is_light():
    heavy = ("PySide6", "astropy", "glue", "numba", "scipy", "pyqtgraph", "numpy")
    code = f"import sys, jviz; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_session_needs_neither_qt_nor_astropy():
    code = (
        "import sys, jviz; s = jviz.Session(); s.close(); "
        "print([m for m in ('PySide6', 'astropy', 'glue', 'numba', 'scipy', 'pyqtgraph') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_and_functions_stay_small(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 500, f"{path.name} has {text.count(chr(10))} lines; split it along what it does"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            documentation = ast.get_docstring(node, clean=False) or ""
            length = node.end_lineno - node.lineno + 1 - len(documentation.splitlines())
            assert length <= 60, f"{path.name}: {node.name} has {length} lines"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_painters_end_where_they_begin(path):
    """A painter that an error (or a debugger) keeps alive makes the next paint event of its widget end the program."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign):
            made = {getattr(call.func, "id", None) for call in ast.walk(node.value) if isinstance(call, ast.Call)}
            assert "QPainter" not in made, f"{path}:{node.lineno} makes a QPainter without a with statement"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_handler_swallows_everything(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ExceptHandler):
            names = {getattr(node.type, "id", None)} if node.type is not None else {None}
            silent = len(node.body) == 1 and isinstance(node.body[0], ast.Pass)
            assert not (silent and names & {None, "Exception", "BaseException"}), f"{path}:{node.lineno}"
