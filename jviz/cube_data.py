"""Spectral cubes, seen with the spectral axis first whatever the order of the axes in the file."""

from __future__ import annotations

import math
from typing import Any

from jviz.backend.io.product import Product
from jviz.backend.progress import Progress, silent
from jviz.picture_data import WithPicture

__all__ = ["Cube", "CubeFace"]


class Cube(WithPicture):
    """A spectral cube. Its arrays are seen with the spectral axis first, whatever the order in the file; `get`
    gives them as the file has them.

    Attributes
    ----------
    choice : jviz.spectral.AxisChoice or None
        What a user said about the spectral axis and the errors, over what the file says.
    errors_unclear : bool
        Whether name and numbers of the errors contradict each other, and nobody has said what they are.
    """

    kind = "cube"
    errors_unclear = False
    _axis: Any = None

    def __init__(self, product: Product, name: str | None = None, *, choice: Any = None) -> None:
        from jviz.backend.cubes.turning import first, spectral_position, turned_product

        errors = getattr(choice, "errors", "")
        if errors:
            from jviz.backend.cubes.error_kind import with_errors

            product = with_errors(product, errors)
        self._filed, self.choice = product, choice
        self._faces: dict[tuple[int, ...], CubeFace] = {}
        chosen = getattr(choice, "axis", None)
        self.spectral = spectral_position(product) if chosen is None else chosen
        turn = len(product.shape) == 3
        super().__init__(turned_product(product, first(self.spectral)) if turn else product, name)

    @property
    def filed(self) -> Product:
        """The product as its file has it."""
        return self._filed

    @property
    def axis(self) -> Any:
        """The `jviz.backend.spectra.axis.SpectralAxis`; found on first use (may take a second)."""
        from jviz.spectral import axis_of

        with self._lock:
            if self._axis is None:
                self._axis = axis_of(self)
            return self._axis

    @property
    def axis_ready(self) -> bool:
        """Whether `axis` is at hand without waiting."""
        return self._axis is not None

    def source(self, plane: str = "", exclude: int = 0, *, one_beam: bool = False) -> Any:
        """Return a `jviz.backend.cubes.source.CubeSource`: parts of a plane, channels first.

        Parameters
        ----------
        exclude : int
            Pixels with any of these data quality bits count as missing.
        one_beam : bool
            Values per beam of each channel are turned into values per one beam for all, so that they can be added up.
        """
        from jviz.spectral import source_of_cube

        return source_of_cube(self, plane, exclude, one_beam=one_beam)

    def prepare(self, progress: Progress = silent) -> None:
        """Do what the first picture needs, and find out of which kind the errors are."""
        super().prepare(progress)
        from jviz.cube_errors import look_at_errors

        look_at_errors(self)

    def face(self, order: tuple[int, ...]) -> WithPicture:
        """Return what to draw for an order of the axes: slices along the first, the others up and to the right.

        Parameters
        ----------
        order : tuple of int
            A permutation of 0 (spectral), 1 (y) and 2 (x); ``()`` and ``(0, 1, 2)`` are the cube itself.
        """
        order = tuple(order)
        if order in ((), (0, 1, 2)):
            return self
        with self._raster_lock:
            if order not in self._faces:
                self._faces[order] = CubeFace(self, order)
            return self._faces[order]

    def get(self, cls: type) -> Any:
        """Return the data as the file has them, as an object of numpy or of the astropy family."""
        return super().get(cls) if self._filed is self.product else AsFiled(self).get(cls)


class AsFiled(WithPicture):
    """A cube with the axes of its file, for what leaves jviz."""

    kind = "cube"

    def __init__(self, cube: Cube) -> None:
        super().__init__(cube.filed, cube.name)


class CubeFace(WithPicture):
    """A cube seen from another side: slices along y or x, with wavelength along an edge of the picture.

    Attributes
    ----------
    cube : Cube
    order : tuple of int
        Which axes of the cube (0 spectral, 1 y, 2 x) are the slices, the rows and the columns.
    """

    kind = "cube"

    def __init__(self, cube: Cube, order: tuple[int, ...]) -> None:
        from jviz.backend.cubes.turning import turned_product

        self.cube, self.order = cube, order
        super().__init__(turned_product(cube.product, order, sky=False), cube.name)
        self._sky = (None,)

    @property
    def pixel_aspect(self) -> float:
        """NaN: wavelength has no size on the sky. Of a picture on its side, that of the cube turned round."""
        return 1 / self.cube.pixel_aspect if self.order[0] == 0 else math.nan
