"""All that a plugin may use; everything else in jviz may change without notice.

Importing this module brings no Qt: what needs it (`viewer`, `Viewer`) and what is slow to import
comes on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from jviz.backend.apertures import Aperture, apertures
from jviz.backend.apertures import on_sky as aperture_on_sky
from jviz.backend.archive.allsky import Hammer
from jviz.backend.archive.facets import Facet, facets_of, fitting
from jviz.backend.archive.skyplaces import outlines, position_columns
from jviz.backend.associations.checks import problems_of
from jviz.backend.associations.model import ROLES
from jviz.backend.cache import home
from jviz.backend.calibration.own_rules import is_own, own_contexts
from jviz.backend.calibration.rules import Rules
from jviz.backend.io.jwst import is_jwst
from jviz.backend.io.product import Identity, Plane, Product, Unit, WcsResult
from jviz.backend.io.registry import Reader, reader, readers
from jviz.backend.progress import Cancelled, Progress, silent
from jviz.backend.ramps.fitting import DO_NOT_USE, JUMP, SATURATED
from jviz.backend.regions.converting import to_pixel, to_sky
from jviz.backend.render.colormaps import colormap
from jviz.backend.render.colormaps import names as colormap_names
from jviz.backend.render.colormaps import register as register_colormap
from jviz.backend.render.distribution import Counted, Values
from jviz.backend.render.frames import separation, unit_vectors
from jviz.backend.render.stretch import Stretch, look_table, stretch
from jviz.backend.render.ticks import digits_apart, in_digits
from jviz.backend.spectra.lines import LISTS as LINE_LISTS
from jviz.calibration_choice import (
    CalibrationChoice,
    Param,
    StepInfo,
    StepRow,
    best_references,
    calibration_choice,
    changed_values,
    inputs_of,
    presets_of,
    reference_endings,
    reference_problem,
    save_preset,
    shipped_presets,
)
from jviz.calibration_comparing import comparison_of, comparison_table
from jviz.calibrations import LiveRun
from jviz.catalog_lines import Line, line_expressions, lines_of, set_line
from jviz.ccd_reduction import known_instruments as ccd_instruments
from jviz.ccd_reduction import looked_at as ccd_frames
from jviz.commands import Command, all_commands, command
from jviz.contouring import contour_color
from jviz.cursor_profiles import curves_along, curves_at
from jviz.data import (
    Association,
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
from jviz.found_rows import found_rows
from jviz.geometry import Geometry, geometry_of
from jviz.history import Edit, Entry, History
from jviz.isophote_preview import isophote_preview, reach_in_sight
from jviz.jobs import Job, Jobs
from jviz.library_search import (
    LibraryCounts,
    LibraryFound,
    library_found,
    library_provenance,
    library_report,
    library_thumbnail,
    linked_paths,
)
from jviz.line_fitting import FIT as LINE_FIT
from jviz.line_fitting import ShownUnits, line_fit_preview, line_fit_units
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
from jviz.plot_views import Curve
from jviz.plugin_loader import DATA_MIME, PanelSpec, PluginReport, load_plugins, panel, panels
from jviz.quality import quality_checks
from jviz.quality import worst as worst_verdict
from jviz.ramp_means import counts_at, fit_region, rates_at
from jviz.ramps import JumpRule, RampAt, fit_at
from jviz.records import LogKeeper, Record
from jviz.references import Row as ReferenceRow
from jviz.references import references_of, rules_for
from jviz.region_statistics import LiveStatistics
from jviz.results import Result, Results, as_table, counted, entries, said
from jviz.running import Apply
from jviz.script import literal
from jviz.session import Session
from jviz.settings import Setting, Settings
from jviz.settings import declare as declare_setting
from jviz.short_names import told_apart
from jviz.signals import Signal
from jviz.spectrum_statistics import as_shown, measured, ranges_to_measure
from jviz.spectrum_views import measured_layers
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
    from jviz.archive_search import count_found, preview_of, tables_of
    from jviz.archive_services import OWN as OWN_SERVICES
    from jviz.archive_services import own_services
    from jviz.archive_transfers import Totals, TransferRow, totals_of, transfer_rows
    from jviz.backend.archive.adql import adql_examples, adql_place, tap_services
    from jviz.backend.archive.answers import newly_found, saved_searches, texts_of
    from jviz.backend.archive.basket import basket as basket_of
    from jviz.backend.archive.basket import downloads as downloads_of
    from jviz.backend.archive.on_disk import files_here, observations_here
    from jviz.backend.archive.previews import preview_address
    from jviz.backend.archive.products import ProductGroups, address_of
    from jviz.backend.archive.products import grouped as product_groups
    from jviz.backend.archive.products import narrowed as narrowed_products
    from jviz.viewers.association.graph import AssociationGraph
    from jviz.viewers.base import Viewer, viewer
    from jviz.viewers.catalog.lines import line_colors
    from jviz.viewers.icons import themed_icon
    from jviz.viewers.look import blended
    from jviz.viewers.number_boxes import NumberBox, WholeBox
    from jviz.viewers.plot.picture import CurvePicture
    from jviz.viewers.provenance import ProvenanceGraph
    from jviz.viewers.readout import pretty_unit
    from jviz.viewers.tables.view import TableView
    from jviz.viewers.turns import in_turn

__all__ = [
    "BLENDS",
    "DATA_MIME",
    "DO_NOT_USE",
    "JUMP",
    "LIMIT_MODES",
    "LINE_FIT",
    "LINE_LISTS",
    "LOCKS",
    "OWN_SERVICES",
    "ROLES",
    "SATURATED",
    "STRETCHES",
    "Aperture",
    "Apply",
    "Association",
    "AssociationGraph",
    "CalibrationChoice",
    "Cancelled",
    "Catalog",
    "Checked",
    "Command",
    "CommandError",
    "Counted",
    "Cube",
    "Curve",
    "CurvePicture",
    "Data",
    "Edit",
    "Entry",
    "Facet",
    "Flag",
    "Geometry",
    "Hammer",
    "History",
    "Identity",
    "Image",
    "ImageLayer",
    "ImageView",
    "Job",
    "Jobs",
    "JumpRule",
    "JvizError",
    "LibraryCounts",
    "LibraryFound",
    "Line",
    "LiveRun",
    "LiveStatistics",
    "LogKeeper",
    "NumberBox",
    "Other",
    "PanelSpec",
    "Param",
    "Placement",
    "Plane",
    "PluginReport",
    "Product",
    "ProductGroups",
    "Progress",
    "ProvenanceGraph",
    "Ramp",
    "RampAt",
    "ReadError",
    "Reader",
    "Record",
    "ReferenceRow",
    "Regions",
    "Result",
    "Results",
    "Rules",
    "Session",
    "SessionError",
    "Setting",
    "Settings",
    "ShownUnits",
    "Signal",
    "Spectrum",
    "Spectrum2D",
    "State",
    "StepInfo",
    "StepRow",
    "Stretch",
    "Subset",
    "TableView",
    "Totals",
    "TransferRow",
    "Unit",
    "Values",
    "View",
    "Viewer",
    "WcsResult",
    "WholeBox",
    "address_of",
    "adql_examples",
    "adql_place",
    "all_commands",
    "aperture_on_sky",
    "aperture_preview",
    "apertures",
    "as_shown",
    "as_table",
    "background_preview",
    "basket_of",
    "best_references",
    "blended",
    "calibration_choice",
    "ccd_frames",
    "ccd_instruments",
    "changed_values",
    "colormap",
    "colormap_names",
    "command",
    "comparison_of",
    "comparison_table",
    "contour_color",
    "corners_of",
    "count_found",
    "counted",
    "counts_at",
    "curves_along",
    "curves_at",
    "declare_setting",
    "declare_view",
    "detection_preview",
    "digits_apart",
    "downloads_of",
    "entries",
    "extraction_preview",
    "extraction_shown",
    "facets_of",
    "files_here",
    "fit_at",
    "fit_region",
    "fitting",
    "flag_color",
    "flag_counts",
    "flags_plane",
    "found_rows",
    "from_product",
    "geometry_of",
    "home",
    "in_digits",
    "in_turn",
    "inputs_of",
    "is_jwst",
    "is_own",
    "isophote_preview",
    "known_flags",
    "library_found",
    "library_provenance",
    "library_report",
    "library_thumbnail",
    "line_colors",
    "line_expressions",
    "line_fit_preview",
    "line_fit_units",
    "lines_of",
    "linked_paths",
    "literal",
    "load_plugins",
    "look_table",
    "measured",
    "measured_layers",
    "narrowed_products",
    "newly_found",
    "number",
    "observations_here",
    "one_of",
    "outlines",
    "outlines_of",
    "own_contexts",
    "own_services",
    "pair",
    "panel",
    "panels",
    "part_in_sight",
    "photometry_shown",
    "place_in",
    "position_columns",
    "presets_of",
    "pretty_unit",
    "preview_address",
    "preview_of",
    "problems_of",
    "product_groups",
    "quality_checks",
    "ranges_to_measure",
    "rates_at",
    "reach_in_sight",
    "reader",
    "readers",
    "reference_endings",
    "reference_problem",
    "references_of",
    "register_colormap",
    "rules_for",
    "said",
    "save_preset",
    "saved_searches",
    "separation",
    "set_line",
    "shipped_presets",
    "shown_bits",
    "silent",
    "size_text",
    "stretch",
    "tables_of",
    "tap_services",
    "texts_of",
    "themed_icon",
    "to_pixel",
    "to_sky",
    "told_apart",
    "totals_of",
    "transfer_rows",
    "unit_vectors",
    "view_kinds",
    "viewer",
    "worst_verdict",
]

LATER = {
    "AssociationGraph": "jviz.viewers.association.graph",
    "ProductGroups": "jviz.backend.archive.products",
    "address_of": "jviz.backend.archive.products",
    "basket_of": ("jviz.backend.archive.basket", "basket"),
    "downloads_of": ("jviz.backend.archive.basket", "downloads"),
    "narrowed_products": ("jviz.backend.archive.products", "narrowed"),
    "product_groups": ("jviz.backend.archive.products", "grouped"),
    "CurvePicture": "jviz.viewers.plot.picture",
    "NumberBox": "jviz.viewers.number_boxes",
    "ProvenanceGraph": "jviz.viewers.provenance",
    "TableView": "jviz.viewers.tables.view",
    "Totals": "jviz.archive_transfers",
    "TransferRow": "jviz.archive_transfers",
    "Viewer": "jviz.viewers.base",
    "WholeBox": "jviz.viewers.number_boxes",
    "pretty_unit": "jviz.viewers.readout",
    "blended": "jviz.viewers.look",
    "adql_examples": "jviz.backend.archive.adql",
    "adql_place": "jviz.backend.archive.adql",
    "count_found": "jviz.archive_search",
    "OWN_SERVICES": ("jviz.archive_services", "OWN"),
    "own_services": "jviz.archive_services",
    "preview_address": "jviz.backend.archive.previews",
    "preview_of": "jviz.archive_search",
    "tables_of": "jviz.archive_search",
    "tap_services": "jviz.backend.archive.adql",
    "files_here": "jviz.backend.archive.on_disk",
    "observations_here": "jviz.backend.archive.on_disk",
    "newly_found": "jviz.backend.archive.answers",
    "texts_of": "jviz.backend.archive.answers",
    "saved_searches": "jviz.backend.archive.answers",
    "in_turn": "jviz.viewers.turns",
    "totals_of": "jviz.archive_transfers",
    "transfer_rows": "jviz.archive_transfers",
    "line_colors": "jviz.viewers.catalog.lines",
    "themed_icon": "jviz.viewers.icons",
    "viewer": "jviz.viewers.base",
}
"""Names that are imported on first use, because their module brings Qt or is slow."""


def __getattr__(name: str) -> Any:
    """Import what needs Qt on first use (PEP 562)."""
    if name in LATER:
        place = LATER[name]
        module, inner = (place, name) if isinstance(place, str) else place
        return getattr(import_module(module), inner)
    raise AttributeError(f"module 'jviz.api' has no attribute {name!r}")
