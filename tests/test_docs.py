"""The guide is complete and current: reference pages, links, pictures, examples."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"])


def made_pages() -> dict[str, str]:
    """Reference pages as they should be, made in a process of their own (declarations are global)."""
    code = (
        "import json, sys; sys.path.insert(0, 'tools'); import make_reference as m; m.declare_everything(); "
        "print('\\x1e' + json.dumps({name: page() for name, page in m.PAGES.items()}))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    import json

    return json.loads(run.stdout.rsplit("\x1e", 1)[1])


def test_reference_pages_are_current():
    for name, text in made_pages().items():
        written = (DOCS / "user" / "reference" / name).read_text(encoding="utf-8")
        assert written == text, f"{name} is out of date: run python tools/make_reference.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_and_pictures_exist(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in target and not target.startswith("#"):
            assert (page.parent / target.split("#")[0]).exists(), f"{page.name} points to {target}"


def test_every_page_of_the_guide_is_reachable_from_its_index():
    seen, to_do = set(), [DOCS / "user" / "index.md"]
    while to_do:
        page = to_do.pop()
        if page in seen:
            continue
        seen.add(page)
        links = re.findall(r"\]\(([^)\s#]+\.md)", page.read_text(encoding="utf-8"))
        to_do += [(page.parent / link).resolve() for link in links]
    left = [p for p in (DOCS / "user").rglob("*.md") if p not in seen]
    assert not left


def test_every_picture_is_used_and_made_by_the_command():
    made = {name for name in runpy.run_path(str(ROOT / "tools" / "make_pictures.py"))["PICTURES"]}
    there = {p.stem for p in (DOCS / "images").glob("*.png")}
    assert there == made
    texts = "".join(p.read_text(encoding="utf-8") for p in PAGES)
    assert all(f"images/{name}.png" in texts for name in made)
