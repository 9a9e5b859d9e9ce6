"""Commands that show the numbers of regions."""

from __future__ import annotations

from typing import Any

from jviz.commands import command


@command("region.show_panel", title="Region Numbers and Statistics", menu="Regions", recorded=False, script=False)
def show_panel(window: Any) -> None:
    """Show the panel with the numbers of the selected region."""
    window.panel("regions")
