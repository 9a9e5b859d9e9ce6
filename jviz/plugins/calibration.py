"""The panel in which data are calibrated: inputs, steps and their forms, reference files, runs, before and after."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, QTimer
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from jviz.api import (
    Job,
    JvizError,
    LiveRun,
    ReferenceRow,
    changed_values,
    in_turn,
    inputs_of,
)
from jviz.plugins import parts
from jviz.plugins.calibration_form import StepForm
from jviz.plugins.calibration_pages import ComparePage, LogPage, RunsPage
from jviz.plugins.calibration_presets import PresetButton
from jviz.plugins.calibration_quality import QualityPage
from jviz.plugins.calibration_references import GivenReferences
from jviz.plugins.calibration_steps import StepTree, found_in, taken
from jviz.plugins.calibration_work import best_of, looked_at
from jviz.plugins.parts import Line, Newest, Panel, ProgressBar, muted, tool_button

__all__ = ["CalibrationPanel"]

NOTHING_YET = "Show a JWST exposure (uncal, rate, cal), or choose files, to calibrate them here."

RUN_PAUSE = 100
"""Milliseconds between two looks at a run that goes on."""


class CalibrationPanel(Panel):
    """Calibrate JWST exposures with the pipelines of STScI, step by step.

    The product of the active view, or files you choose, and the pipeline that takes them on. Tick the steps that are
    to run, choose one to see its parameters and reference files; what you change is bold, and a file may be dropped
    on a reference. Run all, up to the chosen step, or only that one. Amber: done, but read the log.
    """

    empty_text = ""
    pause_ms = 60

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.choice: Any = None
        self.values: dict[tuple[str, str], dict[str, Any]] = {}
        self.ticks: dict[str, dict[str, bool]] = {}
        self.given = GivenReferences(self)
        self.best: dict[str, ReferenceRow] = {}
        self._inputs: tuple[Any, ...] = ()
        self._asked: tuple[Any, str] | None = None
        self._forms: dict[str, StepForm] = {}
        self._job: Job | None = None
        self._shown_run: LiveRun | None = None
        self._inputs_newest = Newest(self.links, self.session, "Calibration steps", self._look, apart=True)
        self._best_newest = Newest(self.links, self.session, "Reference files", self._ask_best)
        # A pipeline says dozens of lines a second.
        self._run_pause = QTimer(self, singleShot=True, interval=RUN_PAUSE)
        self._run_pause.timeout.connect(self._show_run)
        self._make_parts()
        self._arrange()
        self._connect()

    # --- parts ----------------------------------------------------------------------------------

    def _make_parts(self) -> None:
        self.title = Line()
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.pipeline = QComboBox(placeholderText="Choose a pipeline")
        self.pipeline.setAccessibleName("Pipeline")
        self.search = QLineEdit(placeholderText="Find a step or parameter", clearButtonEnabled=True)
        self.search.setAccessibleName("Find a step or parameter")
        self.tree, self.forms = StepTree(self.context), QStackedWidget()
        self.forms.addWidget(QWidget())  # the only page would come into sight, and be laid out, while it is made
        self.note = muted(QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText))
        self.log, self.compare = LogPage(), ComparePage(self.context, self.links)
        self.runs = RunsPage(self.context, self.links)
        self.quality = QualityPage(self.context, self.links)
        self.stream = QCheckBox("Show steps")
        self.stream.setToolTip("Show the product of each step in a viewer while the run goes on, and keep it")
        self.all_button, self.here_button = QPushButton("Run All"), QPushButton("To Here")
        self.only_button, self.cancel_button = QPushButton("Only This"), QPushButton("Cancel")
        self.here_button.setToolTip("Run the steps up to the chosen one")
        self.only_button.setToolTip("Run the chosen step alone on the product")
        self.bar = ProgressBar("Progress of the calibration")
        self.status = muted(QLabel(textFormat=Qt.TextFormat.PlainText))
        self.status.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.presets = PresetButton(self)

    def _arrange(self) -> None:
        button = partial(tool_button, self.context)
        head, second, foot = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(button("fa6s.folder-open", "Choose files or an association", self.choose_files))
        self.follow = button("fa6s.eye", "Follow the active view; off: stay with these inputs", self._follow_view)
        self.follow.setCheckable(True)
        self.follow.setChecked(True)
        head.addWidget(self.follow)
        second.addWidget(self.pipeline, 1)
        second.addWidget(self.presets)
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        split.addWidget(self.tree)
        split.addWidget(self.forms)
        split.setSizes([300, 300])
        steps = QWidget()
        column = QVBoxLayout(steps)
        column.setContentsMargins(0, 6, 0, 0)
        column.addWidget(self.search)
        column.addWidget(split, 1)
        self.tabs = QTabWidget(documentMode=True)
        self.tabs.setAccessibleName("Pages of the calibration")
        pages = {"Steps": steps, "Log": self.log, "Before and After": self.compare, "Quality": self.quality,
                 "Runs": self.runs}
        for words, widget in pages.items():
            self.tabs.addTab(widget, words)
        for widget in (self.stream, self.all_button, self.here_button, self.only_button, self.cancel_button):
            foot.addWidget(widget)
            if widget is self.stream:
                foot.addStretch(1)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(8, 6, 8, 8)
        layout.setSpacing(4)
        for part in (head, second, self.note, self.tabs, self.bar, self.status, foot):
            layout.addLayout(part) if isinstance(part, QHBoxLayout) else layout.addWidget(part)
        layout.setStretchFactor(self.tabs, 1)

    def _connect(self) -> None:
        self.context.active_changed.connect(self.later)
        self.links.signal(self.session.data_changed, self.later)
        self.links.signal(self.session.calibrations.changed, self._run_changed)
        self.links.signal(self.session.jobs.changed, self._job_changed)
        self.pipeline.activated.connect(lambda _: self._choose_pipeline())
        self.tree.currentItemChanged.connect(lambda *_: self._show_form())
        self.tree.ticked.connect(self._ticked)
        parts.item_menu(self.tree, self._fill_menu)
        self.search.textChanged.connect(self._find)
        self.all_button.clicked.connect(self.run_all)
        self.here_button.clicked.connect(self.run_to_here)
        self.only_button.clicked.connect(self.run_only_this)
        self.cancel_button.clicked.connect(self.cancel)
        self._settle()

    # --- inputs ---------------------------------------------------------------------------------

    def _follow_view(self) -> None:
        if self.follow.isChecked():
            self._inputs = ()
            self._ask_again()
        elif self.choice is not None:
            self._inputs = self.choice.inputs

    def choose_files(self) -> None:
        """Choose exposures or an association."""
        paths, _ = QFileDialog.getOpenFileNames(self, "Exposures or an association", "",
                                                "Exposures and associations (*.fits *.json)")  # fmt: skip
        if paths:
            self.take_files(paths)

    def take_files(self, paths: list[str]) -> None:
        """Calibrate these files."""
        self._inputs = tuple(Path(path) for path in paths)
        self.follow.setChecked(False)
        self._ask_again()

    def refresh(self) -> None:
        things = self._inputs or self._active()
        if self._asked is not None and things != self._asked[0]:
            self.pipeline.setProperty("named", False)  # a pipeline was named for what was shown before
        asked = (things, self._named())
        if asked != self._asked and self._job is None:
            self._asked = asked
            self._inputs_newest.ask()
        self.compare.refresh()

    def _ask_again(self) -> None:
        self._asked = None
        self.pipeline.setProperty("named", False)
        self.later()

    def _active(self) -> Any:
        view = self.context.active_view()
        data = getattr(view, "data", None)
        return data if data is not None and data in self.session.data else None

    def _named(self) -> str:
        return str(self.pipeline.currentData() or "") if self.pipeline.property("named") else ""

    def _choose_pipeline(self) -> None:
        self.pipeline.setProperty("named", True)
        self.later()

    def _look(self) -> Any:
        things = self._inputs or (self._active(),)
        inputs = inputs_of([thing for thing in things if thing is not None])
        if not inputs:
            said = (parts.unwritten(thing, "to calibrate it") for thing in things)
            self._show_choice(None, next(filter(None, said), NOTHING_YET))
            return None
        if self.choice is None:
            self._say("Reading the steps of the pipelines; the first time takes a while.")
        return partial(looked_at, self.session, inputs, self._named()), self._show_choice

    def _show_choice(self, choice: Any, problem: str, pipelines: tuple[str, ...] = ()) -> None:
        self.choice = choice
        self._say(problem or (choice.problem if choice is not None else ""))
        self.title.setText(choice.title if choice is not None else "")
        self.title.setToolTip("\n".join(map(str, choice.paths)) if choice is not None else "")
        self.best = {}
        self._clear_forms()
        rows = choice.all_rows if choice is not None else ()
        self.tree.show_steps(rows, self.ticks.get(choice.pipeline.name, {}) if choice is not None else {})
        self._offer_pipelines(pipelines, choice.pipeline.name if choice is not None else "")
        if choice is not None:
            self._best_newest.ask()
            self.show_changes()
        self._settle()
        in_turn(self._show_form)

    def _say(self, text: str) -> None:
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def _offer_pipelines(self, pipelines: tuple[str, ...], chosen: str) -> None:
        with QSignalBlocker(self.pipeline):
            if self.pipeline.count() != len(pipelines):
                self.pipeline.clear()
                for name in pipelines:
                    self.pipeline.addItem(name.removeprefix("calwebb_"), name)
            # None, where no pipeline takes the product on: one may be chosen.
            self.pipeline.setCurrentIndex(self.pipeline.findData(chosen) if chosen else -1)
        self.pipeline.setEnabled(bool(pipelines))

    def _ask_best(self) -> Any:
        choice = self.choice
        if choice is None:
            return None
        return partial(best_of, choice), partial(self._show_best, choice)

    def _show_best(self, choice: Any, best: dict[str, ReferenceRow]) -> None:
        if choice is self.choice:
            self.best = best
            self.tree.show_files(best, self.given.files, choice.rows)
            for form in self._forms.values():
                form.show_best(best)

    # --- steps ----------------------------------------------------------------------------------

    def _clear_forms(self) -> None:
        # The one in sight last: any other that came into sight would be laid out once more.
        for form in sorted(self._forms.values(), key=lambda form: form is self.forms.currentWidget()):
            self.forms.removeWidget(form)
            form.deleteLater()
        self._forms = {}

    def form(self, name: str) -> StepForm:
        """Return the form of a step, made when it is first asked for."""
        if name not in self._forms:
            row = next(row for row in self.choice.all_rows if row.info.name == name)
            values = self.values.setdefault((self.choice.pipeline.name, name), {})
            form = StepForm(self.context, row, values, self.given, self.best)
            form.changed.connect(self.show_changes)
            form.find(self.search.text())
            self.forms.addWidget(form)
            parts.in_tab_order(self.tree, *form.stops())
            self._forms[name] = form
        return self._forms[name]

    def forms_of_steps(self) -> list[StepForm]:
        """Return the forms that there are by now."""
        return list(self._forms.values())

    def _show_form(self) -> None:
        if self.choice is not None and self.tree.chosen:
            self.form(self.tree.chosen)
            # To make a form and to lay it out takes half a frame each.
            in_turn(self._raise_form)
        self._settle()

    def _raise_form(self) -> None:
        if self.tree.chosen in self._forms:
            self.forms.setCurrentWidget(self._forms[self.tree.chosen])

    def show_changes(self) -> None:
        """Mark the steps that have changed parameters, and say which reference files they get."""
        if self.choice is None:
            return
        name = self.choice.pipeline.name
        changed = {row.info.name for row in self.choice.all_rows if self.values.get((name, row.info.name))}
        changed |= {step for step in self.ticks.get(name, {})}
        self.tree.show_changed(changed)
        self.tree.show_files(self.best, self.given.files, self.choice.rows)

    def _ticked(self, name: str, on: bool) -> None:
        row = next(row for row in self.choice.rows if row.info.name == name)
        ticks = self.ticks.setdefault(self.choice.pipeline.name, {})
        ticks[name] = on
        if on == row.runs:
            del ticks[name]
        self.show_changes()

    def _find(self, text: str) -> None:
        if self.choice is None:
            return
        if not text.strip():
            self.tree.show_found(None)
        else:
            words = text.lower().split()
            names = {row.info.name for row in self.choice.all_rows if found_in(row, words)}
            self.tree.show_found(names)
            self.tree.choose_one_of(names)
        for name, form in self._forms.items():
            form.find("" if all(word in name for word in text.lower().split()) else text)

    def take_steps(self, steps: dict[str, Any]) -> None:
        """Take over parameters by step, in place of those in the forms."""
        name, values, ticks = self.choice.pipeline.name, {}, {}
        try:
            for row in self.choice.all_rows:
                values[name, row.info.name], tick = taken(row, steps.get(row.info.name, {}))
                if tick is not None:
                    ticks[row.info.name] = tick
        except JvizError as error:
            self.context.notify("error", str(error))
            return
        self.values |= values
        self.ticks[name] = ticks
        self._clear_forms()
        self.tree.show_steps(self.choice.all_rows, ticks)
        self.show_changes()
        self._show_form()

    def _fill_menu(self, menu: QMenu, item: QTreeWidgetItem) -> None:
        self.tree.setCurrentItem(item)
        for button, words, run in ((self.here_button, "Run To Here", self.run_to_here),
                                   (self.only_button, "Run Only This", self.run_only_this)):  # fmt: skip
            menu.addAction(words, run).setEnabled(button.isEnabled())

    # --- running --------------------------------------------------------------------------------

    def steps(self) -> dict[str, Any]:
        """Return what differs from the defaults, as the command takes it.

        Raises
        ------
        JvizError
            When a parameter cannot be.
        """
        name, found = self.choice.pipeline.name, {}
        for row in self.choice.all_rows:
            step = row.info.name
            changed: Any = changed_values(row.info, self.values.get((name, step), {}))
            if step in self.ticks.get(name, {}):
                runs = self.ticks[name][step]
                changed = {**changed, "skip": not runs} if changed else runs
            if changed or changed is False:
                found[step] = changed
        return found

    def run_all(self) -> None:
        """Run the pipeline."""
        self._run()

    def run_to_here(self) -> None:
        """Run the steps up to the chosen one."""
        self._run(until=self.tree.chosen)

    def run_only_this(self) -> None:
        """Run the chosen step on the product."""
        step, name = self.tree.chosen, self.choice.pipeline.name
        row = next(row for row in self.choice.rows if row.info.name == step)
        try:
            values = changed_values(row.info, self.values.get((name, step), {}))
        except JvizError as error:
            self.context.notify("error", str(error))
            return
        overrides = {f"override_{kind}": path for kind, path in self.given.files.items() if kind in row.info.references}
        given = {"data": self.choice.inputs[0], "step": step, **values, **overrides}
        self._started(self.context.run("calibration.step", **given))

    def _run(self, **more: Any) -> None:
        choice = self.choice
        try:
            steps = self.steps()
        except JvizError as error:
            self.context.notify("error", str(error))
            return
        kinds = choice.pipeline.references
        files = {kind: path for kind, path in self.given.files.items() if kind in kinds}
        arguments = {"inputs": list(choice.inputs), **more}
        arguments |= {"pipeline": choice.pipeline.name} if choice.pipeline.name != choice.usual else {}
        arguments |= {"steps": steps} if steps else {}
        arguments |= {"references": files} if files else {}
        arguments |= {"stream": True} if self.stream.isChecked() else {}
        self._started(self.context.run("calibration.run", **arguments))

    def _started(self, job: Any) -> None:
        if isinstance(job, Job):
            self._job = job
            # The run's own states stay in sight when its products open.
            self._inputs = self.choice.inputs
            self.follow.setChecked(False)
            self._asked = (self._inputs, self._named())
            self.tree.show_states({row.info.name: {"state": "none"} for row in self.choice.rows})
        self._settle()

    def cancel(self) -> None:
        """Stop the run; nothing is left of it."""
        if self._job is not None:
            self._job.cancel()

    def _run_changed(self, run: LiveRun) -> None:
        if run.job is self._job or self._job is None:
            self._shown_run = run
            if not self._run_pause.isActive():
                self._run_pause.start()

    def _show_run(self) -> None:
        if (run := self._shown_run) is not None:
            self.tree.show_states({row.info.name: run.state_of(row.info.name) for row in self._rows()})
            self.log.show_run(run)

    def _job_changed(self, job: Job) -> None:
        if job is not self._job:
            return
        self.bar.show_progress(round(1000 * job.progress), 1000 if job.total else 0)
        self.status.setText(_words(job))
        self.status.setToolTip(self.status.text())
        if job.is_over:
            self._show_run()
            self._job = None
            if job.state == "done":
                self._offer_comparison(job)
        self._settle()

    def _offer_comparison(self, job: Job) -> None:
        """Choose for Before and After what the run made, and what it was made of or replaces."""
        made = [data for data in job.result(5) if data in self.session.data]
        others = [data for data in self.session.data if made and data not in made and data.shape == made[0].shape]
        if made and others:
            self.compare.choose(others[-1].name, made[0].name)

    def _rows(self) -> tuple:
        return self.choice.rows if self.choice is not None else ()

    def _settle(self) -> None:
        """Enable what can be done."""
        ready = self.choice is not None and self._job is None
        chosen = self.tree.chosen in [row.info.name for row in self._rows()]  # not the pipeline itself
        fits = ready and not self.choice.problem
        self.all_button.setEnabled(fits)
        self.here_button.setEnabled(fits and chosen)
        self.only_button.setEnabled(ready and chosen and len(self.choice.paths) == 1)
        self.cancel_button.setEnabled(self._job is not None)
        self.bar.setVisible(self._job is not None)


def _words(job: Job) -> str:
    if job.state == "done":
        return f"Done in {job.ended - job.started:.1f} s"
    if job.state == "failed":
        return str(job.error)
    if job.state == "cancelled":
        return "Cancelled; nothing is left of the run."
    return job.text
