"""Exposures that make an association, as headers without pixels worth a look."""

import numpy as np
import pytest
from astropy.io import fits


@pytest.fixture
def nods(tmp_path):
    """Folder of three nodded exposures of NIRSpec slitlets and of what became of the first."""
    folder = tmp_path / "nods"
    folder.mkdir()
    for number in (1, 2, 3):
        first = fits.PrimaryHDU()
        first.header.update({"TELESCOP": "JWST", "INSTRUME": "NIRSPEC", "DETECTOR": "NRS1", "PROGRAM": "01234",
                             "OBSERVTN": "007", "TARGPROP": "FIELD", "EXP_TYPE": "NRS_MSASPEC", "FILTER": "F290LP",
                             "GRATING": "G395M", "PATT_NUM": number, "NUMDTHPT": 3, "SUBPXPTS": 1})  # fmt: skip
        sci = fits.ImageHDU(np.full((9, 12), float(number), np.float32), name="SCI")
        fits.HDUList([first, sci]).writeto(folder / f"jw01234007001_03101_0000{number}_nrs1_rate.fits")
    return folder
