"""The menu of presets of the Calibration panel, and parameters from and to files."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from PySide6.QtWidgets import QFileDialog, QInputDialog, QMenu, QToolButton

from jviz.api import Job, JvizError, presets_of, save_preset, shipped_presets

__all__ = ["PresetButton"]

KIND = "Parameters (*.asdf)"


class PresetButton(QToolButton):
    """Takes parameters from presets and files into the forms of a panel, and keeps those that are there."""

    def __init__(self, panel: Any) -> None:
        super().__init__(text="Presets", popupMode=QToolButton.ToolButtonPopupMode.InstantPopup, autoRaise=True)
        self._panel, self._context, self._session = panel, panel.context, panel.session
        self._job: Job | None = None
        self.setMenu(QMenu(self))
        self.menu().aboutToShow.connect(self.fill)
        panel.links.signal(self._session.jobs.changed, self._job_changed)

    def fill(self) -> None:
        """Make the menu."""
        menu, choice = self.menu(), self._panel.choice
        menu.clear()
        if choice is None:
            menu.addAction("Show an exposure first").setEnabled(False)
            return
        name = choice.pipeline.name
        saved = presets_of(self._session, name)
        for preset, steps in {**shipped_presets(name), **saved}.items():
            menu.addAction(preset, partial(self._panel.take_steps, steps))
        if saved:
            gone = menu.addMenu("Forget")
            for preset in saved:
                gone.addAction(preset, partial(save_preset, self._session, name, preset, None))
        if saved or shipped_presets(name):
            menu.addSeparator()
        menu.addAction("Keep As Preset…", self._ask_name)
        menu.addAction("Import pars-*.asdf…", self._ask_import)
        menu.addAction("Export pars-*.asdf…", self._ask_export)
        menu.addSeparator()
        menu.addAction("Back to Defaults", partial(self._panel.take_steps, {}))

    def keep(self, name: str) -> None:
        """Keep the parameters under a name."""
        try:
            save_preset(self._session, self._panel.choice.pipeline.name, name, self._panel.steps())
        except JvizError as error:
            self._context.notify("error", str(error))

    def take_file(self, path: str) -> None:
        """Take over the parameters of a file."""
        job = self._context.run("calibration.import_parameters", path=path)
        self._job = job if isinstance(job, Job) else None

    def _job_changed(self, job: Job) -> None:
        if job is self._job and job.is_over:
            self._job = None
            if job.state == "done" and self._panel.choice is not None:
                self._take(job.result(5))

    def _take(self, values: dict[str, Any]) -> None:
        """Take over what a file says: all parameters of a pipeline, or those of one step beside the others."""
        pipeline = self._panel.choice.pipeline
        if values["pipeline"]:
            if values["pipeline"] == pipeline.name:
                self._panel.take_steps(values["steps"])
                return
        elif set(values["steps"]) <= {step.name for step in pipeline.steps}:
            with suppress(JvizError):
                self._panel.take_steps({**self._panel.steps(), **values["steps"]})
                return
        whose = values["pipeline"] or ", ".join(values["steps"])
        self._context.notify("error", f"The parameters of that file are of {whose}, and the panel shows "
                                      f"{pipeline.name}. Choose that pipeline first; nothing was changed.")  # fmt: skip

    def _ask_name(self) -> None:
        name, given = QInputDialog.getText(self, "Keep as preset", "Name of the preset")
        if given and name.strip():
            self.keep(name.strip())

    def _ask_import(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Parameters", "", KIND)
        if path:
            self.take_file(path)

    def _ask_export(self) -> None:
        name = self._panel.choice.pipeline.name.removeprefix("calwebb_")
        path, _ = QFileDialog.getSaveFileName(self, "Parameters", f"pars-{name}.asdf", KIND)
        if path:
            self._context.run("calibration.export_parameters", path=path, pipeline=name, steps=self._panel.steps())
