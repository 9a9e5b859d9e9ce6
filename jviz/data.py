"""The kinds of data a user can name; each wraps what a reader found and converts it when asked."""

from __future__ import annotations

from typing import Any

from jviz.association_data import Association
from jviz.backend.io.product import Product
from jviz.backend.progress import Progress, silent
from jviz.cube_data import Cube
from jviz.errors import JvizError
from jviz.picture_data import Data, WithPicture
from jviz.ramp_data import Ramp

__all__ = [
    "Association",
    "Catalog",
    "Cube",
    "Data",
    "Image",
    "Other",
    "Profile",
    "Psf",
    "Ramp",
    "Regions",
    "Spectrum",
    "Spectrum2D",
    "WithPicture",
    "from_product",
]


class Image(WithPicture):
    """A two-dimensional image with its errors and flags.

    Arrays with more axes count as images when all but two axes have length 1.
    """

    kind = "image"


class Spectrum(Data):
    """A one-dimensional spectrum, or several of one file.

    Attributes
    ----------
    choice : jviz.spectral.AxisChoice or None
        What a user said about units and medium, over what the file says.
    """

    kind = "spectrum"
    choice: Any = None
    _samples: Any = None

    @property
    def is_read(self) -> bool:
        """Whether `samples` are at hand without waiting."""
        return self._samples is not None

    @property
    def samples(self) -> Any:
        """A tuple of `jviz.backend.spectra.samples.Samples`, one for each spectrum; read on first use."""
        from jviz.spectral import samples_of

        with self._lock:
            if self._samples is None:
                self._samples = samples_of(self)
            return self._samples

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array; of tables, once they are read, (samples,) or (spectra, samples of the longest)."""
        if self.planes or not self._samples:
            return super().shape
        longest = max(len(one) for one in self._samples)
        return (longest,) if len(self._samples) == 1 else (len(self._samples), longest)

    @property
    def unit(self) -> str:
        """Unit of the flux, as the file or its user says."""
        chosen = getattr(self.choice, "flux_unit", "")
        return chosen or super().unit or (self._samples[0].unit if self._samples else "")

    def prepare(self, progress: Progress = silent) -> None:
        """Read the samples; what cannot be read as a spectrum opens all the same, with a warning."""
        progress(0, 1, f"reading {self.name}")
        try:
            self.samples  # noqa: B018
        except JvizError as error:
            self.product.warnings.append(str(error))


class Spectrum2D(WithPicture):
    """A two-dimensional spectrum of a slit."""

    kind = "spectrum2d"
    _wavelengths: Any = None

    @property
    def wavelengths(self) -> Any:
        """The `jviz.backend.spectra.two_d.Wavelengths` of every pixel; found on first use (may take a second)."""
        if self._wavelengths is not None:  # without the lock, which may be held while a WCS is loaded
            return self._wavelengths
        from jviz.spectra2d import wavelengths_of_data

        with self._lock:
            if self._wavelengths is None:
                self._wavelengths = wavelengths_of_data(self)
            return self._wavelengths

    @property
    def wavelengths_ready(self) -> bool:
        """Whether `wavelengths` are at hand without waiting."""
        return self._wavelengths is not None

    def prepare(self, progress: Progress = silent) -> None:
        """Do what the first picture needs, and take the wavelengths where they lie in an array."""
        super().prepare(progress)
        if any(p.name.upper() in ("WAVELENGTH", "WAVE", "LAMBDA") for p in self.planes.values()):
            self.wavelengths  # noqa: B018


class Psf(WithPicture):
    """A point spread function, or several over a detector, finer than the pixels of images."""

    kind = "psf"
    _model: Any = None

    @property
    def model(self) -> Any:
        """The `jviz.backend.photometry.psfs.PsfModel`; read on first use."""
        from jviz.backend.photometry.psfs import model_from_cards

        with self._lock:
            if self._model is None:
                self._model = model_from_cards(self.plane().read(), self.header)
            return self._model


class Catalog(Data):
    """A table of sources."""

    kind = "catalog"
    _columns: Any = None
    _places: Any = None

    def __len__(self) -> int:
        return len(loaded_object(self))

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of rows; known from the header, without reading them, where the file has one."""
        units = self.product.units
        if not self.is_read and len(units) > self.product.main and len(units[self.product.main].shape) == 2:
            return units[self.product.main].shape[:1]
        return (len(self),)

    @property
    def table(self) -> Any:
        """The rows as an astropy ``QTable`` of the caller's own; read on first use."""
        from astropy.table import QTable

        return self.get(QTable)

    @property
    def is_read(self) -> bool:
        """Whether `columns` are at hand without waiting."""
        return self._columns is not None

    @property
    def columns(self) -> dict[str, Any]:
        """The `jviz.backend.catalogs.columns.TableColumn` of each name; read on first use."""
        from jviz.backend.catalogs.columns import columns_of

        with self._lock:
            if self._columns is None:
                self._columns = {column.name: column for column in columns_of(loaded_object(self))}
            return self._columns

    @property
    def places(self) -> Any:
        """The `jviz.backend.catalogs.places.Places` of the rows, or None when no column tells them."""
        from jviz.backend.catalogs.places import places_of

        with self._lock:
            if self._places is None:
                # A 1-tuple tells "there are none" from "not looked for yet".
                self._places = (places_of(loaded_object(self), self.columns),)
            return self._places[0]

    def prepare(self, progress: Progress = silent) -> None:
        """Read the rows and find their positions, so that a viewer need not wait."""
        _ = self.places


class Profile(Data):
    """Numbers along a line: a cut, a radial profile, a growth curve, a histogram.

    Its table has a column of x, one of y and where there are errors one named ``<y>_err``; ``meta["x"]`` and
    ``meta["y"]`` of the table name them (the first two columns by default).
    """

    kind = "profile"
    _curve: Any = None

    @property
    def table(self) -> Any:
        """The numbers as an astropy ``QTable``."""
        return loaded_object(self)

    @property
    def unit(self) -> str:
        """Unit of y."""
        return self.curve().y_unit

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of samples."""
        return (len(self.table),)

    def curve(self) -> Any:
        """Return the `jviz.plot_views.Curve` to plot."""
        from jviz.plot_views import curve_of_table

        with self._lock:
            if self._curve is None:
                self._curve = curve_of_table(self.table)
            return self._curve


class Regions(Data):
    """Regions from a file or made in the session."""

    kind = "regions"


class Other(Data):
    """What jviz reads but has no viewer for; its header can be looked at."""


_classes = {
    c.kind: c
    for c in (Image, Cube, Spectrum, Spectrum2D, Ramp, Catalog, Profile, Psf, Regions, Association, Other)
}


def from_product(product: Product, name: str | None = None) -> Data:
    """Wrap a product in the class of its kind."""
    return _classes[product.kind](product, name)


def loaded_object(data: Data) -> Any:
    """Return the table, regions … of data that are no array, read once.

    Raises
    ------
    JvizError
        When the product has none.
    """
    if data.product.load_object is None:
        raise JvizError(f"{data.name} ({data.label or data.kind}) holds no table or regions.")
    with data._lock:
        if not hasattr(data, "_object"):
            data._object = data.product.load_object()
        return data._object
