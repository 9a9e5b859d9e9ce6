"""Opening what a user chose or dropped: sessions, folders, files; those with several data sets are asked about."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jviz.backend.io.product import Product
from jviz.errors import ReadError
from jviz.jobs import Job

__all__ = ["choose_and_open"]


def choose_and_open(window: Any, paths: Iterable[str | Path], **options: Any) -> Job | None:
    """Look into files (in a job), ask where there is a choice, and open what was chosen.

    Parameters
    ----------
    options : dict
        Further arguments of the command ``file.open``: ``view``, ``mode``, ``reader``.
    """
    files = [str(p) for p in paths]
    if not files:
        return None
    reader = options.get("reader")

    def work(job: Job) -> None:
        choices = {}
        for number, path in enumerate(files):
            job.report(number, len(files), f"Looking into {Path(path).name}")
            products = _products_of(path, reader)
            if len(products) > 1 and _can_be_told_apart(products):
                choices[path] = products
        session.dispatcher.call(lambda: _open(window, files, choices, options))

    session = window.session
    return session.jobs.submit(f"Look into {Path(files[0]).name}", work, quiet=True, urgent=True)


def _products_of(path: str, reader: str | None) -> list[Product]:
    """Return what is in a file; nothing when it is not for choosing (what fails is told when it is opened)."""
    from jviz.backend.io.registry import open_products

    if Path(path).is_dir() or path.endswith(".jviz"):
        return []
    try:
        return open_products(path, reader=reader)
    except ReadError:
        return []


def _can_be_told_apart(products: list[Product]) -> bool:
    """Whether each product can be opened alone, by its ``hdu``."""
    parts = [str(product.options.get("hdu")) for product in products]
    return all("hdu" in product.options for product in products) and len(set(parts)) == len(parts)


def _open(window: Any, files: list[str], choices: dict[str, list[Product]], options: dict[str, Any]) -> None:
    if window.is_closed:
        return
    plain = [path for path in files if path not in choices]
    if plain:
        window.open_files(plain, **options)
    if choices:
        from jviz.window.chooser import Chooser

        # One question for all of them: a user who drops a hundred files answers once.
        chooser = Chooser(window, choices)
        chooser.chosen.connect(lambda wanted: _open_parts(window, wanted, options))
        chooser.open()


def _open_parts(window: Any, wanted: dict[str, list[Any]], options: dict[str, Any]) -> None:
    whole = [path for path, parts in wanted.items() if not parts]
    if whole:
        window.open_files(whole, **options)
    for path, parts in wanted.items():
        if parts:
            window.open_files([path], hdu=parts, **options)
