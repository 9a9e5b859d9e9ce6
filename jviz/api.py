"""All that a plugin may use; everything else in jviz may change without notice.

Importing this module brings no Qt: what needs it (`viewer`, `Viewer`) and what is slow to import
comes on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from jviz.backend.apertures import Aperture, apertures
from jviz.backend.apertures import on_sky as aperture_on_sky
from jviz.backend.cache import home
from jviz.backend.io.product import Identity, Plane, Product, Unit, WcsResult
from jviz.backend.io.registry import Reader, reader, readers
from jviz.backend.progress import Cancelled, Progress, silent
from jviz.backend.regions.converting import to_pixel, to_sky
from jviz.backend.render.colormaps import colormap
from jviz.backend.render.colormaps import names as colormap_names
from jviz.backend.render.colormaps import register as register_colormap
from jviz.backend.render.distribution import Counted, Values
from jviz.backend.render.frames import separation
from jviz.backend.render.stretch import Stretch, look_table, stretch
from jviz.backend.spectra.lines import LISTS as LINE_LISTS
from jviz.commands import Command, all_commands, command
from jviz.contouring import contour_color
from jviz.cursor_profiles import curves_along, curves_at
from jviz.data import (
    Catalog,
    Cube,
    Data,
    Image,
    Other,
    Ramp,
    Regions,
    Spectrum,
    Spectrum2D,
    from_product,
)
from jviz.describe import size_text
from jviz.errors import CommandError, JvizError, ReadError, SessionError
from jviz.extraction import extraction_preview, extraction_shown
from jviz.flags import Flag, flag_color, flag_counts, flags_plane, known_flags, shown_bits
from jviz.geometry import Geometry, geometry_of
from jviz.history import Edit, Entry, History
from jviz.jobs import Job, Jobs
from jviz.linking import place_in
from jviz.measuring import corners_of
from jviz.photometry_preview import (
    aperture_preview,
    background_preview,
    detection_preview,
    part_in_sight,
    photometry_shown,
)
from jviz.placement import Placement, outlines_of
from jviz.plugin_loader import DATA_MIME, PanelSpec, PluginReport, load_plugins, panel, panels
from jviz.records import LogKeeper, Record
from jviz.region_statistics import LiveStatistics
from jviz.results import Result, Results, as_table, entries, said
from jviz.running import Apply
from jviz.script import literal
from jviz.session import Session
from jviz.settings import Setting, Settings
from jviz.settings import declare as declare_setting
from jviz.signals import Signal
from jviz.spectrum_statistics import measured, ranges_to_measure
from jviz.subsets import Subset
from jviz.views import (
    BLENDS,
    LIMIT_MODES,
    LOCKS,
    STRETCHES,
    Checked,
    ImageLayer,
    ImageView,
    State,
    View,
    declare_view,
    number,
    one_of,
    pair,
    view_kinds,
)

if TYPE_CHECKING:
    from jviz.viewers.base import Viewer, viewer
    from jviz.viewers.icons import themed_icon
    from jviz.viewers.look import blended
    from jviz.viewers.plot.picture import CurvePicture
    from jviz.viewers.readout import pretty_unit
    from jviz.viewers.tables.view import TableView
    from jviz.viewers.turns import in_turn

__all__ = [
    "BLENDS",
    "DATA_MIME",
    "LIMIT_MODES",
    "LINE_LISTS",
    "LOCKS",
    "STRETCHES",
    "Aperture",
    "Apply",
    "Cancelled",
    "Catalog",
    "Checked",
    "Command",
    "CommandError",
    "Counted",
    "Cube",
    "CurvePicture",
    "Data",
    "Edit",
    "Entry",
    "Flag",
    "Geometry",
    "History",
    "Identity",
    "Image",
    "ImageLayer",
    "ImageView",
    "Job",
    "Jobs",
    "JvizError",
    "LiveStatistics",
    "LogKeeper",
    "Other",
    "PanelSpec",
    "Placement",
    "Plane",
    "PluginReport",
    "Product",
    "Progress",
    "Ramp",
    "ReadError",
    "Reader",
    "Record",
    "Regions",
    "Result",
    "Results",
    "Session",
    "SessionError",
    "Setting",
    "Settings",
    "Signal",
    "Spectrum",
    "Spectrum2D",
    "State",
    "Stretch",
    "Subset",
    "TableView",
    "Unit",
    "Values",
    "View",
    "Viewer",
    "WcsResult",
    "all_commands",
    "aperture_on_sky",
    "aperture_preview",
    "apertures",
    "as_table",
    "background_preview",
    "blended",
    "colormap",
    "colormap_names",
    "command",
    "contour_color",
    "corners_of",
    "curves_along",
    "curves_at",
    "declare_setting",
    "declare_view",
    "detection_preview",
    "entries",
    "extraction_preview",
    "extraction_shown",
    "flag_color",
    "flag_counts",
    "flags_plane",
    "from_product",
    "geometry_of",
    "home",
    "in_turn",
    "known_flags",
    "literal",
    "load_plugins",
    "look_table",
    "measured",
    "number",
    "one_of",
    "outlines_of",
    "pair",
    "panel",
    "panels",
    "part_in_sight",
    "photometry_shown",
    "place_in",
    "pretty_unit",
    "ranges_to_measure",
    "reader",
    "readers",
    "register_colormap",
    "said",
    "separation",
    "shown_bits",
    "silent",
    "size_text",
    "stretch",
    "themed_icon",
    "to_pixel",
    "to_sky",
    "view_kinds",
    "viewer",
]

LATER = {
    "CurvePicture": "jviz.viewers.plot.picture",
    "TableView": "jviz.viewers.tables.view",
    "Viewer": "jviz.viewers.base",
    "pretty_unit": "jviz.viewers.readout",
    "blended": "jviz.viewers.look",
    "in_turn": "jviz.viewers.turns",
    "themed_icon": "jviz.viewers.icons",
    "viewer": "jviz.viewers.base",
}
"""Names that are imported on first use, because their module brings Qt or is slow."""


def __getattr__(name: str) -> Any:
    """Import what needs Qt on first use (PEP 562)."""
    if name in LATER:
        return getattr(import_module(LATER[name]), name)
    raise AttributeError(f"module 'jviz.api' has no attribute {name!r}")
