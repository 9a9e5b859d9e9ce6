"""The reduction of a folder of raw frames: masters, single exposures, and their combination."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from jviz.backend.ccd.aligning import offset_of, shifted
from jviz.backend.ccd.frames import Frame, read_frame
from jviz.backend.ccd.images import COSMIC, CcdImage, combined, dark_subtracted, flattened, from_counts, with_light
from jviz.backend.ccd.lacosmic import find_rays
from jviz.backend.ccd.measuring import measured_gain, measured_read_noise
from jviz.backend.ccd.star_patterns import motion_of, resampled
from jviz.backend.progress import Progress, silent
from jviz.errors import JvizError

__all__ = ["Made", "Options", "Reduction", "reduced"]

RECOGNISED = 40.0
"""Least peak of a correlation, in percent, by which exposures are aligned."""


@dataclass(frozen=True)
class Options:
    """What is done, and how.

    Attributes
    ----------
    overscan, bias, dark, flat, cosmic_rays : bool
    combine : str
        "none", "mean" or "median".
    align : str
        "none", "pixel" (whole pixels), "linear", or "stars" (turned and scaled as well).
    gain, read_noise : float or None
        Electrons per count and electrons, over what headers say.
    clip : float
        Standard deviations beyond which values are left out when frames are combined.
    ray_threshold, ray_contrast : float
        Of L.A.Cosmic.
    """

    overscan: bool = True
    bias: bool = True
    dark: bool = True
    flat: bool = True
    cosmic_rays: bool = True
    combine: str = "mean"
    align: str = "pixel"
    gain: float | None = None
    read_noise: float | None = None
    clip: float = 4.0
    ray_threshold: float = 4.5
    ray_contrast: float = 5.0


@dataclass(frozen=True)
class Made:
    """An image that was made.

    Attributes
    ----------
    role : str
        "master bias", "master dark", "master flat", "exposure" or "combined".
    sources : tuple of str
        Names of the frames it was made of.
    offset : (float, float)
        Of an exposure from the first of its field, in pixels (in its middle, where it is turned).
    turn, scale : float
        By which it is turned against that, in degrees from x to y, and by how much finer its pixels are.
    """

    name: str
    role: str
    image: CcdImage
    sources: tuple[str, ...]
    filter: str = ""
    object: str = ""
    offset: tuple[float, float] = (0.0, 0.0)
    rays: int = 0
    turn: float = 0.0
    scale: float = 1.0


@dataclass
class Reduction:
    """All that a reduction made, and what it has to tell."""

    made: list[Made] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    gain: float = math.nan
    read_noise: float = math.nan


def reduced(frames: Sequence[Frame], options: Options, progress: Progress = silent) -> Reduction:
    """Reduce frames.

    Raises
    ------
    JvizError
        When there are no science frames, or gain and read noise are known from nowhere.
    """
    return _Work(frames, options, progress).run()


class _Work:
    """One reduction under way."""

    def __init__(self, frames: Sequence[Frame], options: Options, progress: Progress) -> None:
        self.options, self.progress = options, progress
        self.out = Reduction()
        science = [frame for frame in frames if frame.kind == "science"]
        if not science:
            kinds = ", ".join(f"{sum(f.kind == kind for f in frames)} {kind}" for kind in ("bias", "dark", "flat"))
            raise JvizError(f"There are no science frames here ({kinds}); map the keywords of the instrument with "
                            "ccd.map_keywords.")  # fmt: skip
        # A test exposure with other binning is not what the night is of.
        self.shape = max(shapes := [frame.shape for frame in science], key=shapes.count)
        for frame in frames:
            if frame.note:
                self.warn(f"{frame.path.name} is left out: {frame.note}")
            if frame.kind and frame.shape != self.shape:
                sizes = f"{_size(frame.shape)} and not {_size(self.shape)}"
                self.warn(f"{frame.path.name} has {sizes} pixels; it is left out.")
        self.frames = [frame for frame in frames if frame.kind and frame.shape == self.shape]
        self.done, self.total = 0, len(self.frames) + 1
        self._electronics()

    def run(self) -> Reduction:
        bias = self._master_bias() if self.options.bias else None
        darks = self._master_darks(bias) if self.options.dark else []
        flats = self._master_flats(bias, darks) if self.options.flat else {}
        exposures = [self._exposure(frame, bias, darks, flats) for frame in self._of("science")]
        self.out.made += exposures
        if self.options.combine != "none":
            self._combine(exposures)
        return self.out

    # --- the detector -----------------------------------------------------------------------------

    def _electronics(self) -> None:
        """Find gain and read noise: given, in headers, or measured."""
        options, counts = self.options, {}

        def raw(kind: str) -> list[np.ndarray]:
            if kind not in counts:
                counts[kind] = [read_frame(f)[f.trim or (slice(None), slice(None))] for f in self._of(kind)[:4]]
            return counts[kind]

        gain = options.gain or _median([f.gain for f in self.frames])
        try:
            if not math.isfinite(gain) or gain <= 0:
                gain = measured_gain(raw("flat"), raw("bias"))
                self.warn(f"The headers have no gain; pairs of flats give {gain:.3f} electrons per count.")
            noise = options.read_noise or _median([f.read_noise for f in self.frames])
            if not math.isfinite(noise) or noise < 0:
                noise = gain * measured_read_noise(raw("bias"))
                self.warn(f"The headers have no read noise; pairs of biases give {noise:.2f} electrons.")
        except ValueError as error:
            raise JvizError("Gain and read noise are neither in the headers nor can they be measured here "
                            f"({error}); give gain= and read_noise=.") from error  # fmt: skip
        self.out.gain, self.out.read_noise = gain, noise

    def _image(self, frame: Frame) -> CcdImage:
        self.progress(self.done, self.total, frame.path.name)
        self.done += 1
        overscan = frame.overscan if self.options.overscan else None
        exposure = frame.exposure if math.isfinite(frame.exposure) else 0.0
        return from_counts(read_frame(frame), self.out.gain, self.out.read_noise, overscan=overscan, trim=frame.trim,
                           saturation=frame.saturation, exposure=exposure)  # fmt: skip

    # --- masters ----------------------------------------------------------------------------------

    def _master_bias(self) -> CcdImage | None:
        frames = self._of("bias")
        if not frames:
            self.warn("There are no bias frames; no bias is subtracted.")
            return None
        master = combined([self._image(frame) for frame in frames], "mean", self.options.clip)
        self._keep("master_bias", "master bias", master, frames)
        return master

    def _master_darks(self, bias: CcdImage | None) -> list[CcdImage]:
        """Return a dark for each exposure time, its bias still in it (see `dark_subtracted`)."""
        groups: dict[float, list[Frame]] = {}
        for frame in self._of("dark"):
            if math.isfinite(frame.exposure) and frame.exposure > 0:
                groups.setdefault(round(frame.exposure, 3), []).append(frame)
            else:
                self.warn(f"{frame.path.name} is a dark without exposure time; it is left out.")
        masters = []
        for seconds, frames in sorted(groups.items()):
            level = bias.values if bias is not None else 0.0
            images = [with_light(self._image(frame), level) for frame in frames]
            master = replace(combined(images, "mean", self.options.clip), exposure=seconds)
            masters.append(master)
            shown = master if bias is None else replace(
                master, values=master.values - bias.values, variance=master.variance + bias.variance
            )  # fmt: skip
            self._keep(f"master_dark_{seconds:g}s", "master dark", shown, frames)
        return masters

    def _master_flats(self, bias: CcdImage | None, darks: list[CcdImage]) -> dict[str, CcdImage]:
        groups: dict[str, list[Frame]] = {}
        for frame in self._of("flat"):
            groups.setdefault(frame.filter, []).append(frame)
        masters = {}
        for name, frames in sorted(groups.items()):
            levelled = []
            for frame in frames:
                image = self._unflat(frame, bias, darks)
                level = float(np.median(image.values[~image.bad])) if (~image.bad).any() else 0.0
                if level <= 5 * self.out.read_noise:
                    self.warn(f"{frame.path.name} is a flat with hardly any light; it is left out.")
                    continue
                levelled.append(_scaled(image, 1 / level))
            if not levelled:
                continue
            flat = combined(levelled, "mean", self.options.clip)
            masters[name] = _scaled(flat, 1 / float(np.median(flat.values[~flat.bad])))
            self._keep(f"master_flat_{_word(name) or 'all'}", "master flat", masters[name], frames, filter=name)
        return masters

    def _unflat(self, frame: Frame, bias: CcdImage | None, darks: list[CcdImage]) -> CcdImage:
        """Return a frame without bias and dark current."""
        image = self._image(frame)
        image = with_light(image, bias.values if bias is not None else 0.0)
        if darks and not image.exposure > 0:
            self.warn(f"{frame.path.name} has no exposure time; no dark current is subtracted.")
        dark = min(darks, key=lambda one: abs(math.log(one.exposure / image.exposure)), default=None) if (
            image.exposure > 0) else None  # fmt: skip
        return dark_subtracted(image, bias, dark)

    # --- exposures --------------------------------------------------------------------------------

    def _exposure(
        self, frame: Frame, bias: CcdImage | None, darks: list[CcdImage], flats: dict[str, CcdImage]
    ) -> Made:
        image = self._unflat(frame, bias, darks)
        if self.options.flat:
            flat = flats.get(frame.filter)
            if flat is None:
                self.warn(f"{frame.path.name} is not divided: there is no flat in the filter {frame.filter or '?'}.")
            else:
                image = flattened(image, flat)
        rays = 0
        if self.options.cosmic_rays:
            found, clean = find_rays(image.values, image.variance, image.bad, threshold=self.options.ray_threshold,
                                     contrast=self.options.ray_contrast)  # fmt: skip
            rays = int(found.sum())
            image = replace(image, values=np.where(found, clean, image.values),
                            flags=image.flags | np.where(found, COSMIC, 0).astype(np.uint8))  # fmt: skip
        self.out.log.append(f"{frame.path.name}: {rays} pixels of cosmic rays")
        return Made(f"{_stem(frame)}_red", "exposure", image, (frame.path.name,), frame.filter, frame.object, rays=rays)

    def _combine(self, exposures: list[Made]) -> None:
        groups: dict[tuple[str, str], list[int]] = {}
        for number, made in enumerate(exposures):
            groups.setdefault((made.object, made.filter), []).append(number)
        first = len(self.out.made) - len(exposures)
        for (name, band), numbers in groups.items():
            if len(numbers) < 2:
                continue
            is_timed = all(exposures[number].image.exposure for number in numbers)
            if not is_timed:
                self.warn(f"Exposures of {name or 'one field'} have no exposure time; they are combined as they are.")
            images, sources = [], []
            for number in numbers:
                made, image = self._aligned(exposures[number], exposures[numbers[0]])
                self.out.made[first + number] = made
                if image is not None:
                    images.append(_scaled(image, 1 / image.exposure) if is_timed else image)
                    sources += made.sources
            total = combined(images, self.options.combine, self.options.clip)
            total = _scaled(total, total.exposure) if is_timed else total
            stem = "_".join(filter(None, ("combined", _word(name), _word(band))))
            self.out.made.append(Made(stem, "combined", total, tuple(sources), band, name))

    def _aligned(self, made: Made, reference: Made) -> tuple[Made, CcdImage | None]:
        if self.options.align == "none" or made is reference:
            return made, made.image
        if self.options.align == "stars":
            return self._turned(made, reference)
        dx, dy, peak = offset_of(made.image, reference.image)
        if peak < RECOGNISED:
            return self._unaligned(made)
        self.out.log.append(f"{made.sources[0]}: offset {dx:+.2f}, {dy:+.2f} pixels")
        moved = shifted(made.image, dx, dy, fractions=self.options.align == "linear")
        return replace(made, offset=(dx, dy)), moved

    def _turned(self, made: Made, reference: Made) -> tuple[Made, CcdImage | None]:
        motion = motion_of(made.image, reference.image)
        if motion is None:
            return self._unaligned(made)
        offset = motion.offset(made.image.values.shape)
        self.out.log.append(
            f"{made.sources[0]}: offset {offset[0]:+.2f}, {offset[1]:+.2f} pixels, turned by {motion.degrees:+.3f} "
            f"degrees, scale {motion.scale:.5f}, by {motion.stars} stars with a scatter of {motion.scatter:.2f} pixels"
        )
        moved = resampled(made.image, motion)
        return replace(made, offset=offset, turn=motion.degrees, scale=motion.scale), moved

    def _unaligned(self, made: Made) -> tuple[Made, None]:
        self.warn(f"{made.sources[0]} shows nothing by which it could be aligned; it is not combined.")
        return made, None

    # --- small things -----------------------------------------------------------------------------

    def _of(self, kind: str) -> list[Frame]:
        return [frame for frame in self.frames if frame.kind == kind]

    def _keep(self, name: str, role: str, image: CcdImage, frames: Sequence[Frame], filter: str = "") -> None:
        self.out.made.append(Made(name, role, image, tuple(frame.path.name for frame in frames), filter))
        self.out.log.append(f"{name}: of {len(frames)} frames")

    def warn(self, text: str) -> None:
        """Tell something that the user should know, once."""
        if text not in self.out.warnings:
            self.out.warnings.append(text)
            self.out.log.append(f"WARNING {text}")


def _scaled(image: CcdImage, factor: float) -> CcdImage:
    return replace(image, values=image.values * factor, variance=image.variance * factor**2)


def _median(values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return float(np.median(known)) if known else math.nan


def _word(text: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "-." else "_" for sign in text.strip())


def _stem(frame: Frame) -> str:
    return frame.path.name.partition(".fit")[0].partition(".fts")[0]


def _size(shape: Sequence[int]) -> str:
    return " × ".join(map(str, shape)) or "no"
