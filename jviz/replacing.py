"""Data put in the place of others everywhere: in views, differences and regions."""

from __future__ import annotations

from typing import Any

from jviz.data import Data

__all__ = ["put_in_place"]


def put_in_place(session: Any, old: Data, new: Data, *, turned: bool = False) -> None:
    """Let one data set stand where another stood (inside a change).

    Parameters
    ----------
    turned : bool
        The axes of the new one are others: pictures of it begin anew.
    """
    session.set_data(tuple(new if data is old else data for data in session.data))
    for view in session.views.values():
        for layer in view.layers:
            if layer.data is old:
                _show(view, layer, new, turned=turned)
            if getattr(layer, "against", None) is old:
                layer.against = new
    session.set_subsets({n: s.but(data=new) if s.data is old else s for n, s in session.subsets.items()})


def _show(view: Any, layer: Any, new: Data, *, turned: bool) -> None:
    values: dict[str, Any] = {"data": new}
    if turned:
        wanted = (("index", getattr(new, "middle", ())), ("cut", None), ("order", ()))
        values |= {n: v for n, v in wanted if hasattr(layer, n)}
        if layer is view.layers[0] and view.is_callback_property("centre"):
            view.update(centre=None, scale=None)
    if getattr(layer, "slab", None) is not None:
        values |= {"slab": None, "slab_subset": ""}
    layer.update(**values)
