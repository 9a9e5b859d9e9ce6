"""Settings: each declared once with its type, default and meaning; kept in one TOML file."""

from __future__ import annotations

import copy
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from jviz.backend.names import SESAME
from jviz.errors import JvizError
from jviz.signals import Signal

__all__ = ["Setting", "Settings", "declare", "declared"]


@dataclass(frozen=True)
class Setting:
    """One declared setting: ``key`` is ``section.name``."""

    key: str
    type: Any
    default: Any
    title: str
    help: str
    low: float | None = None
    high: float | None = None

    @property
    def choices(self) -> tuple[Any, ...]:
        """The allowed values of a Literal, else empty."""
        return get_args(self.type) if get_origin(self.type) is Literal else ()

    def checked(self, value: Any) -> Any:
        """Return the value in the declared type, or raise `JvizError`."""
        if self.choices:
            if value in self.choices:
                return value
            raise JvizError(f"{self.key} cannot be {value!r}; choose one of {', '.join(map(str, self.choices))}.")
        if self.type is bool and not isinstance(value, bool):
            raise JvizError(f"{self.key} cannot be {value!r}; it is either true or false.")
        try:
            number = self.type(value)
            if self.type in (int, float) and not (isinstance(value, str) or number == value):
                raise ValueError
            value = number
        except (TypeError, ValueError):
            raise JvizError(f"{self.key} cannot be {value!r}; it takes a {self.type.__name__}.") from None
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            raise JvizError(f"{self.key} is {value}; it must lie between {self.low} and {self.high}.")
        return value


_declared: dict[str, Setting] = {}


def declare(
    key: str, type: Any, default: Any, title: str, help: str, *, low: float | None = None, high: float | None = None
) -> Setting:
    """Declare a setting; the preferences and the documentation follow from it."""
    _declared[key] = Setting(key, type, default, title, help, low, high)
    return _declared[key]


def declared() -> dict[str, Setting]:
    """Return every declared setting by key."""
    return dict(_declared)


declare(
    "window.theme",
    Literal["system", "dark", "light"],
    "system",
    "Theme",
    "Colours of the window; “system” follows the desktop.",
)
declare(
    "window.confirm_close",
    bool,
    True,
    "Ask before closing",
    "Ask when the window is closed over unsaved work or while jobs run, and before another session takes its place.",
)
declare(
    "window.recent_files", int, 20, "Recent files", "How many recently opened files are remembered.", low=0, high=200
)
declare(
    "results.show", bool, True, "Show results", "Bring the Results panel to the front when a command gave a result."
)
declare("window.shortcuts", dict, {}, "Shortcuts", "Keys that differ from the built-in ones; see the shortcut editor.")
declare("image.colormap", str, "gray", "Colour map", "Colour map of newly opened images.")
declare(
    "image.stretch",
    Literal["auto", "linear", "sqrt", "log", "asinh"],
    "auto",
    "Stretch",
    "Stretch of newly opened images; “auto” takes what suits the data.",
)
declare(
    "image.limits",
    Literal["auto", "minmax", "99.5", "zscale"],
    "auto",
    "Limits",
    "Limits of newly opened images; “auto” takes robust percentiles.",
)
declare(
    "image.pixel_origin",
    Literal[0, 1],
    0,
    "First pixel",
    "Number of the first pixel in read-outs: 0 as in Python, 1 as in FITS and DS9.",
)
declare(
    "image.sky_frame",
    Literal["icrs", "fk5", "fk4", "galactic", "ecliptic"],
    "icrs",
    "Sky frame",
    "Frame of the sky coordinates in read-outs and grids.",
)
declare(
    "image.sky_style", Literal["sexagesimal", "degrees"], "sexagesimal", "Sky style", "How sky coordinates are written."
)
declare("image.zoom_step", float, 1.25, "Zoom step", "Factor of one step of the mouse wheel.", low=1.01, high=4.0)
declare(
    "image.smooth",
    bool,
    False,
    "Smooth magnified pixels",
    "Interpolate between pixels when an image is magnified, instead of showing them as squares.",
)
declare(
    "image.blink",
    float,
    0.5,
    "Blink pace",
    "Seconds for which each image is shown when they blink.",
    low=0.05,
    high=60.0,
)
declare(
    "cache.limit_gb",
    float,
    10.0,
    "Cache limit in GB",
    "Largest size of the cache folder (pyramids, decompressed files); the least recently used goes first.",
    low=0.1,
    high=10000.0,
)
declare(
    "session.autosave_seconds",
    int,
    20,
    "Autosave interval in s",
    "How often a changed session is saved for recovery; 0 turns it off.",
    low=0,
    high=3600,
)
declare(
    "network.name_resolver",
    str,
    SESAME[0],
    "Name resolver",
    "Address of the Sesame service that turns names of objects into positions; the name is appended to it.",
)
declare(
    "archive.keep_minutes",
    float,
    60.0,
    "Keep answers for (minutes)",
    "A search that was asked so recently is answered from memory; 0 asks anew each time.",
    low=0,
    high=1e5,
)
declare(
    "archive.registry",
    str,
    "https://dc.g-vo.org/tap",
    "Registry of services",
    "Address of the registry of the Virtual Observatory that is asked which services there are (TAP with RegTAP).",
)
declare("archive.own_services", list, [], "Services that are kept", "Each with its name, title, kind and address.")
declare(
    "archive.logins",
    dict,
    {},
    "Log-ins at archives",
    "The name of the user by host, where the keyring of the desktop has the password; archive.login_to changes it.",
)
declare("archive.adql_history", list, [], "Questions in ADQL", "The last ones, each with the service that was asked.")
declare(
    "archive.product_filters",
    dict,
    {},
    "Filters of products",
    "Which products the Archive panel lists: level, type, suffix and extension, as they were chosen last.",
)
declare(
    "archive.footprints_on_images",
    bool,
    True,
    "Footprints on images",
    "Draw the footprints of what was found over the images while the Archive panel is seen.",
)
declare("archive.hidden_columns", list, [], "Hidden columns", "Columns of archives that their table does not show.")
declare(
    "library.take_opened",
    bool,
    True,
    "Take opened files into the library",
    "Files that are opened or dropped in the window are taken into the library; they stay where they are.",
)
declare(
    "library.watch_seconds",
    int,
    10,
    "Watch linked folders every (seconds)",
    "How often the window looks whether files came, went or moved in folders linked to the library; 0: never.",
    low=0,
    high=86400,
)
declare(
    "library.check_quality",
    bool,
    True,
    "Look at products in the library",
    "A short report is made of each JWST product that comes into the library, beside everything else, and its verdict "
    "stands in the table.",
)
declare(
    "library.store_limit_gb",
    float,
    100.0,
    "Limit of the store in GB",
    "Largest size of downloads in jviz's own folder; what can be fetched again, is not pinned and was not used for "
    "longest is dropped. 0: no limit.",
    low=0,
    high=1e6,
)
declare(
    "library.thumbnails_mb",
    float,
    200.0,
    "Small pictures in MB",
    "Largest size of the small pictures of the library; those that were not seen for longest go first.",
    low=1,
    high=1e5,
)
declare(
    "library.draw_ahead",
    bool,
    True,
    "Draw small pictures ahead",
    "Small pictures of new files of the library are drawn before they are looked at, while nothing else is to be done.",
)
declare(
    "library.hidden_columns",
    list,
    ["cal_ver", "crds_ctx", "detector", "exp_type", "grating", "obs_id", "obs_title", "s_region", "sha256", "source",
     "t_max", "t_min"],
    "Hidden columns of the library",
    "Columns that the table of the library does not show.",
)  # fmt: skip
declare(
    "samp.connect",
    bool,
    False,
    "Connect to other programs at the start",
    "Through the SAMP hub, as TOPCAT, DS9 and Aladin do.",
)
declare(
    "samp.own_hub",
    bool,
    True,
    "Start a SAMP hub when there is none",
    "For programs on this machine only; it ends with jviz.",
)
declare(
    "samp.web_pages",
    bool,
    False,
    "Let pages in a browser ask to connect",
    "To jviz's own hub, as Aladin Lite and ESASky do (SAMP's web profile). You are asked for each page.",
)
declare(
    "samp.link_rows",
    bool,
    True,
    "Select rows together with other programs",
    "Of tables that were sent or received: what is selected in one program is selected in all.",
)
declare(
    "samp.follow_positions",
    bool,
    True,
    "Follow positions of other programs",
    "Centre the images on the places on the sky that other programs point at.",
)
declare(
    "samp.limit_mb",
    float,
    2000.0,
    "Largest file from other programs in MB",
    "What they offer on the network; files on this machine are opened where they are.",
    low=0.001,
    high=1e6,
)
declare("network.offline", bool, False, "Work offline", "Never ask a server; only what is known locally.")
declare(
    "cube.spectrum_viewer",
    bool,
    True,
    "Spectrum viewer with a cube",
    "Open a spectrum viewer below the first cube that is opened.",
)
declare(
    "cube.region_statistic",
    Literal["mean", "sum", "median", "min", "max"],
    "mean",
    "Spectra of regions",
    "What is worked out over the spaxels of regions while they are drawn and moved.",
)
declare("cube.axes", dict, {}, "Spectral axes", "What was said about cubes and spectra: axes, errors, units; by file.")
declare(
    "calibration.folder",
    str,
    "",
    "Folder of calibrations",
    "Where each run of a pipeline gets a folder of its own; empty: in jviz's data folder.",
)
declare(
    "calibration.cluster",
    str,
    "",
    "Cluster",
    "Where pipelines run: empty, this computer; the address of a dask scheduler (tcp://host:8786); local, slurm or "
    "htcondor, a cluster of dask that jviz makes.",
)
declare(
    "calibration.cluster_jobs",
    int,
    4,
    "Exposures side by side on a cluster",
    "How many exposures a cluster works on at the same time, and how many jobs jviz asks a queue for.",
    low=1,
    high=1000,
)
declare(
    "calibration.cluster_options",
    str,
    "",
    "Options of the queue",
    "Of jobs of slurm and htcondor, for example: queue=normal account=jwst memory=16GB walltime=04:00:00.",
)
declare("ccd.instruments", dict, {}, "Keywords of CCD frames", "Instruments as ccd.map_keywords describes them.")
declare(
    "calibration.report", bool, False, "Check products on opening",
    "Look at flags, background and header of each JWST product that is opened, and tell what is bad.",
)  # fmt: skip
declare("calibration.presets", dict, {}, "Presets of pipelines", "Parameters of steps by pipeline and by name.")
declare("plugins.disabled", list, [], "Disabled plugins", "Names of the plugins that are not loaded.")


class Settings:
    """The user's values over the declared defaults.

    Parameters
    ----------
    path : Path, optional
        The TOML file; by default ``settings.toml`` in the configuration folder.

    Attributes
    ----------
    changed : Signal
        Emitted with the key of a value that changed.
    """

    def __init__(self, path: Path | None = None) -> None:
        from jviz.backend.cache import home

        self.path: Path | None = path or home("config") / "settings.toml"
        self.changed = Signal()
        self.problems: list[str] = []
        self._aside: Path | None = None
        self._values = self._read(self.path)

    @classmethod
    def of(cls, values: dict[str, Any]) -> Settings:
        """Make settings of some values over the defaults, which are kept in no file."""
        settings = cls.__new__(cls)
        settings.path, settings.changed, settings.problems, settings._aside = None, Signal(), [], None
        settings._values = {key: settings._setting(key).checked(value) for key, value in values.items()}
        return settings

    def __getitem__(self, key: str) -> Any:
        setting = self._setting(key)
        # A copy, so that nobody changes a list or a dict behind the file's back.
        return copy.deepcopy(self._values.get(key, setting.default))

    def differing(self, section: str) -> dict[str, Any]:
        """Return the values of a section that are not the defaults."""
        keys = [key for key in self._values if key.startswith(f"{section}.") and key in _declared]
        return {key: self[key] for key in sorted(keys) if self[key] != _declared[key].default}

    def __setitem__(self, key: str, value: Any) -> None:
        value = self._setting(key).checked(value)
        if self[key] == value:
            return
        self._values[key] = value
        self._write()
        self.changed.emit(key)

    def reset(self, key: str) -> None:
        """Go back to the default."""
        if self._values.pop(key, None) is not None:
            self._write()
            self.changed.emit(key)

    def _setting(self, key: str) -> Setting:
        if key not in _declared:
            raise JvizError(f"There is no setting {key!r}; see Preferences for those there are.")
        return _declared[key]

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            sections = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:  # UnicodeDecodeError and TOMLDecodeError are ValueErrors
            self._aside = path.with_name(f"{path.name}.unreadable")
            self.problems.append(
                f"{path} could not be read ({error}); the defaults are used. Before settings are changed it is kept "
                f"as {self._aside.name}."
            )
            return {}
        return self._checked(sections)

    def _checked(self, sections: dict[str, Any]) -> dict[str, Any]:
        values = {}
        for section, content in sections.items():
            for name, value in content.items() if isinstance(content, dict) else ():
                key = f"{section}.{name}"
                # Settings of plugins that are not loaded now are kept as they are.
                try:
                    values[key] = _declared[key].checked(value) if key in _declared else value
                except JvizError as error:
                    self.problems.append(f"{self.path}: {error} The default is used.")
        return values

    def _write(self) -> None:
        import tomlkit

        from jviz.backend.files import writing

        if self.path is None:
            return
        document = tomlkit.document()
        for key in sorted(self._values):
            section, name = key.split(".", 1)
            document.setdefault(section, tomlkit.table())[name] = self._values[key]
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self._aside is not None and self.path.exists():
                os.replace(self.path, self._aside)
                self._aside = None
            with writing(self.path) as temporary:
                temporary.write_text(tomlkit.dumps(document), encoding="utf-8")
        except (OSError, JvizError) as error:
            self.problems.append(f"Settings are not kept for the next time: {error}")
