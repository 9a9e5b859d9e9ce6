"""Services that are known by name: those that come with jviz, and those that the user keeps."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jviz.backend.archive.vo import Service

__all__ = ["OWN", "collection_named", "free_name", "keep_services", "own_services", "registry_of", "service_named"]

OWN = "archive.own_services"
"""The setting that keeps them."""

TAKEN = ("mast", "library", "registry")


def own_services(session: Any) -> dict[str, Service]:
    """Return the services that the user keeps, by name; what somebody wrote wrongly into the settings is left out."""
    from jviz.backend.archive.vo import Service

    found = {}
    for about in session.settings[OWN]:
        try:
            service = Service(**about)
        except TypeError:
            continue
        if service.name and str(service.url).startswith(("http://", "https://")):
            found[service.name] = service
    return found


def keep_services(session: Any, services: Iterable[Service]) -> None:
    """Keep these services instead of those that were kept."""
    session.settings[OWN] = [asdict(service) for service in services]


def collection_named(session: Any, name_or_url: str) -> Service:
    """Return the collection that is meant, also of the user's own; see `jviz.backend.archive.asking.collection_of`."""
    from jviz.backend.archive.asking import collection_of

    return collection_of(name_or_url, own_services(session))


def service_named(session: Any, name_or_url: str, kind: str) -> Service:
    """Return the service that is meant, also of the user's own; see `jviz.backend.archive.vo.service_of`."""
    from jviz.backend.archive.vo import service_of

    return service_of(name_or_url, kind, own_services(session))


def registry_of(session: Any) -> Service:
    """Return the registry that is asked."""
    from jviz.backend.archive.vo import Service

    return Service("registry", "Registry of the Virtual Observatory", "tap", session.settings["archive.registry"])


def free_name(session: Any, text: str) -> str:
    """Return a short name made of a text, which no service has yet."""
    from jviz.backend.archive.vo import services

    taken = {*TAKEN, *services(), *own_services(session)}
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:30].strip("-") or "service"
    names = itertools.chain([plain], (f"{plain}-{number}" for number in itertools.count(2)))
    return next(name for name in names if name not in taken)
