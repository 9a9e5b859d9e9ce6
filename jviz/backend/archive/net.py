"""Connections to archives: time-outs, retries, another address for MAST, and secrets that only their host sees."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from jviz.backend.archive.gently import loads
from jviz.backend.archive.keys import MAST, NO_SECRETS, Keys, Shown, is_mast, mast_url
from jviz.backend.archive.permits import Refusal
from jviz.backend.archive.replies import LONGEST_WAIT, seconds_of
from jviz.errors import JvizError

__all__ = ["MAST", "NetError", "connection", "is_mast", "is_unknown_host", "json_of", "mast_url", "prepare",
           "reason_of", "waited"]  # fmt: skip

HOSTS = ("mast.stsci.edu", "mastresolver.stsci.edu", "auth.mast.stsci.edu", "catalogs.mast.stsci.edu")
"""Hosts of MAST, which JVIZ_MAST_URL takes the place of."""

CONNECT, READ = 10.0, 60.0
"""Seconds that a server may take to accept a connection, and to say something."""

BUSY = (408, 425, 429, 500, 502, 503, 504)
"""Answers after which asking again later may help."""

TICK = 0.1
"""Seconds between two looks at whether somebody still waits for an answer."""

POLL = 0.5
"""Seconds before a query that is still executing is asked for again; real servers hold the reply themselves."""


class NetError(JvizError):
    """An archive could not be asked, or did not answer as it should.

    Attributes
    ----------
    status : int
        The number of the HTTP answer; 0 when there was none.
    """

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class _Retries(Retry):
    """Waits as long as a busy server asks for, but not longer than somebody sits before a window."""

    def get_retry_after(self, response: Any) -> float | None:
        wanted = seconds_of(response.headers.get("Retry-After", ""))
        if wanted > LONGEST_WAIT:
            raise TooLong(wanted)
        return wanted or None


class TooLong(Exception):
    """A server wants to be left alone for longer than anybody waits."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"wants to be left alone for {seconds / 60:,.0f} minutes. Ask it again then")


class _Adapter(HTTPAdapter):
    """Sends requests to the MAST that is meant, waits a limited time, and is polite to a query that executes."""

    def __init__(self, timeout: tuple[float, float], retries: Retry) -> None:
        self._timeout = timeout
        super().__init__(max_retries=retries, pool_maxsize=16)

    def send(self, request: Any, *args: Any, timeout: Any = None, **kwargs: Any) -> requests.Response:
        parts, mast = urlsplit(request.url), urlsplit(mast_url())
        if parts.hostname in HOSTS and mast_url() != MAST:
            request.url = urlunsplit((mast.scheme, mast.netloc, parts.path, parts.query, ""))
        reply = super().send(request, *args, timeout=timeout or self._timeout, **kwargs)
        if parts.path.endswith("/invoke"):
            if reply.content[:200].find(b'"EXECUTING"') >= 0:
                time.sleep(POLL)
            reply.json = _Json(reply)
        return reply


class _Session(requests.Session):
    """Closes, at its end, also the replies that were not read to theirs: a table is known before the last byte."""

    def __init__(self) -> None:
        super().__init__()
        self._open: list[Any] = []

    def send(self, request: Any, **kwargs: Any) -> requests.Response:
        reply = super().send(request, **kwargs)
        self._open = [raw for raw in self._open if not raw.closed]
        self._open.append(reply.raw)
        return reply

    def rebuild_auth(self, prepared_request: Any, response: Any) -> None:
        """Show the host of a redirection what that one may see, and nothing else."""
        prepared_request.headers.pop("Authorization", None)
        self.auth(prepared_request)

    def close(self) -> None:
        for raw in self._open:
            raw.close()
        super().close()


class _Json:
    """Reads a reply of many rows, once however often it is asked, and in small steps."""

    def __init__(self, reply: requests.Response) -> None:
        self._read, self._content, self._value = reply.json, reply.content, None

    def __call__(self, **options: Any) -> Any:
        if self._value is None:
            try:
                self._value = loads(self._content.decode("utf-8-sig"))
            except ValueError:
                return self._read(**options)  # it says in its own words what is wrong
        return self._value


def connection(*, keys: Keys = NO_SECRETS, timeout: tuple[float, float] = (CONNECT, READ),
               tries: int = 4) -> requests.Session:  # fmt: skip
    """Make a session of requests; each thread needs its own.

    Parameters
    ----------
    keys : Secrets or callable
        Shown as headers, each to its host alone: a cookie without a domain would go to every host.
    timeout : (float, float)
        Seconds to wait for a connection and for each piece of a reply.
    tries : int
        How often a busy or broken server is asked.
    """
    session = _Session()
    prepare(session, keys=keys, timeout=timeout, tries=tries)
    return session


def prepare(session: requests.Session, *, keys: Keys, timeout: tuple[float, float],
            tries: int) -> None:  # fmt: skip
    """Make a session of another library behave as ours do."""
    retries = _Retries(
        total=tries - 1, backoff_factor=0.5, backoff_jitter=0.3, status_forcelist=BUSY, allowed_methods=None,
        raise_on_status=False, respect_retry_after_header=True,
    )  # fmt: skip
    adapter = _Adapter(timeout, retries)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.auth = Shown(keys)


def waited[T](question: Callable[[], T], tick: Callable[[], None]) -> T:
    """Return the answer to a question that a server may be slow to give.

    It is asked in a thread that is left alone when ``tick``, called ten times a second, raises: nobody waits for the
    answer any more, and the time-out ends it.
    """
    answers: list[Any] = []
    errors: list[BaseException] = []
    done = threading.Event()

    def ask() -> None:
        try:
            answers.append(question())
        except BaseException as error:
            errors.append(error)
        done.set()

    threading.Thread(target=ask, daemon=True, name="jviz-archive").start()
    while not done.wait(TICK):
        tick()
    if errors:
        raise errors[0]
    return answers[0]


def json_of(reply: requests.Response, who: str) -> Any:
    """Return what a reply says.

    Raises
    ------
    NetError
        When it is an error, a page for people, or nothing that can be read.
    """
    if reply.status_code in (401, 403):
        raise _not_allowed(who, reply.status_code)
    if not reply.ok:
        raise NetError(f"{who} answers with error {reply.status_code} ({reply.reason}). Try again later.",
                       reply.status_code)  # fmt: skip
    try:
        return reply.json()
    except json.JSONDecodeError as error:
        raise _no_json(error.doc, who, reply.status_code) from None


def _no_json(text: str, who: str, status: int = 0) -> NetError:
    """Say what came instead of data: a page for people, or only a part of them."""
    if text.lstrip()[:1] in ("{", "["):
        return NetError(f"The answer of {who} breaks off in the middle. Try again, or ask for less.", status)
    return NetError(f"{who} sent a page instead of data: it is probably down for maintenance. Try again later.", status)


def _not_allowed(who: str, status: int) -> NetError:
    if who in ("MAST", urlsplit(mast_url()).hostname):
        return NetError(f"{who} does not let you see this: the token is missing, wrong or too old. "
                        "Log in again with archive.login.", status)  # fmt: skip
    return NetError(f"{who} does not let you see this. Log in, with Archive ▸ Log in to Archive… (archive.login_to), "
                    "or wait for its release.", status)  # fmt: skip


def reason_of(error: BaseException, who: str) -> NetError:
    """Say in a sentence why a request failed."""
    if isinstance(error, NetError):
        return error
    if isinstance(error, TooLong):
        return NetError(f"{who} is busy and {error}.", 429)
    if isinstance(error, Refusal):
        return NetError(str(error), error.status)
    if isinstance(error, requests.exceptions.RetryError | requests.exceptions.HTTPError):
        status = getattr(getattr(error, "response", None), "status_code", 0)
        if status in (401, 403):
            return _not_allowed(who, status)
        return NetError(
            f"{who} is busy or has a fault{f' (error {status})' if status else ''}. Try again later.", status
        )
    if isinstance(error, requests.exceptions.Timeout | TimeoutError) or _is_silence(error):
        return NetError(f"{who} did not answer in time. Try again, or ask for less.")
    if isinstance(error, requests.exceptions.JSONDecodeError | json.JSONDecodeError):
        return _no_json(error.doc, who)
    if isinstance(error, requests.exceptions.SSLError):
        return NetError(f"The connection to {who} cannot be trusted: its certificate is not valid, or something stands "
                        "between. Check the address and the clock of this machine.")  # fmt: skip
    if isinstance(error, requests.exceptions.ConnectionError) and is_unknown_host(error):
        return NetError(f"{who} cannot be reached: there is no such host, or no network. Check its address; what the "
                        "library holds can be searched without it.")  # fmt: skip
    if isinstance(error, requests.exceptions.ConnectionError):
        return NetError(
            f"{who} cannot be reached. Check the network; what the library holds can be searched without it."
        )
    if isinstance(error, TypeError | LookupError | AttributeError):
        return NetError(f"{who} sent an answer of another form than it should have. Try again later.")
    return NetError(f"{who} answered in a way that is not understood: {error}. Try again, or ask for less.")


def is_unknown_host(error: BaseException) -> bool:
    """Whether a host has no address: its name is wrong, or there is no network."""
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", cause), urllib3.exceptions.NameResolutionError)


def _is_silence(error: BaseException) -> bool:
    """Whether a server took the connection and then said nothing, however often it was asked."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, urllib3.exceptions.ReadTimeoutError)
