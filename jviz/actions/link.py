"""Commands that make image views move together, or bring them in line once."""

from __future__ import annotations

from typing import Any

from jviz.commands import command
from jviz.errors import CommandError
from jviz.linking import matched
from jviz.session import Session
from jviz.views import LOCKS, ImageView

LINK = "View/Link"
USUAL = ("pan", "zoom", "rotation", "cursor")
PLACES = ("pan", "zoom", "rotation")


def _shown(session: Session, view: ImageView | None) -> ImageView:
    view = session.find_view(view, "image")
    if not isinstance(view, ImageView) or not view.layers:
        raise CommandError(f"{view.name} shows no image, so nothing can be linked to it.")
    return view


def _others(session: Session, view: ImageView) -> list[ImageView]:
    return [v for v in session.views.values() if isinstance(v, ImageView) and v is not view and v.layers]


def _load_skies(views: list[ImageView]) -> None:
    """Load what the way through the sky needs; may take a second, so it is done in the job's thread."""
    for view in views:
        view.layers[0].data.sky  # noqa: B018


@command("view.lock", title="Lock View…", menu=LINK, needs="image", job=True, group="lock", icon="fa6s.lock")
def lock(session: Session, locks: list[str], view: ImageView | None = None) -> Any:
    """Choose what a view has in common with all that have the same locks.

    Parameters
    ----------
    locks : list of str
        Of pan, zoom, rotation, cursor, limits and colormap; an empty list frees the view.
    """
    from jviz.running import Apply

    view = _shown(session, view)
    _load_skies([view, *_others(session, view)])
    return Apply(lambda: view.update(locks=tuple(locks)), f"Lock {view.name}", {"view": view})


@command(
    "view.lock_all", title="Lock All Views to This", menu=LINK, shortcut="Shift+L", needs="image", job=True,
    group="lock", icon="fa6s.link",
)  # fmt: skip
def lock_all(session: Session, locks: list[str] | None = None, view: ImageView | None = None) -> Any:
    """Give all image views the same locks, and bring the others in line with this one.

    Parameters
    ----------
    locks : list of str, optional
        Pan, zoom, rotation and cursor by default; limits and colormap can be locked too.
    """
    from jviz.running import Apply

    view = _shown(session, view)
    chosen = tuple(USUAL if locks is None else locks)
    others = _others(session, view)
    _load_skies([view, *others])

    def apply() -> None:
        with session.linker.paused():
            for one in (view, *others):
                one.update(locks=chosen)
        session.linker.lead(view, set(chosen))
        if set(chosen) & set(PLACES):
            _tell_out_of_reach(session, view, others)

    return Apply(apply, "Lock all views", {"view": view})


@command("view.unlock_all", title="Free All Views", menu=LINK, needs="image", group="lock", icon="fa6s.link-slash")
def unlock_all(session: Session) -> None:
    """Let every image view move on its own; the cursor is still shown in all of them."""
    for view in session.views.values():
        if isinstance(view, ImageView):
            view.locks = ("cursor",)


@command(
    "view.match_all", title="Match All Views to This", menu=LINK, shortcut="Shift+A", needs="image", job=True,
    group="match", icon="fa6s.crosshairs",
)  # fmt: skip
def match_all(session: Session, what: list[str] | None = None, view: ImageView | None = None) -> Any:
    """Show in all image views what this one shows, once.

    Parameters
    ----------
    what : list of str, optional
        Pan, zoom and rotation by default; limits and colormap can be taken over too.
    """
    view = _shown(session, view)
    return _match(session, view, _others(session, view), what, "Match all views")


@command("view.match", title="Match to a View…", menu=LINK, needs="image", job=True, group="match")
def match(session: Session, reference: ImageView, view: ImageView | None = None, what: list[str] | None = None) -> Any:
    """Show in a view what another one shows, once.

    Parameters
    ----------
    reference : View
        The one that is left as it is.
    what : list of str, optional
        Pan, zoom and rotation by default; limits and colormap can be taken over too.
    """
    view = _shown(session, view)
    if view is reference:
        raise CommandError(f"{view.name} cannot be matched to itself; choose another view as the reference.")
    return _match(session, _shown(session, reference), [view], what, f"Match {view.name} to {reference.name}")


def _tell_out_of_reach(session: Session, view: ImageView, others: list[ImageView]) -> None:
    # named as their tabs are
    out = [other.layers[0].data.name for other in others if not matched(view, other, PLACES)]
    if out:
        names = ", ".join(out[:3]) + (f" and {len(out) - 3} more" if len(out) > 3 else "")
        middle = f"the middle of {view.layers[0].data.name}"
        session.notice("warning", f"{names} cannot follow to {middle}: it is out of their reach on the sky.")


def _match(session: Session, view: ImageView, others: list[ImageView], what: list[str] | None, label: str) -> Any:
    from jviz.linking import OF_LOCK
    from jviz.running import Apply

    wanted = tuple(PLACES if what is None else what)
    unknown = [name for name in wanted if name not in LOCKS or name in ("cursor", "slice")]
    if unknown:
        raise CommandError(f"{unknown[0]!r} cannot be matched; choose from pan, zoom, rotation, limits, colormap.")
    _load_skies([view, *others])

    def apply() -> None:
        with session.linker.paused():
            for other in others:
                values = matched(view, other, set(wanted) & set(PLACES))
                other.update(**values)
                for name in {"limits", "colormap"} & set(wanted):
                    other.layer.update(**{n: getattr(view.layer, n) for n in OF_LOCK[name]})
                if "limits" in wanted and view.layer.limits_mode != "manual":
                    other.layer.limits = view.layer.limits
        _tell_out_of_reach(session, view, others)

    return Apply(apply, label, {"view": view} if label.startswith("Match all") else {})


@command("view.split_layers", title="Layers to Views", menu=LINK, needs="image", group="tiles")
def split_layers(session: Session, view: ImageView | None = None) -> None:
    """Open a view for each layer but the lowest, which this one keeps, all at the same place of the sky."""
    from jviz.actions.view import _new_view, copy_of_state

    view = _shown(session, view)
    if len(view.layers) < 2:
        raise CommandError(f"{view.name} has one layer only, so there is nothing to part.")
    for layer in view.layers[1:]:
        new = _new_view(session, "image")
        copy = copy_of_state(layer)
        copy.visible, copy.blend, copy.opacity = True, "normal", 1.0
        new.update(layers=(copy,), axes=view.axes, grid=view.grid, align=view.align)
        new.update(**matched(view, new, PLACES))
        session.set_views((*session.views.values(), new))
    view.update(layers=view.layers[:1], active=-1, solo=None, blink=0.0, curtain=None, composite="layers")
