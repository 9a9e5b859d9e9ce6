"""The open viewers, by name and by position."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

__all__ = ["ViewerList"]


class ViewerList(Sequence):
    """``viewers["Image 1"]``, ``viewers[0]``, ``for viewer in viewers``.

    Parameters
    ----------
    source : callable
        Returns the present viewers as a dict by name, oldest first.
    complete : callable
        Opens the viewers that are still to come: called when one is asked for that is not there.
    """

    def __init__(self, source: Callable[[], dict[str, Any]], complete: Callable[[], None]) -> None:
        self._source, self._complete = source, complete

    def __getitem__(self, key: Any) -> Any:
        viewers = self._source()
        if isinstance(key, str) and key not in viewers:
            self._complete()
            viewers = self._source()
        if isinstance(key, str):
            if key not in viewers:
                raise KeyError(f"no viewer is named {key!r}; there are {', '.join(viewers) or 'none'}")
            return viewers[key]
        return list(viewers.values())[key]

    def __len__(self) -> int:
        return len(self._source())

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._source().values()))

    def __contains__(self, item: object) -> bool:
        viewers = self._source()
        return item in viewers if isinstance(item, str) else item in viewers.values()

    @property
    def names(self) -> list[str]:
        """Names of the viewers."""
        return list(self._source())

    def __repr__(self) -> str:
        return f"<viewers: {', '.join(self.names) or 'none'}>"
