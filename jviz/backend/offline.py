"""Keep astropy from asking the network for tables that only sub-microarcsecond work needs."""

from functools import cache

__all__ = ["keep_astropy_offline"]


@cache
def keep_astropy_offline() -> None:
    """Forbid the download of Earth orientation tables; call before time or frames are used."""
    from astropy.utils import iers

    iers.conf.auto_download = False
    iers.conf.auto_max_age = None
