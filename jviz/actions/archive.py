"""Commands that ask archives and bring their files here."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jviz.archive_asking import ask
from jviz.archive_fetching import arrived, fetched
from jviz.archives import answer, ids_of, mast_of, online
from jviz.backend.progress import Progress
from jviz.commands import command
from jviz.running import Apply
from jviz.session import Session

if TYPE_CHECKING:
    from jviz.backend.archive.fetch import Wanted

MENU = "Archive"


@command("archive.products", title="List Products…", menu=MENU, job=True, apart=True, group="search", icon="fa6s.list")
def products(
    session: Session,
    observations: Any,
    *,
    level: int | list[int] | None = None,
    type: str | list[str] | None = None,
    suffix: str | list[str] | None = None,
    extension: str | list[str] | None = None,
    recommended: bool = False,
    job: Any = None,
) -> Apply:
    """List the files of observations, each once.

    Parameters
    ----------
    observations : QTable, Row, str or list of str
        Rows of archive.search; or the ``obsid`` of observations of MAST. Rows of other archives have their files at
        their ``access_url``, or are told of by the datalink that is there.
    level : int or list of int, optional
        Calibration levels, 1 to 4.
    type : str or list of str, optional
        ``"SCIENCE"``, ``"PREVIEW"``, ``"AUXILIARY"``, ``"INFO"``.
    suffix : str or list of str, optional
        Kinds of product: ``"i2d"``, ``"cal"``, ``"x1d"`` …; associations of level 3 products come along.
    extension : str or list of str, optional
        Ends of the names: ``".fits"``, ``".json"``.
    recommended : bool
        Only what MAST calls the minimum recommended products.

    Returns
    -------
    QTable
        Name, size, level, rights and ``dataURI`` of each; archive.download takes it.
    """
    from jviz.backend.archive.products import narrowed
    from jviz.backend.archive.vo_products import plain_rows

    online(session)
    if _is_elsewhere(observations):
        asked = plain_rows(observations)
        found, source = ask(session, job, "files of rows", rows=asked).table, "datalink"
    else:
        asked, source = ids_of(observations), "MAST"
        found = ask(session, job, "products", ids=asked).table
    table = narrowed(found, level=level, type=type, suffix=suffix, extension=extension, recommended=recommended)
    result = answer(table, len(table), source, {"observations": len(asked)})
    return Apply(lambda: result, recorded={"observations": asked})


def _is_elsewhere(observations: Any) -> bool:
    """Whether rows are of another archive than MAST."""
    names = getattr(observations, "colnames", None)
    if names is None:
        first = observations[0] if isinstance(observations, list) and observations else observations
        names = first.keys() if isinstance(first, dict) else ()
    return "access_url" in names and not {"obsid", "obsID", "parent_obsid"} & set(names)


@command("archive.download", title="Download Products…", menu=MENU, job=True, apart=True, group="download",
         icon="fa6s.download")  # fmt: skip
def download(
    session: Session, products: Any, folder: Path | None = None, *, open: bool = False, cloud: bool = False,
    progress: Progress,
) -> Apply:
    """Fetch files, several at a time; what was cut goes on where it was, and what comes is checked.

    Parameters
    ----------
    products : QTable, Row, str or list of str
        Rows of archive.products, or addresses: ``mast:JWST/product/…``, ``https://…``, or ``s3://bucket/key`` of a
        public bucket.
    folder : Path, optional
        By default the store of the library. A file of the same name that is there already stays as it is.
    open : bool
        Open the files afterwards.
    cloud : bool
        Fetch public files of MAST from the cloud (S3), where they lie there; the others from MAST.

    Returns
    -------
    list of Path
        The files that are here; what could not be had is told in a notice each.
    """
    from jviz.backend.archive.products import uri_of, wanted_files

    files = wanted_files(products)
    asked = [uri_of(file.url) for file in files]
    outcomes = fetched(session, _in_cloud(session, files, asked, progress) if cloud else files, folder, progress)
    return Apply(partial(arrived, session, outcomes, open), recorded={"products": asked})


def _in_cloud(session: Session, files: list[Wanted], uris: list[str], progress: Progress) -> list[Wanted]:
    """Return files with their addresses in the cloud, as far as they lie there."""
    from jviz.backend.archive.mast import BUCKET
    from jviz.backend.archive.products import s3_address

    online(session)
    keys = mast_of(session).cloud([uri for uri in uris if uri.startswith("mast:")], progress=progress)
    return [replace(file, url=s3_address(BUCKET, keys[uri])) if uri in keys else file
            for file, uri in zip(files, uris, strict=True)]  # fmt: skip
