"""Spectra that are seen only now: of the spaxel under the cursor, of regions while they are dragged."""

from __future__ import annotations

from dataclasses import dataclass

from jviz.backend.spectra.samples import Samples
from jviz.signals import Signal

__all__ = ["LiveSpectra", "LiveSpectrum"]


@dataclass(frozen=True, eq=False)
class LiveSpectrum:
    """A spectrum that is drawn in spectrum viewers and is no data of the session.

    Attributes
    ----------
    name : str
        One of a name is shown.
    samples : Samples
    color : str
        ``"#rrggbb"``; empty: the colour of text.
    title : str
        What the viewer says of it; the name by default.
    """

    name: str
    samples: Samples
    color: str = ""
    title: str = ""


class LiveSpectra:
    """The live spectra of a session; nothing of them is recorded.

    Attributes
    ----------
    changed : Signal
        Without arguments; emit it from the thread of the session only, up to 60 times a second.
    """

    def __init__(self) -> None:
        self.changed = Signal()
        self._shown: dict[str, LiveSpectrum] = {}

    @property
    def shown(self) -> tuple[LiveSpectrum, ...]:
        """What is shown, the oldest name first."""
        return tuple(self._shown.values())

    def show(self, name: str, samples: Samples, color: str = "", title: str = "") -> None:
        """Show a spectrum in all spectrum viewers, in place of the one of that name."""
        self._shown[name] = LiveSpectrum(name, samples, color, title or name)
        self.changed.emit()

    def remove(self, *names: str) -> None:
        """Take spectra away; without names, all of them."""
        gone = [name for name in names or tuple(self._shown) if self._shown.pop(name, None)]
        if gone:
            self.changed.emit()
