"""A folder of small JWST-like files and a server that gives them."""

import json

import numpy as np
import pytest
from astropy.io import fits

from tests.standin import Standin
from tests.vo_service import Service


def made(path, number, *, suffix="i2d", ra=53.1, dec=-27.8, size=180):
    """Write a file as a telescope would, with checksums."""
    primary = fits.PrimaryHDU()
    primary.header.update(
        TELESCOP="JWST", INSTRUME="NIRCAM", FILTER="F200W", TARGNAME=f"FIELD {number}", PROGRAM="1234",
        PI_NAME="Curie, Marie", EXPSTART=59800.2 + number, EXPEND=59800.21 + number, EFFEXPTM=311.0 + number,
        CAL_VER="1.14.0", CRDS_CTX="jwst_1230.pmap", DATE=f"2024-01-{number + 1:02d}",
    )  # fmt: skip
    rng = np.random.default_rng(number)
    image = fits.ImageHDU(rng.normal(1.0, 0.1, (size, size)).astype("f4"), name="SCI")
    corner = 0.01
    s_region = "POLYGON ICRS " + " ".join(
        f"{ra + x * corner:.6f} {dec + y * corner:.6f}" for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    )
    image.header.update(
        CTYPE1="RA---TAN", CTYPE2="DEC--TAN", CRVAL1=ra, CRVAL2=dec, CRPIX1=size / 2, CRPIX2=size / 2,
        CDELT1=-8.6e-6, CDELT2=8.6e-6, BUNIT="MJy/sr", S_REGION=s_region,
    )  # fmt: skip
    fits.HDUList([primary, image]).writeto(path, checksum=True)
    return path


@pytest.fixture
def holdings(tmp_path):
    """Five observations, some with two products, an association and a preview."""
    folder = tmp_path / "holdings"
    folder.mkdir()
    for number in range(5):
        stem = f"jw01234-o{number:03d}_t001_nircam_clear-f200w"
        made(folder / f"{stem}_i2d.fits", number, ra=53.1 + 0.2 * number)
    made(folder / "jw01234-o000_t001_nircam_clear-f200w_cal.fits", 0, suffix="cal")
    (folder / "jw01234-o000_t001_nircam_clear-f200w_asn.json").write_text(json.dumps({"products": []}))
    return folder


@pytest.fixture
def library(tmp_path):
    """A library with nothing in it."""
    from jviz.backend.library.catalogue import Library

    library = Library(tmp_path / "library.sqlite")
    yield library
    library.close()


@pytest.fixture
def transfers(library):
    """The list of downloads of the library."""
    from jviz.backend.archive.transfers import Transfers

    transfers = Transfers(library)
    yield transfers
    transfers.close()


@pytest.fixture
def mast(holdings, monkeypatch):
    """The server that every request of MAST goes to."""
    server = Standin(holdings, exclusive=["jw01234-o004_t001_nircam_clear-f200w_i2d.fits"])
    monkeypatch.setenv("JVIZ_MAST_URL", server.url)
    yield server
    server.close()


@pytest.fixture
def service():
    """A service of the Virtual Observatory on loopback: ``url``/tap and ``url``/cone."""
    service = Service()
    yield service
    service.close()


@pytest.fixture
def no_keyring(monkeypatch):
    """No keyring, and no token in the environment."""
    import keyring
    from keyring.backends.fail import Keyring

    before = keyring.get_keyring()
    keyring.set_keyring(Keyring())
    monkeypatch.delenv("MAST_API_TOKEN", raising=False)
    yield
    keyring.set_keyring(before)


@pytest.fixture
def own_keyring(no_keyring):
    """A keyring in memory; its passwords by service and user."""
    import keyring
    from keyring.backend import KeyringBackend
    from keyring.errors import PasswordDeleteError

    kept = {}

    class InMemory(KeyringBackend):
        priority = 1

        def get_password(self, service, username):
            return kept.get((service, username))

        def set_password(self, service, username, password):
            kept[service, username] = password

        def delete_password(self, service, username):
            if kept.pop((service, username), None) is None:
                raise PasswordDeleteError

    keyring.set_keyring(InMemory())
    return kept
