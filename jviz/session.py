"""The session: what is loaded, shown and done, with or without a window."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jviz import commands
from jviz.archives import Archives
from jviz.calibrations import Calibrations
from jviz.cube_spectra import CubeSpectra
from jviz.data import Data
from jviz.errors import CommandError, JvizError, SessionError
from jviz.history import History
from jviz.interaction import Interaction
from jviz.jobs import Dispatcher, Job, Jobs
from jviz.linking import Linker, Pointer
from jviz.live_spectra import LiveSpectra
from jviz.markers import Marker, table_of
from jviz.memento import Memento, Recorder, Step
from jviz.results import Results
from jviz.running import Runner
from jviz.samp import SampLink
from jviz.settings import Settings
from jviz.signals import Signal
from jviz.slabs import SlabFollower
from jviz.views import View, view_kinds

__all__ = ["Session"]

ONCE_SECONDS = 3.0
"""An error that is told again within this time is the same one, met by another job."""


class Session:
    """Everything a user works on; every change is recorded, can be undone and be written as a script.

    Parameters
    ----------
    settings : Settings or dict, optional
        The user's own by default; a dict gives values over the declared defaults, for this session only.

    Attributes
    ----------
    data : tuple of Data
    views : dict of str to View
        States of the viewers by name.
    subsets : dict
        Regions and masks by name.
    markers : tuple of Marker
        Logged places, with what was read there.
    results : Results
        What commands found out: tables, numbers, texts.
    history : History
    jobs : Jobs
    calibrations : Calibrations
        Workers and runs of calibration pipelines.
    data_changed, views_changed, subsets_changed, markers_changed, results_changed, history_changed : Signal
        Without arguments, emitted in the thread that owns the session.
    samp : SampLink
        Other programs, through SAMP.
    axis_unclear : Signal
        ``(cube)`` whose file does not say what its spectral axis is, when that is found out.
    noticed : Signal
        Emitted with (level, text) for what a user should know: "info", "warning" or "error".
    notices : deque of (str, str)
        The last 200 of them, for who listens too late (a session that is being loaded).
    linker : Linker
        Makes views with the same locks move together.
    pointer : Pointer
        Where the mouse is.
    live_spectra : LiveSpectra
        Spectra that are seen only now, in all spectrum viewers.
    cube_spectra : CubeSpectra
        Shows live spectra of the spaxel under the cursor and of the regions on cubes.
    extras_changed : Signal
        Emitted when a saved session brought its own extras.
    views_awaited : Signal
        Emitted with the kinds of views that are about to be opened, in the thread that reads their files.
    extras : dict
        Plain values that are saved with the session and that the model does not look at, such
        as the window's ``"layout"``.
    """

    def __init__(self, settings: Settings | dict[str, Any] | None = None) -> None:
        self.settings = Settings.of(settings) if isinstance(settings, dict) else settings or Settings()
        self.dispatcher = Dispatcher()
        self.jobs = Jobs(self.dispatcher)
        self.archives = Archives(self)
        self.calibrations = Calibrations(self)
        self.data_changed = Signal()
        self.views_changed = Signal()
        self.subsets_changed = Signal()
        self.markers_changed = Signal()
        self.results_changed = Signal()
        self.history_changed = Signal()
        self.noticed = Signal()
        self.axis_unclear = Signal()
        self.extras_changed = Signal()
        self.views_awaited = Signal()
        self.notices: deque[tuple[str, str]] = deque(maxlen=200)
        self.extras: dict[str, Any] = {}
        self._told = 0.0
        self.showing = False
        self.path: Path | None = None
        self._data: tuple[Data, ...] = ()
        self._views: tuple[View, ...] = ()
        self._subsets: dict[str, Any] = {}
        self.subsets_version = 0
        self.markers: tuple[Marker, ...] = ()
        self.results = Results(self.results_changed.emit)
        self.interaction = Interaction()
        self._history = History(self.history_changed.emit)
        self.linker = Linker(self)
        self.pointer = Pointer()
        self.live_spectra = LiveSpectra()
        self._recorder = Recorder(self)
        self._slabs = SlabFollower(self)
        self.cube_spectra = CubeSpectra(self)
        self.samp = SampLink(self)
        self._runner = Runner(self)
        self._saved = self.mark()

    # --- data -----------------------------------------------------------------------------------

    @property
    def data(self) -> tuple[Data, ...]:
        """All data, in the order in which they came."""
        return self._data

    @property
    def names(self) -> list[str]:
        """Names of all data."""
        return [d.name for d in self._data]

    def __getitem__(self, name: str) -> Data:
        for data in self._data:
            if data.name == name:
                return data
        known = ", ".join(self.names) or "nothing yet"
        raise SessionError(f"There is no data named {name!r}; the session holds {known}.")

    def __contains__(self, name: object) -> bool:
        return any(d.name == name or d is name for d in self._data)

    def __len__(self) -> int:
        return len(self._data)

    def __bool__(self) -> bool:
        """True, also when nothing is loaded yet."""
        return True

    def __iter__(self) -> Iterator[Data]:
        return iter(self._data)

    def _ipython_key_completions_(self) -> list[str]:
        return self.names

    def __repr__(self) -> str:
        held = (*(repr(data) for data in self._data), *(repr(view) for view in self._views))
        return f"<Session with {', '.join(held) or 'nothing yet'}>"

    def open(self, *paths: str | Path, show: bool | None = None, **options: Any) -> list[Data]:
        """Open files, folders or a saved session; waits until they are there.

        Parameters
        ----------
        paths : str or Path
        show : bool, optional
            Open viewers for them; by default when the session has a window.
        options : dict
            ``name=``, and what the reader takes: ``hdu="SCI,1"``, ``reader="fits"``.

        Returns
        -------
        list of Data

        Raises
        ------
        ReadError
            Names the file, the reason and what to do; the session stays as it was.
        """
        return self.run("file.open", paths=[str(p) for p in paths], show=show, **options)

    def add(self, thing: Any, name: str | None = None, **options: Any) -> Data:
        """Add an object: NDData, CCDData, Quantity, ndarray, Spectrum, Table, Regions, SpectralRegion.

        Raises
        ------
        CommandError
            When it is of no kind that jviz knows; its text lists them.
        """
        return self.run("data.add", thing=thing, name=name, **options)

    def subset(self, name: str, region: Any, data: str | Data | None = None) -> Any:
        """Name a region (pixel, sky or spectral) or a boolean mask of some data.

        Returns
        -------
        jviz.subsets.Subset
        """
        return self.run("subset.create", name=name, region=region, data=data)

    @property
    def subsets(self) -> dict[str, Any]:
        """Named regions and masks."""
        return dict(self._subsets)

    @property
    def glue(self) -> Any:
        """A glue ``DataCollection`` of all data, made on first use and kept in step."""
        from jviz.glue_data import collection_of

        return collection_of(self)

    # --- views ----------------------------------------------------------------------------------

    @property
    def views(self) -> dict[str, View]:
        """States of the viewers by name."""
        return {view.name: view for view in self._views}

    def view(self, kind: str, data: str | Data | None = None, **values: Any) -> View:
        """Open a view; a window shows it as a viewer.

        Parameters
        ----------
        kind : str
            "image", …: see `jviz.views.view_kinds`.
        values : dict
            Properties of the new state, ``stretch="asinh"``.

        Returns
        -------
        View
        """
        if kind not in view_kinds():
            raise CommandError(f"There is no viewer {kind!r}; there are {', '.join(view_kinds())}.")
        return self.run("view.open", kind=kind, data=data, **values)

    def render(self, view: View | str, path: str | Path, size: tuple[int, int] = (1200, 900), **options: Any) -> Path:
        """Draw a view into a PNG, PDF or SVG file, without a window.

        Parameters
        ----------
        size : (int, int)
            Width and height in pixels.

        Returns
        -------
        Path
            The file written.
        """
        return self.run("view.save", view=view, path=str(path), size=size, **options)

    # --- commands -------------------------------------------------------------------------------

    @property
    def commands(self) -> dict[str, commands.Command]:
        """Every command by id."""
        return commands.all_commands()

    def run(self, id: str, /, **arguments: Any) -> Any:
        """Run a command and wait for what it gives, also when it is a job.

        Raises
        ------
        JvizError
            When the arguments cannot be used or the command fails; nothing is changed then.
        """
        return self._runner.run(id, arguments)

    def submit(self, id: str, /, **arguments: Any) -> Job:
        """Start a command as a job and return at once."""
        return self._runner.submit(id, arguments)

    @property
    def history(self) -> History:
        """The steps done so far, newest last."""
        self._recorder.flush()
        return self._history

    def undo(self) -> str | None:
        """Take the last step back; returns its label, None when there is none."""
        with self.dispatcher.hold():
            entry = self.history.undo()
        return entry.label if entry else None

    def redo(self) -> str | None:
        """Do the last undone step again; returns its label."""
        with self.dispatcher.hold():
            entry = self.history.redo()
        return entry.label if entry else None

    def script(self) -> str:
        """Return the Python program that repeats this session without a window."""
        from jviz.script import script_of

        return script_of(self)

    # --- keeping --------------------------------------------------------------------------------

    def save(self, path: str | Path) -> Path:
        """Write the session (data by path and checksum, views, subsets, history) to a ``.jviz`` file."""
        from jviz.session_file import save

        return save(self, Path(path))

    @classmethod
    def load(cls, path: str | Path, *, search: list[str | Path] = (), settings: Settings | None = None) -> Session:
        """Read a session back; moved files are looked for beside it and in ``search``.

        Raises
        ------
        SessionError
            When it is no session; files that are not found are named in a notice.
        """
        from jviz.session_file import load

        return load(cls(settings), Path(path), [Path(p) for p in search])

    @property
    def modified(self) -> bool:
        """Whether something was done since the session was opened or saved."""
        return self.mark() != self._saved

    def unsaved(self) -> list[str]:
        """Return the labels of steps that would be lost; opening data, looking and moving about are none."""
        return self.history.work_since(self._saved, {result.command for result in self.results})

    def mark(self) -> Any:
        """Return a value that differs after every step, undo and redo."""
        self._recorder.flush()
        return self._history.mark()

    def saved_as(self, path: Path, mark: Any) -> None:
        """Remember where the session was saved, and as it was at which `mark`."""
        self.path, self._saved = path, mark
        self._history.seal()
        self.history_changed.emit()

    def close(self) -> None:
        """Pause downloads, cancel the jobs, end their threads, let go of the library and of others."""
        # First, or the jobs that wait for downloads would cancel those that are only to be paused.
        self.archives.stop()
        self.samp.close()
        self.jobs.close()
        self.calibrations.close()
        self.archives.close()

    # --- for commands, files and the window -----------------------------------------------------

    @contextmanager
    def change(self, label: str, *, lines: list[str] = (), merge: Any = None, command: str = "") -> Iterator[Step]:
        """Record all that happens to data, views and subsets inside as one step.

        When the body raises, everything is put back as it was.
        """
        record = self._recorder.step(label, lines=list(lines), merge=merge, command=command)
        with self.dispatcher.hold(), record as step:
            yield step

    @contextmanager
    def unrecorded(self) -> Iterator[None]:
        """Show, and take away again, what is there only while a job goes on: no step of the history."""
        with self.dispatcher.hold(), self._recorder.unrecorded():
            yield

    def flush(self) -> None:
        """Turn changes of view states that are still being made (a drag) into a step of the history."""
        self._recorder.flush()

    def notice(self, level: str, text: str) -> None:
        """Tell the user something without stopping anybody; what two jobs find out at the same time is told once."""
        now, known = time.monotonic(), self.notices and self.notices[-1] == (level, text)
        if known and level == "error" and now - self._told < ONCE_SECONDS:
            return
        self._told = now
        self.notices.append((level, text))
        self.dispatcher.call(lambda: self.noticed.emit(level, text))

    def receivers(self) -> list[tuple[Signal, list[Any]]]:
        """Return who hears of what now; a window takes it before it connects anything."""
        signals = (
            self.data_changed, self.views_changed, self.subsets_changed, self.markers_changed, self.results_changed,
            self.history_changed, self.extras_changed, self.noticed, self.jobs.changed, self.settings.changed,
            self._recorder.touched, self.interaction.changed, self.interaction.selection_changed,
            self.interaction.line_changed, self.interaction.pixel_changed, self.pointer.moved,
            self.live_spectra.changed, self.axis_unclear, self.calibrations.changed, self.samp.changed,
        )  # fmt: skip
        return [(signal, signal.receivers()) for signal in signals]

    def restore_receivers(self, receivers: list[tuple[Signal, list[Any]]]) -> None:
        """Forget all who connected since `receivers` was asked for: without a window, jobs would call them."""
        for signal, connected in receivers:
            signal.restore(connected)

    def memento(self) -> Memento:
        """Return what `restore` needs to come back to the present."""
        return self._recorder.capture()

    def set_data(self, data: tuple[Data, ...]) -> None:
        """Replace the tuple of data (inside `change`)."""
        if data != self._data:
            left = set(self._data).difference(data)
            self._data = data
            for one in left:
                one.let_go()
            self.data_changed.emit()

    def set_views(self, views: tuple[View, ...]) -> None:
        """Replace the tuple of views (inside `change`)."""
        if views != self._views:
            self._views = views
            self._recorder.watch(views)
            self.linker.watch(views)
            self.views_changed.emit()

    def set_extras(self, extras: dict[str, Any]) -> None:
        """Replace the extras by those of a saved session."""
        self.extras = dict(extras)
        self.extras_changed.emit()

    def set_subsets(self, subsets: dict[str, Any]) -> None:
        """Replace the subsets (inside `change`)."""
        if subsets != self._subsets or list(subsets) != list(self._subsets):
            self._subsets = dict(subsets)
            self.subsets_version += 1
            self.subsets_changed.emit()

    def set_markers(self, markers: tuple[Marker, ...]) -> None:
        """Replace the markers (inside `change`); their table among the results follows."""
        if markers != self.markers:
            self.markers = markers
            self.results.follow("marker.table", "Markers", table_of(markers) if markers else None)
            self.markers_changed.emit()

    def find_view(self, view: View | str | None, kind: str = "") -> View:
        """Return a view by object or name; None: the newest (of that kind).

        Raises
        ------
        SessionError
            When there is none.
        """
        if isinstance(view, View):
            return view
        if view is not None:
            if view in self.views:
                return self.views[view]
            raise SessionError(f"There is no view named {view!r}; there are {', '.join(self.views) or 'none'}.")
        for candidate in reversed(self._views):
            if not kind or kind in candidate.kinds():
                return candidate
        raise SessionError(f"No {kind or 'view'} is open; open one with session.view({kind or 'image'!r}, data=…).")

    def find_subset(self, subset: Any) -> Any:
        """Return a subset by object or name: of an object that was replaced meanwhile, the one of its name.

        Raises
        ------
        CommandError
            When there is none.
        """
        name = getattr(subset, "name", subset)
        if name not in self._subsets:
            raise CommandError(f"There is no subset {name!r}; there are {', '.join(self._subsets) or 'none'}.")
        return self._subsets[name]

    def find_data(self, data: Data | str) -> Data:
        """Return data by object or name."""
        if isinstance(data, Data):
            if data not in self._data:
                if data.name in self.names:
                    raise JvizError(f"This {data.name} was replaced since; use its name, or session[{data.name!r}].")
                raise JvizError(f"{data.name} is not in this session; add it first.")
            return data
        return self[data]
