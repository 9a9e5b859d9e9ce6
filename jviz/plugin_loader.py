"""Finding and loading plugins, jviz's own panels among them; a broken one is reported and taken out again.

A plugin is a module that declares commands, readers, viewers, settings or panels when it is
imported: an entry point of the group ``jviz.plugins``, or a ``.py`` file in the user's folder
(`user_folder`).
"""

from __future__ import annotations

import importlib
import logging
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, is_dataclass, replace
from functools import cache, partial
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from jviz.errors import JvizError
from jviz.settings import Settings

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = [
    "DATA_MIME", "PanelSpec", "PluginReport", "load_builtin", "load_plugins", "others_there", "panel", "panels",
    "unload", "user_folder",
]  # fmt: skip

GROUP = "jviz.plugins"
FILES = "jviz_user_plugins"


DATA_MIME = "application/x-jviz-data"
"""Mime type of data dragged within a window: names of the session's data in UTF-8, one a line."""

REGISTRIES = (
    ("jviz.commands", "_commands"),
    ("jviz.commands", "_aliases"),
    ("jviz.backend.io.registry", "_readers"),
    ("jviz.views", "_kinds"),
    ("jviz.settings", "_declared"),
    ("jviz.plugin_loader", "_panels"),
    ("jviz.viewers.base", "_viewers"),
)
"""Where declarations end up, as (module, dict); modules that are not imported yet are empty ones."""

Place = Literal["left", "right", "bottom"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PanelSpec:
    """A declared panel.

    Attributes
    ----------
    id : str
        Stable name, ``window.panel(id)``.
    place : {"left", "right", "bottom"}
        Where it is docked at first.
    icon : str
        QtAwesome name; empty: no icon.
    shortcut : str
        Qt key sequence that shows and hides it.
    factory : callable
        ``factory(context)`` returns the widget.
    default_open : bool
        Whether a new layout shows it.
    """

    id: str
    title: str
    place: Place
    icon: str
    shortcut: str
    factory: Callable[[Any], Any]
    default_open: bool = False
    origin: str = "jviz"


class OwnPanel:
    """Makes one of jviz's own panels; its module is imported with the first one.

    Parameters
    ----------
    module : str
        In `jviz.plugins`.
    name : str
        Of the class.
    """

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    def load(self) -> type:
        """Import the module and return the class; from any thread."""
        return getattr(importlib.import_module(f"jviz.plugins.{self._module}"), self._name)

    def __call__(self, context: Any) -> Any:
        return self.load()(context)

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        return self.load().__doc__


@dataclass(frozen=True)
class PluginReport:
    """How the loading of one plugin went.

    Attributes
    ----------
    name : str
        As in the setting ``plugins.disabled``.
    origin : str
        The file, or the entry point with its package.
    ok : bool
    error : str
        What failed and what to do, empty when nothing did.
    details : str
        The traceback, for a report.
    disabled : bool
        Not loaded because the user said so.
    """

    name: str
    origin: str
    ok: bool
    error: str = ""
    details: str = ""
    disabled: bool = False


OWN = (
    PanelSpec("data", "Data", "left", "fa6s.layer-group", "Ctrl+1", OwnPanel("data", "DataPanel"), default_open=True),
    PanelSpec("display", "Image Display", "right", "fa6s.sliders", "Ctrl+2",
              OwnPanel("display", "DisplayPanel"), default_open=True),
    PanelSpec("regions", "Regions", "right", "fa6s.draw-polygon", "Ctrl+Shift+G", OwnPanel("regions", "RegionsPanel")),
    PanelSpec("compare", "Compare and Link", "right", "fa6s.code-compare", "", OwnPanel("compare", "ComparePanel")),
    PanelSpec("header", "Header", "bottom", "fa6s.file-lines", "Ctrl+3", OwnPanel("header", "HeaderPanel")),
    PanelSpec("pixels", "Pixels", "right", "fa6s.table-cells", "Ctrl+8", OwnPanel("pixels", "PixelsPanel")),
    PanelSpec("spectrum", "Spectrum", "right", "fa6s.wave-square", "Ctrl+Shift+U",
              OwnPanel("spectrum", "SpectrumPanel")),
    PanelSpec("line_fit", "Line Fit", "right", "fa6s.chart-area", "", OwnPanel("line_fit", "LineFitPanel")),
    PanelSpec("cube_spectra", "Spectra of Cubes", "right", "fa6s.cubes", "Ctrl+Alt+U",
              OwnPanel("cube_spectra", "CubeSpectraPanel")),
    PanelSpec("extraction", "Extraction", "right", "mdi6.arrow-collapse-vertical", "Ctrl+Shift+X",
              OwnPanel("extraction", "ExtractionPanel")),
    PanelSpec("photometry", "Photometry", "right", "fa6s.bullseye", "", OwnPanel("photometry", "PhotometryPanel")),
    PanelSpec("profiles", "Profiles", "right", "fa6s.chart-area", "Ctrl+Shift+I",
              OwnPanel("profiles", "ProfilesPanel")),
    PanelSpec("plot_lines", "Lines over Plots", "right", "mdi6.function-variant", "",
              OwnPanel("plot_lines", "PlotLinesPanel")),
    PanelSpec("ramp", "Ramp", "right", "fa6s.stairs", "Ctrl+Alt+R", OwnPanel("ramp", "RampPanel")),
    PanelSpec("contours", "Contours", "right", "mdi6.chart-bell-curve-cumulative", "",
              OwnPanel("contours", "ContoursPanel")),
    PanelSpec("flags", "Data Quality", "right", "fa6s.flag", "Ctrl+Shift+Q", OwnPanel("flags", "FlagsPanel")),
    PanelSpec("footprints", "Footprints", "right", "fa6s.satellite", "Ctrl+Alt+F",
              OwnPanel("footprints", "FootprintsPanel")),
    PanelSpec("calibration", "Calibration", "right", "fa6s.gears", "Ctrl+Shift+L",
              OwnPanel("calibration", "CalibrationPanel")),
    PanelSpec("associations", "Associations", "right", "fa6s.diagram-project", "",
              OwnPanel("associations", "AssociationsPanel")),
    PanelSpec("ccd", "CCD Frames", "right", "fa6s.camera-retro", "", OwnPanel("ccd", "CcdPanel")),
    PanelSpec("crds", "Reference Files", "bottom", "fa6s.book", "", OwnPanel("crds", "CrdsPanel")),
    PanelSpec("archive", "Archive", "bottom", "fa6s.box-archive", "Ctrl+Shift+A", OwnPanel("archive", "ArchivePanel")),
    PanelSpec("transfers", "Transfers", "bottom", "fa6s.download", "Ctrl+Alt+T",
              OwnPanel("transfers", "TransfersPanel")),
    PanelSpec("library", "Library", "bottom", "fa6s.book-bookmark", "Ctrl+Alt+L", OwnPanel("library", "LibraryPanel")),
    PanelSpec("provenance", "Provenance", "bottom", "fa6s.diagram-project", "Ctrl+Alt+V",
              OwnPanel("provenance", "ProvenancePanel")),
    PanelSpec("samp", "Other Programs", "right", "fa6s.share-nodes", "", OwnPanel("samp", "SampPanel")),
    PanelSpec("results", "Results", "bottom", "fa6s.square-poll-horizontal", "Ctrl+Shift+R",
              OwnPanel("results", "ResultsPanel")),
    PanelSpec("history", "History", "right", "fa6s.clock-rotate-left", "Ctrl+4", OwnPanel("history", "HistoryPanel")),
    PanelSpec("jobs", "Jobs", "bottom", "fa6s.bars-progress", "Ctrl+5", OwnPanel("jobs", "JobsPanel")),
    PanelSpec("notifications", "Notifications", "bottom", "fa6s.bell", "Ctrl+6",
              OwnPanel("notifications", "NotificationsPanel")),
    PanelSpec("log", "Log", "bottom", "fa6s.scroll", "Ctrl+7", OwnPanel("log", "LogPanel")),
    PanelSpec("console", "Console", "bottom", "fa6s.terminal", "Ctrl+9", OwnPanel("console", "ConsolePanel")),
)  # fmt: skip
"""jviz's own panels, in the order of the menu."""

BUILTIN = tuple(spec.id for spec in OWN)
"""Their ids; none can be another plugin's."""

_panels: dict[str, PanelSpec] = {}
_of_plugin: dict[str, dict[tuple[str, str], list[Any]]] = {}


def panel(
    id: str, *, title: str, place: Place, icon: str = "", shortcut: str = "", default_open: bool = False
) -> Callable[[type], type]:
    """Declare a class as a panel; see `PanelSpec` for the meaning of the arguments.

    The class is a ``QWidget`` whose constructor takes one ``context`` (`jviz.plugins.context.Context`):
    ``context.session``, ``.settings``, ``.active_view()``, ``.active_changed``, ``.notify(level, text)``,
    ``.run(id, **arguments)``, ``.open_panel(id)``.
    """

    def register(factory: type) -> type:
        _panels[id] = PanelSpec(id, title, place, icon, shortcut, factory, default_open)
        return factory

    return register


def panels() -> dict[str, PanelSpec]:
    """Return every declared panel by id, jviz's own first."""
    return dict(_panels)


def user_folder() -> Path:
    """Return the folder whose ``*.py`` files are plugins; it need not exist."""
    from jviz.backend.cache import home

    return home("data") / "plugins"


def load_builtin(disabled: Iterable[str] = ()) -> list[PluginReport]:
    """Declare jviz's own panels, installed or not; each is imported when it is first made."""
    return [_load(s.id, f"jviz.plugins.{s.id}", partial(_panels.setdefault, s.id, s), disabled) for s in OWN]


def load_plugins(settings: Settings) -> list[PluginReport]:
    """Load jviz's own panels, the entry points and the user's files; never raises for what a plugin does.

    Called again, it reads the user's files anew.

    Returns
    -------
    list of PluginReport
        One for each plugin that was found, also those that are disabled.
    """
    disabled = frozenset(map(str, settings["plugins.disabled"]))
    reports = load_builtin(disabled)
    for name, origin, run in (*_entry_points(), *_files()):
        reports.append(_load(name, origin, run, disabled))
    return reports


def others_there() -> bool:
    """Whether there are plugins besides jviz's own panels, loaded or not."""
    return any(True for _ in (*_entry_points(), *_files()))


def unload(name: str) -> None:
    """Take out everything that a plugin declared."""
    for key, ids in _of_plugin.pop(name, {}).items():
        registry = _registries()[key]
        for id in ids:
            registry.pop(id, None)


# --- where plugins come from ----------------------------------------------------------------------


def _entry_points() -> Iterator[tuple[str, str, Callable[[], Any]]]:
    for package, point in _declared_points(tuple(sys.path)):
        if not point.value.startswith("jviz.plugins."):  # those are loaded already
            yield point.name, f"{package}: {point.value}", lambda point=point: _called(point.load())


@cache
def _declared_points(folders: tuple[str, ...]) -> list[tuple[str, EntryPoint]]:
    """Return the entry points of jviz with the names of their packages; of two packages of a name, the first's.

    `importlib.metadata.entry_points` takes all apart that every package declares: four times as long.
    """
    from importlib.metadata import distributions

    found: dict[str, list[EntryPoint]] = {}
    for package in distributions(path=list(folders)):
        if f"[{GROUP}]" in (package.read_text("entry_points.txt") or ""):
            found.setdefault(package.name, list(package.entry_points.select(group=GROUP)))
    return [(name, point) for name, points in found.items() for point in points]


def _called(loaded: Any) -> None:
    """An entry point names a module, or a function to call."""
    if not isinstance(loaded, ModuleType):
        loaded()


def _files() -> Iterator[tuple[str, str, Callable[[], Any]]]:
    folder = user_folder()
    for path in sorted(folder.glob("*.py")) if folder.is_dir() else ():
        if not path.name.startswith((".", "_")):
            yield path.stem, str(path), lambda path=path: _run_file(path)


def _run_file(path: Path) -> None:
    name = f"{FILES}.{path.stem}"
    loader = SourceFileLoader(name, str(path))
    spec = spec_from_loader(name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and annotations look their module up there
    # Compiled from its text, so that an edited file never meets the byte code of its former self.
    exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)


# --- loading one ----------------------------------------------------------------------------------


def _load(name: str, origin: str, run: Callable[[], Any], disabled: Iterable[str]) -> PluginReport:
    if name in disabled:
        unload(name)
        return PluginReport(name, origin, ok=False, disabled=True)
    try:
        with _taken_out_on_failure(name, origin):
            run()
    except BaseException as error:  # also what would end a program: the rest goes on
        return _failure(name, origin, error)
    return PluginReport(name, origin, ok=True)


def _failure(name: str, origin: str, error: BaseException) -> PluginReport:
    reason = str(error) if isinstance(error, JvizError) else f"{type(error).__name__}: {error}"
    text = (
        f"The plugin {name} ({origin}) was not loaded: {reason}. "
        "Mend it, or add its name to the setting plugins.disabled; everything else works without it."
    )
    log.error(text)
    log.debug("%s", traceback.format_exc())
    return PluginReport(name, origin, ok=False, error=text, details=traceback.format_exc())


def _registries() -> dict[tuple[str, str], dict[str, Any]]:
    found = {}
    for module, attribute in REGISTRIES:
        if module in sys.modules and hasattr(sys.modules[module], attribute):
            found[module, attribute] = getattr(sys.modules[module], attribute)
    return found


@contextmanager
def _taken_out_on_failure(name: str, origin: str) -> Iterator[None]:
    """Watch what is declared inside; when it raises, everything is as it was before."""
    from jviz.backend.io.registry import readers
    from jviz.commands import all_commands

    all_commands(), readers()  # jviz's own must be there first, or they would count as the plugin's
    if not origin.startswith("jviz.plugins."):
        unload(name)
    kept = _of_plugin.get(name, {})
    before = {key: dict(registry) for key, registry in _registries().items()}
    try:
        yield
        declared = _new_ids(before)
        _refuse_taken(before)
    except BaseException:
        _put_back(before)
        sys.modules.pop(f"{FILES}.{name}", None)
        raise
    _stamp(declared, origin)
    _of_plugin[name] = declared if any(declared.values()) else kept


def _new_ids(before: dict[tuple[str, str], dict[str, Any]]) -> dict[tuple[str, str], list[Any]]:
    return {
        key: [id for id, value in registry.items() if id not in before.get(key, {}) and not _is_ours(value)]
        for key, registry in _registries().items()
    }


def _is_ours(value: Any) -> bool:
    """Whether a class is jviz's own: a plugin may be the first to import a module of jviz that declares it."""
    return isinstance(value, type) and value.__module__.startswith("jviz.")


def _refuse_taken(before: dict[tuple[str, str], dict[str, Any]]) -> None:
    for key, registry in _registries().items():
        for id, was in before.get(key, {}).items():
            if registry.get(id) is not was:
                owner = getattr(was, "origin", "jviz")
                raise JvizError(f"it declares {id!r}, which {owner} has declared already; give it another id")


def _put_back(before: dict[tuple[str, str], dict[str, Any]]) -> None:
    for key, registry in _registries().items():
        # Never emptied: the window may look something up while plugins are loaded in a job.
        for id in [id for id, value in registry.items() if id not in before.get(key, {}) and not _is_ours(value)]:
            del registry[id]
        registry.update(before.get(key, {}))


def _stamp(declared: dict[tuple[str, str], list[Any]], origin: str) -> None:
    """Write down who declared what, where a declaration can hold it."""
    if origin.startswith("jviz.plugins."):
        return
    for key, ids in declared.items():
        registry = _registries()[key]
        for id in ids:
            if is_dataclass(registry[id]) and hasattr(registry[id], "origin"):
                registry[id] = replace(registry[id], origin=origin)
