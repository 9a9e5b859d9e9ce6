"""Fetching files without jviz: lists of addresses, and scripts for cURL. No token is ever written into one."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlsplit

from jviz.backend.archive.fetch import Wanted, checked_name
from jviz.backend.archive.net import mast_url
from jviz.errors import JvizError

__all__ = ["address_list", "curl_script", "fetch_function", "has_secret"]

SECRETS = ("token", "access_token", "mast_token", "api_key", "apikey", "auth", "authorization", "password", "signature",
           "sig", "x-amz-signature", "x-amz-security-token", "x-amz-credential", "awsaccesskeyid")  # fmt: skip
"""Parts of addresses that let whoever reads them in."""

FETCH = r"""fetch() {{
  case $1 in
    {mast}/*)
      if [ -n "${{MAST_API_TOKEN:-}}" ]; then
        # By standard input: what stands in the command line can be seen by everybody on this machine.
        printf 'Authorization: token %s\n' "$MAST_API_TOKEN" | curl --header @- "$@"
        return
      fi;;
  esac
  curl "$@"
}}
"""

HEAD = r"""#!/bin/sh
# Fetches {files} with cURL; give it to sh, with a folder if it is to be another than this one.
# Run it again to go on with what is missing. For exclusive data set MAST_API_TOKEN in the environment first;
# it is shown to {mast} alone.
set -u
folder=${{1:-.}}
mkdir -p "$folder" && cd "$folder" || exit 1
failed=0

{fetch}
get() {{
  if [ -f "$2" ] && {{ [ "$3" -eq 0 ] || [ "$(wc -c < "$2")" -eq "$3" ]; }}; then
    echo "here already: $2"
    return
  fi
  part=".$2.part"
  echo "fetching: $2"
  fetch "$1" --fail --location --silent --show-error --retry 5 --retry-delay 1 --continue-at - --output "$part"
  result=$?
  if [ $result -eq 33 ] || [ $result -eq 36 ]; then
    # This server cannot go on where a transfer was cut.
    rm -f "$part"
    fetch "$1" --fail --location --silent --show-error --retry 5 --retry-delay 1 --output "$part"
    result=$?
  fi
  if [ $result -ne 0 ]; then
    problem="curl ended with $result"
  elif [ "$3" -ne 0 ] && [ "$(wc -c < "$part")" -ne "$3" ]; then
    problem="it has another size than $3 bytes"
    rm -f "$part"
  elif head -c 200 "$part" | grep -qi -e '<!doctype html' -e '<html'; then
    problem="the server sent a page instead of the file"
    rm -f "$part"
  else
    mv "$part" "$2"
    return
  fi
  echo "FAILED: $2: $problem" >&2
  failed=$((failed + 1))
}}

"""

TAIL = r"""
if [ $failed -ne 0 ]; then
  echo "$failed of {count} files are missing; run this again." >&2
  exit 1
fi
echo "All {count} files are here."
"""


def fetch_function() -> str:
    """Return ``fetch ADDRESS…`` for a script of the shell: cURL, with the token of the environment for MAST alone."""
    return FETCH.format(mast=mast_url())


def has_secret(url: str) -> bool:
    """Whether an address holds a password or a token."""
    parts = urlsplit(url)
    return bool(parts.password) or any(name.lower() in SECRETS for name, _ in parse_qsl(parts.query))


def _checked_address(file: Wanted) -> str:
    """Return the address of a file, to be written where others may read it.

    Raises
    ------
    JvizError
        When it holds a password or a token.
    """
    if has_secret(file.url):
        raise JvizError(f"The address of {file.name} holds a password or a token, which is never written into a file. "
                        "Leave that one out, or give its address without it.")  # fmt: skip
    return file.url


def address_list(files: Sequence[Wanted]) -> str:
    """Return the addresses of files, one on each line."""
    return "".join(f"{_checked_address(file)}\n" for file in files)


def curl_script(files: Sequence[Wanted]) -> str:
    """Return a script of the shell that fetches files, goes on after a cut, and checks their sizes.

    Raises
    ------
    JvizError
        When a file has a name that leads elsewhere, or an address with a token.
    """
    count = f"{len(files):,} file{'' if len(files) == 1 else 's'}"
    lines = [f"get {shlex.quote(_checked_address(file))} {shlex.quote(checked_name(file.name))} {file.size}"
             for file in files]  # fmt: skip
    head = HEAD.format(files=count, mast=mast_url(), fetch=fetch_function())
    return head + "\n".join(lines) + "\n" + TAIL.format(count=len(files))
