"""What a viewer of spectra draws: its curves, made as far as they are at hand, and what lies over them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from PySide6.QtCore import QRectF

from jviz.backend.spectra.samples import Samples
from jviz.backend.spectra.units import Scale
from jviz.errors import JvizError
from jviz.session import Session
from jviz.spectrum_curves import Recipe, SpectrumCurve, curve_of_samples, known_curve, recipe_of
from jviz.spectrum_views import MODEL_OF, SpectrumLayer, SpectrumView, scale_of_view
from jviz.viewers.plot.curves import outline_of
from jviz.viewers.plot.paint import PlotScene

__all__ = ["CurveKeeper", "Made", "SpectrumScene"]

LARGE = 400_000
"""Samples from which on a curve is made in a job."""
SECONDS = 0.012
"""Time that making curves may take of one frame; the rest comes with the next one."""

FRESH = 25
"""Curves that are made for each frame at least: with very many, walking over the known ones takes all that time."""


@dataclass(kw_only=True)
class SpectrumScene(PlotScene):
    """A scene of spectra.

    Attributes
    ----------
    scale : Scale
        How the horizontal axis counts.
    live : list of (object, SpectrumCurve)
        Spectra that are seen only now, with stand-ins of layers.
    notes : list of str
        What could not be shown and why, and what was guessed.
    on_screen : bool
        Whether marks that only the mouse uses are drawn.
    title_rects : dict of str to QRectF
        Where the titles of the axes can be clicked, filled by painting.
    """

    scale: Scale = field(default_factory=Scale)
    live: list[tuple[Any, SpectrumCurve]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    on_screen: bool = False
    title_rects: dict[str, QRectF] = field(default_factory=dict)

    @property
    def is_filled(self) -> bool:
        """Whether there is a spectrum, of a layer or a live one."""
        return super().is_filled or bool(self.live)


@dataclass
class Made:
    """What `CurveKeeper.make` gave."""

    shown: list[tuple[SpectrumLayer, SpectrumCurve]] = field(default_factory=list)
    live: list[tuple[Any, SpectrumCurve]] = field(default_factory=list)
    scale: Scale = field(default_factory=Scale)
    notes: list[str] = field(default_factory=list)
    is_complete: bool = True
    fresh: int = 0
    """Curves that were made for this frame."""
    version: int = 0
    """Another one when anything about ``shown`` has changed."""


def _notes(made: Made) -> list[str]:
    """Return what files leave open about the axes of the spectra that are shown, each once."""
    found: dict[str, str] = {}
    for layer, curve in made.shown:
        for note in curve.samples.axis.notes if curve.samples is not None else ():
            found.setdefault(note, layer.data.name)
    way = "Spectrum ▸ Units and Medium of Data… takes what you know."
    return [f"{note if name in note else f'{name}: {note}'} {way}" for note, name in found.items()]


class CurveKeeper:
    """Makes the curves of a view; long ones in quiet jobs, many of them over several frames.

    Parameters
    ----------
    stir : callable
        Called, in any thread, when more curves are at hand.
    """

    def __init__(self, session: Session, view: SpectrumView, stir: Any) -> None:
        self._session, self._view, self._stir = session, view, stir
        self._under_way: set[Any] = set()
        self._known: dict[SpectrumLayer, SpectrumCurve | None] = {}
        self._last: tuple[Any, ...] = ()
        self.version = 0

    def forget(self) -> None:
        """Something else than what is in sight has changed: ask every layer again."""
        self._known.clear()
        self._last = ()
        self.version += 1

    def make(self, *, wait: bool) -> Made:
        """Return the curves of the visible layers and of live spectra, as far as they are at hand."""
        made, until = Made(), time.perf_counter() + (1e9 if wait else SECONDS)
        layers = self._view.layers
        first = self._first(layers, wait)
        if first is None:
            made.is_complete = not layers
            return made
        made.scale = scale_of_view(self._view, first.axis)
        last = self._last
        if not last or last[0] is not layers:
            self._known = {layer: self._known[layer] for layer in layers if layer in self._known}
        if last and (last[1] is not first or (self._view.offset and last[0] is not layers)):
            self._known.clear()
        self._take_layers(made, layers, first, wait, until)
        self._last = (layers, first, len(made.shown))
        if not last or last[0] is not layers or last[1:] != self._last[1:]:
            self.version += 1
        made.version = self.version
        made.notes += _notes(made)
        self._take_live(made, first)
        return made

    def _take_layers(
        self, made: Made, layers: Sequence[SpectrumLayer], first: Samples, wait: bool, until: float
    ) -> None:
        """Take the curves of the visible layers; of those that are known nothing is asked."""
        recipes: dict[bool, Recipe] = {}
        number, offset = 0, self._view.offset
        for layer in layers:
            if layer in self._known:
                curve = self._known[layer]
                if curve is not None:
                    made.shown.append((layer, curve))
                    number += not (offset and layer.is_model)
                continue
            if layer.data is None or not layer.visible:
                self._known[layer] = None
                continue
            if made.fresh < FRESH or time.perf_counter() < until:
                self._take_layer(made, layer, first, recipes, number, wait)
            elif made.is_complete:  # of those that are left not even the recipe: there may be a thousand
                made.is_complete = False
                self._stir()
            number += not (offset and layer.is_model)

    def _take_layer(
        self, made: Made, layer: SpectrumLayer, first: Samples, recipes: dict[bool, Recipe], number: int, wait: bool
    ) -> None:
        errors, offset = bool(layer.errors), self._view.offset
        if errors not in recipes:
            recipes[errors] = recipe_of(self._view, first, 0, errors=errors)
        before, recipe = len(made.shown), recipes[errors]
        recipe = replace(recipe, offset=number * offset) if offset else recipe
        spectrum = _spectrum_of(layer.data.header, made) if layer.is_model else None
        self._take(made, layer, recipe if spectrum is None else recipe.like(spectrum), wait)
        if len(made.shown) > before:
            self._known[layer] = made.shown[-1][1]

    def _first(self, layers: Sequence[SpectrumLayer], wait: bool) -> Samples | None:
        for layer in layers:
            found = self._samples(layer, wait) if layer.data is not None else None
            if found is not None:
                return found
        live = self._session.live_spectra.shown
        return live[0].samples if live and not layers else None

    def _samples(self, layer: SpectrumLayer, wait: bool) -> Samples | None:
        """Return the samples of a layer; those that are not read yet are read in a job."""
        data = layer.data
        if not wait and getattr(data, "_samples", ()) is None:
            self._job(("samples", data), f"Read {data.name}", lambda: data.samples)
            return None
        samples = data.samples
        return samples[layer.index] if layer.index < len(samples) else None

    def _take(self, made: Made, layer: SpectrumLayer, recipe: Recipe, wait: bool) -> None:
        samples = self._samples(layer, wait)
        if samples is None:
            made.is_complete = False
            return
        curve = known_curve(samples, recipe)
        if curve is None and not wait and len(samples) > LARGE:
            made.is_complete = False
            self._job((samples, recipe), f"Draw {layer.title}", lambda: _prepared(samples, recipe))
            return
        try:
            made.fresh += curve is None
            made.shown.append((layer, curve or curve_of_samples(samples, recipe)))
        except JvizError as error:
            made.notes.append(f"{layer.title}: {error}")

    def _take_live(self, made: Made, first: Samples) -> None:
        recipe = recipe_of(self._view, first, 0)
        # That of the cursor lies below those of regions, which have colours.
        for live in sorted(self._session.live_spectra.shown, key=lambda live: bool(live.color)):
            spectrum = _spectrum_of(live.samples.meta, made)
            try:
                curve = curve_of_samples(live.samples, recipe if spectrum is None else recipe.like(spectrum))
            except JvizError as error:
                made.notes.append(f"{live.title}: {error}")
                continue
            layer = SimpleNamespace(
                color=live.color, drawing="steps", errors=True, opacity=1.0 if live.color else 0.65, visible=True,
                title=live.title, data=SimpleNamespace(name=live.title),
            )  # fmt: skip
            made.live.append((layer, curve))

    def _job(self, key: Any, title: str, work: Any) -> None:
        if key in self._under_way:
            return
        self._under_way.add(key)

        def run(job: Any) -> None:
            try:
                work()
            except JvizError as error:
                self._session.notice("error", str(error))
            else:
                self._under_way.discard(key)
                self._stir()

        self._session.jobs.submit(title, run, quiet=True)


def _spectrum_of(header: Any, made: Made) -> SpectrumCurve | None:
    """Return the curve of the spectrum that something is a model of, None when it is no model or stands alone."""
    title = header.get(MODEL_OF)
    return next((curve for layer, curve in made.shown if layer.title == title), None) if title else None


def _prepared(samples: Samples, recipe: Recipe) -> None:
    """Make a curve and what drawing it needs once."""
    curve = curve_of_samples(samples, recipe)
    outline_of(curve).prepare()
    _ = curve.masked_spans
