"""Products of steps shown while a run goes on: in one view of their own, which goes when the run has ended."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jviz.data import Data, from_product
from jviz.errors import JvizError
from jviz.views import View, free_name

if TYPE_CHECKING:
    from jviz.session import Session

__all__ = ["Stream"]


class Stream:
    """Shows the newest product of a run; nothing of it is a step of the history.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._data: list[Data] = []
        self._view: View | None = None
        self._over = False

    def show(self, step: str, path: Path) -> None:
        """Read a product in this thread, and show it in that of the session."""
        from jviz.backend.io.registry import open_products

        try:
            data = from_product(open_products(path)[0])
            data.prepare()
        except (JvizError, OSError):
            return  # what cannot be shown is saved all the same
        data.name = f"after {step}"
        self._session.dispatcher.call(lambda: self._place(data))

    def end(self) -> None:
        """Take what was shown out of the session."""
        self._session.dispatcher.ask(self._remove)

    def _place(self, data: Data) -> None:
        from jviz.actions.view import _new_view, kind_for, place

        session, kind = self._session, kind_for(data)
        if self._over or kind is None:
            return
        with session.unrecorded():
            former, self._data = self._data, [data]
            data.name = free_name(data.name, [one.name for one in session.data if one not in former])
            session.set_data((*(one for one in session.data if one not in former), data))
            if self._view in session.views.values() and data.kind in self._view.accepts:
                place(session, self._view, [data], "replace")
                return
            others = tuple(view for view in session.views.values() if view is not self._view)
            self._view = _new_view(session, kind)
            place(session, self._view, [data], "add")
            session.set_views((*others, self._view))

    def _remove(self) -> None:
        self._over = True
        session = self._session
        with session.unrecorded():
            session.set_views(tuple(view for view in session.views.values() if view is not self._view))
            session.set_data(tuple(data for data in session.data if data not in self._data))
