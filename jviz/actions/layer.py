"""Commands on the layers of an image view: order, opacity, blend, hide, solo, reference, alignment."""

from __future__ import annotations

from typing import Any, Literal

from jviz.commands import command
from jviz.errors import CommandError
from jviz.session import Session
from jviz.views import BLENDS, ImageLayer, ImageView

LAYERS = "Image/Layers"
Blend = Literal["normal", "add", "screen", "multiply", "lighten", "difference"]
assert Blend.__args__ == BLENDS


def layered(session: Session, view: ImageView | None) -> ImageView:
    """Return an image view with something in it."""
    view = session.find_view(view, "image")
    if not isinstance(view, ImageView) or not view.layers:
        raise CommandError(f"{view.name} shows no image yet; open one first.")
    return view


def layer_of(view: ImageView, layer: int | None) -> ImageLayer:
    """Return the layer of a number, the active one for None."""
    if layer is None:
        return view.layer
    if not 0 <= layer < len(view.layers):
        last = len(view.layers) - 1
        raise CommandError(f"{view.name} has layers 0 (at the bottom) to {last}; {layer} is none of them.")
    return view.layers[layer]


@command("layer.set", title="Set Layer…", needs="image", group="layers")
def set_layer(session: Session, layer: int | None = None, view: ImageView | None = None, **values: Any) -> None:
    """Set properties of one layer: ``opacity=0.5, blend="screen", visible=False, colormap="#ff8800"``.

    Parameters
    ----------
    layer : int, optional
        Its number from the bottom, from 0; the active one by default.
    """
    layer_of(layered(session, view), layer).update(**values)


@command("layer.opacity", title="Opacity…", menu=LAYERS, needs="image", group="look")
def opacity(session: Session, opacity: float = 0.5, layer: int | None = None, view: ImageView | None = None) -> None:
    """Let what is below shine through: 1 hides it, 0 shows it alone."""
    layer_of(layered(session, view), layer).opacity = opacity


@command("layer.blend", title="Blend Mode…", menu=LAYERS, needs="image", group="look")
def blend(session: Session, blend: Blend = "normal", layer: int | None = None, view: ImageView | None = None) -> None:
    """Choose how a layer joins those below it.

    Parameters
    ----------
    blend : str
        normal covers them, add and screen add light, multiply filters, lighten takes the brighter of each colour,
        difference how far the colours are apart.
    """
    layer_of(layered(session, view), layer).blend = blend


@command("layer.toggle", title="Hide or Show Layer", menu=LAYERS, shortcut="Shift+H", needs="image", group="see",
         icon="fa6s.eye")  # fmt: skip
def toggle(session: Session, layer: int | None = None, view: ImageView | None = None, on: bool | None = None) -> None:
    """Hide the active layer, or show it again."""
    found = layer_of(layered(session, view), layer)
    found.visible = not found.visible if on is None else on


@command("layer.solo", title="Show Layer Alone", menu=LAYERS, shortcut="Shift+S", needs="image", group="see",
         icon="fa6s.circle-dot")  # fmt: skip
def solo(session: Session, layer: int | None = None, view: ImageView | None = None, on: bool | None = None) -> None:
    """Show one layer and none of the others; once more shows all again."""
    view = layered(session, view)
    number = view.layers.index(layer_of(view, layer))
    shown = view.solo == number if on is None else not on
    view.solo = None if shown else number


def _step(session: Session, view: ImageView | None, by: int) -> None:
    view = layered(session, view)
    turns = [n for n, layer in enumerate(view.layers) if layer.visible and layer.opacity > 0]
    if len(turns) < 2:
        raise CommandError(
            f"{view.name} has one layer in sight; add another image to it to look from one to the other."
        )
    now = view.blinking if view.blinking is not None else view.solo
    at = turns.index(now) if now in turns else (-1 if by > 0 else 0)
    number = turns[(at + by) % len(turns)]
    view.update(blink=0.0, solo=number, active=number)


@command("layer.next", merges=True, title="Next Layer Alone", menu=LAYERS, shortcut=".", needs="image", group="step",
         icon="fa6s.forward-step")  # fmt: skip
def next_layer(session: Session, view: ImageView | None = None) -> None:
    """Show the layer above this one alone: blinking by hand."""
    _step(session, view, 1)


@command("layer.previous", merges=True, title="Previous Layer Alone", menu=LAYERS, shortcut=",", needs="image",
         group="step", icon="fa6s.backward-step")  # fmt: skip
def previous_layer(session: Session, view: ImageView | None = None) -> None:
    """Show the layer below this one alone."""
    _step(session, view, -1)


@command("layer.all", title="Show All Layers", menu=LAYERS, needs="image", group="step", icon="fa6s.layer-group")
def all_layers(session: Session, view: ImageView | None = None) -> None:
    """Show every layer again: end blinking, solo, curtain and hiding."""
    view = layered(session, view)
    for layer in view.layers:
        layer.visible = True
    view.update(solo=None, blink=0.0, curtain=None)


def _shift(session: Session, layer: int | None, view: ImageView | None, to: int | None, by: int = 0) -> None:
    view = layered(session, view)
    moved = layer_of(view, layer)
    old = view.layers.index(moved)
    new = min(max(old + by if to is None else to, 0), len(view.layers) - 1)
    rest = [one for one in view.layers if one is not moved]
    reorder(view, (*rest[:new], moved, *rest[new:]))


def reorder(view: ImageView, layers: tuple[ImageLayer, ...]) -> None:
    """Draw layers in another order, and stay at the same place of the sky when the lowest is another one."""
    active = view.layer
    values: dict[str, Any] = {}
    if layers[0].data is not view.layers[0].data and view.scale is not None:
        values = _as_seen_by(view, layers[0].data)
    alone = view.layers[view.solo] if view.solo is not None and view.solo < len(view.layers) else None
    values["solo"] = layers.index(alone) if alone is not None else None
    view.update(layers=layers, active=layers.index(active), **values)


def _as_seen_by(view: ImageView, data: Any) -> dict[str, Any]:
    """Return centre, scale and rotation with which data as the first layer are where they are now."""
    from jviz.linking import matched

    twin = ImageView()
    layer = ImageLayer()
    layer.data = data
    twin.update(layers=(layer,), align=view.align, flip_y=view.flip_y)
    return matched(view, twin, ("pan", "zoom", "rotation"), wait=True)


@command("layer.raise", title="Raise Layer", menu=LAYERS, shortcut="Shift+PgUp", needs="image", group="order",
         icon="fa6s.arrow-up")  # fmt: skip
def raise_layer(session: Session, layer: int | None = None, view: ImageView | None = None) -> None:
    """Draw a layer over the next one above it."""
    _shift(session, layer, view, None, 1)


@command("layer.lower", title="Lower Layer", menu=LAYERS, shortcut="Shift+PgDown", needs="image", group="order",
         icon="fa6s.arrow-down")  # fmt: skip
def lower_layer(session: Session, layer: int | None = None, view: ImageView | None = None) -> None:
    """Draw a layer under the next one below it."""
    _shift(session, layer, view, None, -1)


@command("layer.reference", title="Make Layer the Reference", menu=LAYERS, needs="image", group="order",
         icon="fa6s.anchor")  # fmt: skip
def reference(session: Session, layer: int | None = None, view: ImageView | None = None) -> None:
    """Lay all layers on the pixels of this one: it goes to the bottom, and what is in sight stays in sight."""
    _shift(session, layer, view, 0)


@command("layer.remove", title="Remove Layer", menu=LAYERS, needs="image", group="remove", icon="fa6s.xmark")
def remove(session: Session, layer: int | None = None, view: ImageView | None = None) -> None:
    """Take one layer out of a view; its data stay in the session."""
    view = layered(session, view)
    gone = layer_of(view, layer)
    view.update(layers=tuple(one for one in view.layers if one is not gone), active=-1, solo=None)


@command("image.align", title="Align Layers by…", menu=LAYERS, needs="image", group="align")
def align(session: Session, align: Literal["sky", "pixels"] = "sky", view: ImageView | None = None) -> None:
    """Lay layers on each other where they are on the sky, or pixel on pixel.

    Layers without sky coordinates lie pixel on pixel in any case.
    """
    layered(session, view).align = align
