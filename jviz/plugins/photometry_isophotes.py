"""The tab of the Photometry panel for isophotes."""

from __future__ import annotations

from typing import Any

from jviz.api import JvizError, isophote_preview, reach_in_sight
from jviz.plugins.photometry_parts import Tab, number_of, quietly

__all__ = ["IsophotesTab"]

HELP = (
    "Put the cursor on a galaxy (or the galaxy in the middle of the view). The ellipses are drawn over the image; "
    "their table, profile, model and residual are added."
)


class IsophotesTab(Tab):
    """Ellipses of equal surface brightness."""

    command, title, verb = "photometry.isophotes", "Isophotes", "Fit Isophotes"

    def fill(self) -> None:
        self.centre = self.line(
            "center", "Centre", "", "Pixel x, y or a place on the sky; empty: the cursor, or the middle of the view",
            _place, "cursor",
        )  # fmt: skip
        self.sma = self.real("sma", "First ellipse", 10.0, 3, 5000, "Semi-major axis that the fit begins with",
                             suffix=" pix")  # fmt: skip
        self.maximum = self.line(
            "maximum", "Largest", "", "Largest semi-major axis in pixels",
            lambda text: number_of(text, "semi-major axis"), "until the signal is lost",
        )  # fmt: skip
        self.step = self.real("step", "Step", 0.1, 0.01, 100, "From one ellipse to the next, as a part of its size",
                              decimals=3, singleStep=0.05)  # fmt: skip
        self.linear = self.switch("linear", "Step in pixels", False, "Ellipses as far apart everywhere")
        self.fixed = self.choice(
            "fixed", "Fixed", {(): "Nothing", ("center",): "Centre", ("center", "angle"): "Centre and angle",
                               ("center", "ellipticity"): "Centre and ellipticity",
                               ("ellipticity", "angle"): "Ellipticity and angle"},
            "What is the same for all ellipses",
        )  # fmt: skip
        self.clip = self.real("clip", "Clip", 3.0, 1, 20, "Values along an ellipse farther off are left out",
                              suffix=" σ", singleStep=0.5)  # fmt: skip
        self.level = self.line(
            "background", "Background", "0", "Level that is subtracted first, in the unit of the image",
            lambda text: number_of(text, "level") or 0.0,
        )  # fmt: skip
        self.mask = self.choice("region", "Leave out", {None: "Nothing"}, "A region whose pixels are not used")
        self.segments = self.choice("segmentation", "Others", {None: "Kept"},
                                    "An image of segments: pixels of other sources are not used")  # fmt: skip
        self.model = self.switch("model", "Model and residual", True, "Make the image of the ellipses and what is left")
        self.live = self.switch("", "Preview", True, "Draw ellipses in sight while numbers are turned")
        self.note.setText(HELP)
        self._outdated = False
        self._fitted: Any = None
        self.changed.connect(self._turned)

    def _turned(self) -> None:
        self._outdated, self._fitted = True, None

    def run(self) -> None:
        super().run()
        self._fitted = self.data
        self.show_preview(None, self.note.text())

    def show_preview(self, preview: Any, text: str) -> None:
        # What was fitted is drawn itself: a preview over it would show everything twice.
        super().show_preview(None if self._fitted is self.data else preview, text)

    def refresh(self) -> None:
        self.offer(self.mask, self.regions("Nothing"))
        names = [name for name in self.alike() if self.session[name].plane().dtype.kind in "iu"]
        self.offer(self.segments, {None: "Kept"} | {name: f"Left out, by {name}" for name in names})

    def options(self) -> dict[str, Any]:
        found = super().options()
        if "fixed" in found:
            found["fixed"] = list(found["fixed"])
        return found

    def preview(self, view: Any) -> Any:
        if not self.live.isChecked():
            self.show_preview(None, HELP)
            return None
        if self._fitted is self.data:
            return None
        try:
            options = self.options()
        except JvizError as error:
            self.note.setText(str(error))
            return None
        options.pop("model", None)
        data, sight, self._outdated = self.data, reach_in_sight(view), False
        return quietly(
            lambda: isophote_preview(self.session, data, sight, **options, outdated=lambda: self._outdated),
            lambda text: (None, text),
        ), self.show_preview


def _place(text: str) -> Any:
    """Read a place: two numbers are a pixel, all else is understood by the command."""
    words = text.replace(",", " ").split()
    try:
        return tuple(float(word) for word in words) if len(words) == 2 else text.strip() or "cursor"
    except ValueError:
        return text.strip()
