"""The run of all tests: what fails beside others is tried by itself, and what fails by itself fails."""

import sys

import pytest

from tools import suite

BESIDE_OTHERS = """
import os

def test_only_beside_others():
    assert "PYTEST_XDIST_WORKER" not in os.environ

def test_always():
    assert True
"""
NEVER = "def test_never():\n    assert False\n"
MANY = """
import os

import pytest

@pytest.mark.parametrize("number", range(6))
def test_many(number):
    assert "PYTEST_XDIST_WORKER" not in os.environ
"""


@pytest.mark.parametrize(
    ("sources", "code"),
    [((BESIDE_OTHERS,), 0), ((BESIDE_OTHERS, NEVER), 1), ((MANY,), 1)],
    ids=["passes by itself", "fails by itself", "too many"],
)
def test_what_fails_beside_others_is_tried_by_itself(tmp_path, monkeypatch, capfd, sources, code):
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    for number, source in enumerate(sources):
        (tmp_path / f"test_{number}.py").write_text(source)
    assert suite.run(sys.executable, 1, tmp_path) == code
    assert ("worth a look: test_0.py::test_only_beside_others" in capfd.readouterr().err) == (code == 0)
