"""What all data of a session have, and those that are looked at as pictures."""

from __future__ import annotations

import itertools
import math
import threading
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from jviz.backend.io.product import Plane, Product
from jviz.backend.progress import Progress, silent
from jviz.errors import CommandError

__all__ = ["Data", "WithPicture", "WithSky"]

MOST_RASTERS = 48
"""Planes and slices of one data set whose samples stay in memory."""


class Data:
    """A named data set of a session.

    Attributes
    ----------
    name : str
        Unique in the session; rename with the command ``data.rename``.
    product : Product
        What the reader found: planes, headers, path.
    made_by : str
        The Python line that made it, when it came from a command and not from a file.
    """

    kind: ClassVar[str] = "other"
    _numbers = itertools.count(1)

    def __init__(self, product: Product, name: str | None = None) -> None:
        self.product = product
        self.name = name or product.name
        self.number = next(Data._numbers)
        self.made_by = ""
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        facts = [repr(self.name), " × ".join(map(str, self.shape)), self.unit]
        return f"<{type(self).__name__} {' '.join(fact for fact in facts if fact)}>"

    def let_go(self) -> None:
        """Forget what can be worked out again: the data left the session, and undo may bring them back."""

    @property
    def filed(self) -> Product:
        """The product as its file has it; `product` may have the axes of its arrays in another order."""
        return self.product

    @property
    def path(self) -> Path | None:
        """The file it came from, None for data made in the session."""
        return self.product.path

    @property
    def planes(self) -> dict[str, Plane]:
        """The arrays by name; the first is the one to look at."""
        return self.product.planes

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the first plane, in numpy order."""
        return self.product.shape

    @property
    def unit(self) -> str:
        """Unit of the first plane, as the file says."""
        return self.plane().unit if self.planes else ""

    @property
    def header(self) -> dict[str, Any]:
        """Keywords of the main extension over those of the primary header."""
        return dict(self.product.header)

    @property
    def label(self) -> str:
        """What kind of product it is, ``"JWST NIRCam i2d"``."""
        return self.product.label

    def plane(self, name: str = "") -> Plane:
        """Return a plane by name, the first one for ``""``.

        Raises
        ------
        CommandError
            When there is no such plane.
        """
        if not self.planes:
            raise CommandError(f"{self.name} holds no array; it is {self.label or self.kind}.")
        if not name:
            return next(iter(self.planes.values()))
        if name not in self.planes:
            if self.product.joint is not None and name == self.product.joint.name:
                return self.product.joint
            raise CommandError(f"{self.name} has no plane {name!r}; it has {', '.join(self.planes)}.")
        return self.planes[name]

    @property
    def glue(self) -> Any:
        """The same as a glue ``Data`` with lazily read components, made on first use."""
        from jviz.glue_data import glue_of

        return glue_of(self)

    def prepare(self, progress: Progress = silent) -> None:
        """Do what the first picture needs (called in a job, before the data are added)."""

    def get(self, cls: type) -> Any:
        """Return the data as an object of numpy or of the astropy family.

        Parameters
        ----------
        cls : type
            ``numpy.ndarray`` (file's shape), ``CCDData``, ``NDData``, ``Spectrum``, ``Table`` or
            ``QTable``, ``Quantity``, ``Regions``.

        Raises
        ------
        JvizError
            When these data cannot be given as that.
        """
        from jviz.convert import convert

        return convert(self, cls)


class WithSky(Data):
    """Data with arrays that may lie on the sky."""

    _wcs_result: Any = None
    _sky: Any = None
    corrections: tuple[Any, ...] = ()
    """What was done to their place on the sky (`jviz.astrometry`)."""

    @property
    def wcs(self) -> Any:
        """The WCS as an APE-14 object, or None; loaded on first use (may take a second)."""
        return self._load_wcs().wcs

    @property
    def wcs_warnings(self) -> tuple[str, ...]:
        """What a user should know about the WCS."""
        return self._load_wcs().warnings

    @property
    def wcs_notes(self) -> tuple[str, ...]:
        """Those of `wcs_warnings` that tell of a fault, not of a file that has no WCS."""
        result = self._load_wcs()
        return () if result.absent else result.warnings

    @property
    def wcs_ready(self) -> bool:
        """Whether `wcs` and `sky` are at hand without waiting."""
        return self._sky is not None

    @property
    def sky(self) -> Any:
        """The `jviz.backend.wcs.SkyMap` of the last two axes, or None."""
        with self._lock:
            if self._sky is None:
                from jviz.backend.wcs import SkyMap

                wcs = self.wcs
                # A 1-tuple tells "worked out: there is none" from "not worked out yet".
                self._sky = (SkyMap.of(wcs, self.shape) if wcs is not None else None,)
                if self._sky[0] is not None and not self._sky[0].is_quick:
                    self._sky[0].pixel_scale()  # of the middle, which the first picture asks for while it is painted
            return self._sky[0]

    def _load_wcs(self) -> Any:
        with self._lock:
            if self._wcs_result is None:
                self._wcs_result = self.product.load_wcs()
            return self._wcs_result


class WithPicture(WithSky):
    """Data of which a plane, or a slice of one, can be looked at as an image."""

    def __init__(self, product: Product, name: str | None = None) -> None:
        super().__init__(product, name)
        self._rasters: dict[tuple[str, tuple[int, ...]], Any] = {}
        # Not the lock of the WCS: loading that takes seconds, and a paint must not wait for it.
        self._raster_lock = threading.Lock()
        self._auto_limits: WeakKeyDictionary[Any, tuple[float, float]] = WeakKeyDictionary()
        self._suggested_stretch = ""

    @cached_property
    def pixel_aspect(self) -> float:
        """How many times as high as wide pixels are on the sky; 1 where they are nearly square, or nobody knows.

        NaN for pictures with wavelength along one edge: there is no right one, and they fill their viewer.
        """
        from jviz.backend.first_look import has_spectral_edge, pixel_aspect

        header = self.header
        return math.nan if len(self.shape) == 2 and has_spectral_edge(header) else pixel_aspect(header)

    @cached_property
    def lit_box(self) -> tuple[float, float, float, float] | None:
        """Edges x0, y0, x1, y1 of the part to look at first, None for all of it."""
        from jviz.backend.first_look import lit_box

        return lit_box(self.header, self.shape)

    @property
    def middle(self) -> tuple[int, ...]:
        """Index of the slice to look at first, ``()`` for two axes."""
        return tuple(n // 2 for n in self.shape[:-2])

    def raster(self, plane: str = "", index: tuple[int, ...] = ()) -> Any:
        """Return the multi-resolution picture of a plane (`jviz.backend.render.raster.Raster`)."""
        from jviz.backend.render.raster import Raster

        source = self.plane(plane)
        index = tuple(index) or tuple(n // 2 for n in source.shape[:-2])
        key = (source.name, index)
        with self._raster_lock:
            found = self._rasters.pop(key, None)
            if found is None:
                found = Raster(source, index, reduce="or" if source.meaning == "flags" else "mean")
            self._keep_raster(key, found)
            return found

    def let_go(self) -> None:
        """Forget the pictures: they fill memory, and come back from the cache."""
        super().let_go()
        with self._raster_lock:
            self._rasters.clear()

    def _keep_raster(self, key: Any, raster: Any) -> None:
        """Keep one as the newest; of slices only the last few, for each has samples of its own."""
        self._rasters[key] = raster
        if len(self._rasters) > MOST_RASTERS:
            del self._rasters[next(iter(self._rasters))]

    def limits(
        self,
        mode: str,
        *,
        plane: str = "",
        index: tuple[int, ...] = (),
        percentiles: tuple[float, float] = (0.5, 99.5),
        exact: bool = True,
    ) -> tuple[float, float]:
        """Work out display limits over the whole image, in data units.

        Parameters
        ----------
        exact : bool
            Extremes and percentiles of all pixels, which may take seconds for a large image that nobody has looked
            at yet; else those of a sample do until then.
        """
        return self.limits_of(self.raster(plane, index), mode, percentiles=percentiles, exact=exact)

    def limits_of(
        self, raster: Any, mode: str, *, percentiles: tuple[float, float] = (0.5, 99.5), exact: bool = True
    ) -> tuple[float, float]:
        """Work out display limits of a raster, as `limits` does."""
        from jviz.backend.render import limits as worked_out

        if mode == "auto":  # of the sample, which stays as it is
            known = self._auto_limits.get(raster)
            return self._auto_limits.setdefault(raster, known or worked_out.limits(raster))
        if exact and mode in ("minmax", "percentile") and not raster.counted:
            # Of all pixels, not of a sample: the same with and without a window.
            raster.build()
        options = {"low": percentiles[0], "high": percentiles[1]} if mode == "percentile" else {}
        return worked_out.limits(raster, mode, **options)

    def suggested_stretch(self) -> str:
        """The stretch that suits the values of the first plane."""
        from jviz.backend.render.limits import suggest_stretch

        if not self._suggested_stretch:
            self._suggested_stretch = suggest_stretch(self.raster().sample(), self.limits("auto"))
        return self._suggested_stretch

    def prepare(self, progress: Progress = silent) -> None:
        """Read the strided sample for the first picture, its limits and its stretch."""
        from jviz.backend.render.colormaps import colormap

        colormap("viridis")  # reads the tables, which painting must not wait for
        self.raster().first()
        self.limits("auto")
        self.suggested_stretch()
        _ = self.lit_box, self.pixel_aspect  # the view asks for them when it is opened; headers take long to parse
