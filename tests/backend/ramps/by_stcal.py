"""Find jumps and fit rates with stcal, the library of the JWST pipeline: python by_stcal.py IN.npz OUT.npz."""

import sys

import numpy as np
from stcal.jump.jump import detect_jumps_data
from stcal.jump.jump_class import JumpData
from stcal.ramp_fitting.ramp_fit import ramp_fit_data
from stcal.ramp_fitting.ramp_fit_class import RampData

FLAGS = {
    "GOOD": 0, "DO_NOT_USE": 1, "SATURATED": 2, "JUMP_DET": 4, "DROPOUT": 8, "CHARGELOSS": 128, "PERSISTENCE": 32,
    "AD_FLOOR": 64, "NO_GAIN_VALUE": 2**19, "UNRELIABLE_SLOPE": 2**24, "REFERENCE_PIXEL": 2**31,
}  # fmt: skip


def jumps(given, frames):
    """Return the flags of groups with jumps."""
    data = JumpData(None, given["gain"], given["noise"], FLAGS)
    empty = np.zeros(given["gain"].shape, np.uint32)
    data.data, data.gdq, data.pdq = given["counts"].copy(), given["flags"].copy(), empty
    data.nframes = frames
    data.dt_group, data.n_reads_groupdiff = np.ones(1), np.ones(1) * 2 * frames
    data.set_detection_settings(4.0, 6.0, 5.0, 1000.0, 10.0, True)
    data.set_after_jump(0, 0, 0, 0)
    data.set_sigma_clipping_info(3, 100, True)
    data.min_diffs_single_pass = 10
    data.max_cores = "none"
    return detect_jumps_data(data)[0]


def rates(given, flags, frames, seconds):
    """Return rate, variances and error of the exposure, and of each integration."""
    ramp = RampData()
    ramp.set_arrays(given["counts"].copy(), flags.copy(), np.zeros(given["gain"].shape, np.uint32), given["dark"])
    ramp.set_meta("NIRCam", seconds / frames, seconds, 0, frames)
    ramp.algorithm = "OLS_C"
    ramp.set_dqflags(FLAGS)
    ramp.start_row, ramp.num_rows = 0, flags.shape[2]
    ramp.suppress_one_group_ramps = True
    found = ramp_fit_data(ramp, False, given["noise"].copy(), given["gain"].copy(), "OLS_C", "optimal", "none")
    return found[0], found[1]


def main():
    """Do both, and write what was found."""
    given = np.load(sys.argv[1])
    frames, seconds = int(given["frames"]), float(given["seconds"])
    flags = jumps(given, frames)
    image, integrations = rates(given, flags, frames, seconds)
    keys = ("slope", "var_poisson", "var_rnoise", "err")
    found = {key: image[key] for key in keys} | {f"int_{key}": integrations[key] for key in keys}
    np.savez(sys.argv[2], flags=flags, **found)


if __name__ == "__main__":
    main()
