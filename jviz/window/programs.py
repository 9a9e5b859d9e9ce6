"""Other programs in the window: the menu that sends to them, and the sign in the status bar that they are there."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtWidgets import QMenu, QToolButton

from jviz.errors import JvizError
from jviz.results import counted

__all__ = ["ProgramsButton", "fill_send_to"]


def fill_send_to(window: Any, menu: QMenu) -> None:
    """List the programs that can take what is active."""
    menu.clear()
    samp, view = window.session.samp, window.context.active_view()
    data = getattr(view, "data", None)
    try:
        partners = [partner for partner, _ in _able(samp, data)]
    except JvizError as error:
        menu.addAction(str(error)).setEnabled(False)
        return
    for partner in partners:
        menu.addAction(partner.name, partial(window.invoker.run, "samp.send", data=data, to=partner.id))
    menu.addSeparator()
    menu.addAction("All Programs", partial(window.invoker.run, "samp.send", data=data))


def _able(samp: Any, data: Any) -> list[Any]:
    from jviz.samp.sending import messages_for

    if data is None:
        raise JvizError("No data are shown")
    if not samp.connected:
        raise JvizError("Not connected")
    if not samp.partners:
        raise JvizError("No other program is there")
    return samp.to_whom("", messages_for(data))


class ProgramsButton(QToolButton):
    """Shows while jviz is connected to other programs; a click opens their panel."""

    def __init__(self, window: Any) -> None:
        super().__init__()
        self._samp = window.session.samp
        self.clicked.connect(lambda: window.panel("samp"))
        self._samp.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Say how many programs there are."""
        self.setVisible(self._samp.connected)
        text = f"Connected to {counted(len(self._samp.partners), 'other program')}"
        self.setToolTip(text)
        self.setAccessibleName(text)

    def release(self) -> None:
        """Stop listening."""
        self._samp.changed.disconnect(self.refresh)
