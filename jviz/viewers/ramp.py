"""The ramp viewer: an image viewer with a bar of groups below the picture."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from jviz.errors import CommandError
from jviz.ramp_views import RampView, ramp_layer
from jviz.viewers.base import viewer
from jviz.viewers.group_bar import GroupBar
from jviz.viewers.stepped import SteppedViewer

__all__ = ["RampViewer"]


@viewer(kind="ramp", title="Ramp", view=RampView)
class RampViewer(SteppedViewer):
    """Draws groups of ramps, and lets them be gone through by mouse, keys and playing."""

    play_command = "ramp.play"

    def make_bar(self) -> QWidget:
        """Return the bar of groups."""
        return GroupBar(self)

    @property
    def has_steps(self) -> bool:
        """Whether a ramp is shown."""
        try:
            return bool(ramp_layer(self.state))
        except CommandError:
            return False

    @property
    def page(self) -> int:
        """Groups of an integration: Page up goes to the same group of the next one."""
        return ramp_layer(self.state).data.shape[-3]

    def step(self, by: int) -> None:
        """Go some groups on."""
        if self.has_steps:
            self.state.step(by)

    def play_on(self) -> None:
        """Show the next group, unless the last one is still being read."""
        if not self.loader.busy:
            self.state.step(self.state.playing)
