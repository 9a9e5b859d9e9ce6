"""What the log of a pipeline makes of the messages of its steps."""

import logging

import pytest

from jviz.backend.calibration.steplog import StepLog


def state_after(level, text):
    log = StepLog(lambda value: None, known=["photom"])
    for record in (
        (logging.INFO, "Step photom running with args ()."), (level, text), (logging.INFO, "Step photom done"),
    ):  # fmt: skip
        log.handle(logging.LogRecord("stpipe", record[0], "", 0, record[1], None, None))
    return log.steps["photom"]["state"]


@pytest.mark.parametrize(
    ("level", "text", "state"),
    [
        (logging.INFO, "Using photom reference file: x.fits", "done"),
        (logging.WARNING, "Photom step will be skipped", "skipped"),
        (logging.INFO, "Skipping wavecorr correction for EXP_TYPE X", "skipped"),
        (logging.WARNING, "No BKG reference file found. Skipping background subtraction.", "skipped"),
        # A part of the work that is left out leaves the rest of it.
        (logging.INFO, "Skipping MRS MIRI time correction.  Extensions not found in the reference file.", "done"),
        (logging.WARNING, "CH1B and CH3A were not found. No spectral leak correction", "skipped"),
        (logging.WARNING, "spectral_order is None; using 1", "done"),
        (logging.WARNING, "Only 7 sources matched", "warning"),
    ],
)
def test_the_state_of_a_step_follows_what_it_says(level, text, state):
    assert state_after(level, text) == state
