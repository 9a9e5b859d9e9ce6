"""Writes the reference pages of the user guide from the declarations: commands, shortcuts, settings, panels.

Run it after a declaration changed: ``python tools/make_reference.py``. A test fails when the pages are out of date.
"""

import inspect
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
FOLDER = ROOT / "docs" / "user" / "reference"
MADE = "<!-- Made by tools/make_reference.py from the declarations; change those. -->\n\n"


def declare_everything() -> None:
    """Import whatever declares commands, settings, readers, viewers or panels."""
    import jviz.window.actions  # noqa: F401
    from jviz.plugin_loader import load_builtin

    load_builtin()


def commands_page() -> str:
    """Describe every command, sorted by noun."""
    from jviz.commands import all_commands

    parts = [MADE, "# Commands\n"]
    noun = ""
    for id, command in sorted(all_commands().items()):
        if id.split(".")[0] != noun:
            noun = id.split(".")[0]
            parts.append(f"\n## {noun}\n")
        parts.append(f"\n### `{id}`: {command.title.rstrip('…')}\n\n{_command_facts(command)}\n")
        parts.append(f"\n```text\n{_shown(command.help)}\n```\n")
    return "".join(parts)


def _shown(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def _command_facts(command) -> str:
    facts = []
    if command.menu:
        facts.append(f"Menu: {command.menu.replace('/', ' ▸ ')}.")
    if command.shortcut:
        facts.append(f"Keys: {', '.join(f'`{key}`' for key in command.shortcut.split('; '))}.")
    if command.job:
        facts.append("Runs as a job.")
    if command.needs_window:
        facts.append("Window only.")
    return " ".join(facts) or "In the command palette."


def shortcuts_page() -> str:
    """List all keys."""
    from jviz.commands import all_commands

    rows = [
        f"| {', '.join(f'`{k}`' for k in c.shortcut.split('; '))} | {c.title.rstrip('…')} | `{c.id}` |"
        for c in sorted(all_commands().values(), key=lambda c: (c.menu, c.title))
        if c.shortcut
    ]
    head = "# Shortcuts\n\nAll can be changed in Edit ▸ Shortcuts….\n\n| keys | what | command |\n|---|---|---|\n"
    return MADE + head + "\n".join(rows) + "\n"


def settings_page() -> str:
    """List all settings."""
    from jviz.settings import declared

    rows = [
        f"| `{s.key}` | {s.title} | {s.help} | {_values(s)} | `{s.default!r}` |"
        for s in sorted(declared().values(), key=lambda s: s.key)
    ]
    head = (
        "# Settings\n\nKept in `settings.toml` in the configuration folder; change them in Edit ▸ Preferences….\n\n"
        "| key | title | meaning | values | default |\n|---|---|---|---|---|\n"
    )
    return MADE + head + "\n".join(rows) + "\n"


def _values(setting) -> str:
    if setting.choices:
        return ", ".join(f"`{c}`" for c in setting.choices)
    bounds = "" if setting.low is None else f" {setting.low:g} to {setting.high:g}"
    return f"{setting.type.__name__}{bounds}"


def panels_page() -> str:
    """List all panels with the first paragraph of their documentation."""
    from jviz.plugin_loader import panels

    parts = [MADE, "# Panels\n"]
    for spec in sorted(panels().values(), key=lambda p: p.title):
        parts.append(f"\n## {spec.title}\n\nId `{spec.id}`; opens at the {spec.place}.")
        if spec.shortcut:
            parts.append(f" Keys: `{spec.shortcut}`.")
        parts.append(f"\n\n{inspect.getdoc(spec.factory) or ''}\n")
    return "".join(parts)


def readers_page() -> str:
    """List all readers."""
    from jviz.backend.io.registry import readers

    rows = [
        f"| `{r.id}` | {r.title} | {', '.join(f'`{s}`' for s in r.suffixes) or 'by content'} |"
        for r in sorted(readers().values(), key=lambda r: r.id)
    ]
    head = (
        "# Readers\n\nThe content decides who reads a file; a name ending only helps.\n\n"
        "| id | reads | endings |\n|---|---|---|\n"
    )
    return MADE + head + "\n".join(rows) + "\n"


PAGES = {
    "commands.md": commands_page,
    "shortcuts.md": shortcuts_page,
    "settings.md": settings_page,
    "panels.md": panels_page,
    "readers.md": readers_page,
}


def main() -> None:
    """Write every page."""
    declare_everything()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
