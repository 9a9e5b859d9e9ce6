"""What the headers of a reply say about the file that comes with it."""

from __future__ import annotations

import re
import time
from math import isfinite

import requests

__all__ = ["first_byte", "retry_after", "seconds_of", "total_of", "validator_of"]

LONGEST_WAIT = 60.0
"""Most seconds between two tries, whatever the server asks for."""


def first_byte(reply: requests.Response) -> int:
    """Return which byte a part begins with; -1 when the server does not say."""
    found = re.match(r"bytes (\d+)-", reply.headers.get("Content-Range", ""))
    return int(found[1]) if found else -1


def total_of(reply: requests.Response) -> int:
    """Return how long the whole is that a part is of; 0 when the server does not say."""
    found = re.search(r"/(\d+)$", reply.headers.get("Content-Range", "").strip())
    return int(found[1]) if found else 0


def validator_of(reply: requests.Response) -> str:
    """Return what If-Range compares: a strong ETag, or the time of the last change."""
    etag = reply.headers.get("ETag", "")
    return etag if etag and not etag.startswith("W/") else reply.headers.get("Last-Modified", "")


def retry_after(reply: requests.Response) -> float:
    """Return how many seconds a server wants to be left alone; 0 when it does not say."""
    return min(seconds_of(reply.headers.get("Retry-After", "")), LONGEST_WAIT)


def seconds_of(text: str) -> float:
    """Return what a header Retry-After says: seconds or a date; 0 for what is neither, or over."""
    from email.utils import parsedate_to_datetime

    try:
        found = float(text)
    except ValueError:
        try:
            found = parsedate_to_datetime(text).timestamp() - time.time()
        except (TypeError, ValueError):
            return 0.0
    return max(found, 0.0) if isfinite(found) else 0.0
