"""Commands on the services that are known by name, and on the registry of all there are."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

from jviz.archive_asking import asked_of_service
from jviz.archive_services import free_name, keep_services, own_services, registry_of
from jviz.archives import answer, online
from jviz.commands import command
from jviz.errors import CommandError
from jviz.history import Edit
from jviz.session import Session

MENU = "Archive/Services"


@command("archive.services", title="List Archives and Services…", menu=MENU, job=True, apart=True, group="list")
def services(session: Session, words: str = "", kind: str = "", waveband: str = "", *, registry: bool = False,
             job: Any = None) -> Any:  # fmt: skip
    """List the services that jviz knows by name, or those of the registry of the Virtual Observatory.

    Parameters
    ----------
    words : str
        That must be in the title (of the registry: or in the short name or description).
    kind : str
        ``"tap"``, ``"sia1"``, ``"sia2"``, ``"ssa"`` or ``"cone"``; of the registry also ``"obscore"`` (those of TAP
        that have observations), of those that come with jviz also ``"missions"`` and ``"catalogue"``.
    waveband : str
        Of the registry: ``"radio"``, ``"millimeter"``, ``"infrared"``, ``"optical"``, ``"uv"``, ``"euv"``,
        ``"x-ray"`` or ``"gamma-ray"``.
    registry : bool
        Ask the registry, which knows tens of thousands.

    Returns
    -------
    QTable
        ``name``, ``kind``, ``title``, ``url`` and ``obscore``; of the registry also ``waveband`` and ``about``.
    """
    if registry:
        return _of_registry(session, words, kind, waveband, job)
    if waveband:
        raise CommandError("Only the registry knows wavebands; add registry=True.")
    from astropy.table import Table

    from jviz.backend.archive.vo import services as shipped

    wanted = words.lower().split()
    rows = [(s.name, s.kind, s.title, s.url, s.obscore) for s in (*own_services(session).values(), *shipped().values())
            if kind in ("", s.kind) and all(word in f"{s.name} {s.title}".lower() for word in wanted)]  # fmt: skip
    names = ("name", "kind", "title", "url", "obscore")
    table = Table(rows=rows or None, names=names, dtype=None if rows else ("U1", "U1", "U1", "U1", bool))
    return answer(table, len(table), "jviz", {"words": words, "kind": kind})


def _of_registry(session: Session, words: str, kind: str, waveband: str, job: Any) -> Any:
    from jviz.backend.archive.registry import MOST, found_services, registry_query

    online(session)
    adql = registry_query(words, kind, waveband)
    said = asked_of_service(session, job, "tap", registry_of(session), adql=adql, wait=False).table
    table = found_services(said, kind)
    cut = f"the registry has more than {MOST:,}; give more words" if len(said) >= MOST else ""
    return answer(table, len(table), "registry", {"words": words, "kind": kind, "waveband": waveband}, incomplete=cut)


@command("archive.keep_service", title="Keep Service…", menu=MENU, group="own", icon="fa6s.star")
def keep_service(
    session: Session,
    url: str,
    kind: Literal["tap", "sia2", "sia1", "ssa", "cone"] = "tap",
    title: str = "",
    *,
    obscore: bool = False,
    name: str = "",
) -> Edit:
    """Keep a service of the Virtual Observatory under a name, which then stands for its address everywhere.

    Parameters
    ----------
    url : str
        Its address.
    kind : {"tap", "sia2", "sia1", "ssa", "cone"}
        What it speaks: ADQL, images (two versions), spectra, or a cone search of a catalogue.
    title : str
        By which it is listed; by default its address.
    obscore : bool
        Whether a TAP service has a table of observations (ivoa.ObsCore): then archive.search asks it, too.
    name : str
        The short name; by default one made of the title.

    Returns
    -------
    str
        The short name.
    """
    from urllib.parse import urlsplit

    from jviz.backend.archive.vo import Service
    from jviz.backend.archive.vo import services as shipped

    host = urlsplit(url).hostname
    if not url.startswith(("http://", "https://")) or not host:
        raise CommandError(f"{url[:80]!r} is no address of a service; it begins with https://.")
    before = list(own_services(session).values())
    known = next((one for one in before if (one.url, one.kind) == (url, kind)), None)
    given = name.strip().lower() or (known.name if known else free_name(session, title or host))
    if given in shipped() or given in {one.name for one in before if one is not known}:
        raise CommandError(f"There is a service {given!r} already; give another name.")
    service = Service(given, title.strip() or url, kind, url, obscore or (known is not None and known.obscore))
    after = [service if one is known else one for one in before] + ([] if known else [service])
    do, undo = partial(keep_services, session, after), partial(keep_services, session, before)
    return Edit(f"Keep {service.title}", do, undo, given)


@command("archive.forget_service", title="Forget Service…", menu=MENU, group="own")
def forget_service(session: Session, name: str) -> Edit:
    """Take a service of one's own off the list.

    Parameters
    ----------
    name : str
        Its short name.
    """
    before = own_services(session)
    if name not in before:
        names = ", ".join(before) or "none is kept"
        raise CommandError(f"There is no service {name!r} of your own; there are: {names}.")
    after = [service for service in before.values() if service.name != name]
    return Edit(f"Forget {before[name].title}", partial(keep_services, session, after),
                partial(keep_services, session, list(before.values())))  # fmt: skip
