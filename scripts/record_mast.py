"""Checks, with internet, that MAST speaks as jviz and its tests believe, and prints where it differs.

Nothing is changed anywhere; about ten small requests are made. With ``--keep FOLDER`` the replies are written there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

PLACE = (83.82, -5.39, 0.02)
"""RA, Dec and radius in degrees of a place with observations of JWST."""

OBSERVATION = {"obsid", "obs_id", "obs_collection", "instrument_name", "filters", "target_name", "s_ra", "s_dec",
               "calib_level", "t_min", "t_max", "t_exptime", "proposal_id", "proposal_pi", "dataproduct_type",
               "s_region", "dataRights", "jpegURL", "obs_title", "em_min", "em_max", "mtFlag"}  # fmt: skip
PRODUCT = {"obsID", "obs_id", "dataURI", "productFilename", "size", "productType", "productSubGroupDescription",
           "calib_level", "dataRights", "description", "productGroupDescription"}  # fmt: skip
FORM = {"fileSetName", "instrume", "program", "targ_ra", "targ_dec", "duration", "opticalElements", "pi_name",
        "date_obs", "productLevel", "targprop", "exp_type"}  # fmt: skip


class Check:
    """Asks, keeps what was answered, and says what is other than was expected."""

    def __init__(self, folder: Path | None) -> None:
        from jviz.backend.archive.net import connection, mast_url

        self.session, self.base, self.folder = connection(timeout=(10.0, 60.0)), mast_url(), folder
        self.differences = 0

    def expect(self, good: bool, what: str) -> None:
        """Print one finding."""
        self.differences += not good
        print(("  as expected: " if good else "  DIFFERS: ") + what)

    def names(self, found: Iterable[str], wanted: set[str]) -> None:
        """Compare names of columns."""
        missing = sorted(wanted - set(found))
        self.expect(not missing, "all columns are there" if not missing else f"no column {', '.join(missing)}")

    def keep(self, name: str, reply: Any) -> Any:
        """Return what a reply says, and write it into the folder."""
        if self.folder is not None:
            (self.folder / f"{name}.json").write_bytes(reply.content)
        self.expect(reply.ok, f"answers {reply.status_code} with {reply.headers.get('Content-Type')}")
        return reply.json() if reply.ok else {}

    def invoke(self, name: str, service: str, params: dict[str, Any]) -> dict[str, Any]:
        """Ask the portal."""
        request = {"service": service, "params": params, "format": "json", "pagesize": 3, "page": 1}
        body = "request=" + quote(json.dumps(request))
        headers = {"Content-type": "application/x-www-form-urlencoded", "Accept": "text/plain"}
        return self.keep(name, self.session.post(f"{self.base}/api/v0/invoke", data=body, headers=headers))


def observations(check: Check) -> dict[str, Any]:
    """Look at a cone of observations; return the first row."""
    ra, dec, radius = PLACE
    reply = check.invoke("cone", "Mast.Caom.Cone", {"ra": ra, "dec": dec, "radius": radius})
    check.expect(reply.get("status") == "COMPLETE", f"status is {reply.get('status')}")
    check.expect({"rowsFiltered", "pagesFiltered", "page"} <= set(reply.get("paging") or {}), "paging is described")
    rows = reply.get("data") or [{}]
    check.names(rows[0], OBSERVATION)
    return rows[0]


def counts(check: Check) -> None:
    """Look at how rows are counted."""
    filters = [{"paramName": "obs_collection", "values": ["JWST"]}, {"paramName": "calib_level", "values": [3]}]
    parameters = {"columns": "COUNT_BIG(*)", "filters": filters, "position": ", ".join(map(str, PLACE))}
    reply = check.invoke("count", "Mast.Caom.Filtered.Position", parameters)
    check.expect("Column1" in (reply.get("data") or [{}])[0], "a count is in Column1")


def products(check: Check, row: dict[str, Any]) -> None:
    """Look at the products of an observation, and at how a file begins to come."""
    reply = check.invoke("products", "Mast.Caom.Products", {"obsid": str(row.get("obsid", ""))})
    found = reply.get("data") or [{}]
    check.names(found[0], PRODUCT)
    small = min((p for p in found if p.get("size")), key=lambda p: p["size"], default=None)
    if small is None:
        return
    address = f"{check.base}/api/v0.1/Download/file?uri={quote(small['dataURI'], safe=':/')}"
    with check.session.get(address, headers={"Range": "bytes=1-"}, stream=True) as got:
        check.expect(got.status_code == 206, f"a part of a file answers {got.status_code} (206 is resumable)")
        for header in ("ETag", "Last-Modified", "Accept-Ranges", "Content-Length", "Content-Range"):
            print(f"  {header}: {got.headers.get(header, 'not sent')}")


def form(check: Check) -> None:
    """Look at the form of JWST."""
    reply = check.session.get(f"{check.base}/search/util/api/v0.1/column_list?mission=jwst")
    columns = check.keep("columns", reply) or []
    check.names((column["column_name"] for column in columns), FORM)
    body = {"target": [f"{PLACE[0]} {PLACE[1]}"], "radius": 60, "radius_units": "arcseconds", "limit": 2, "offset": 0,
            "conditions": [{"instrume": "NIRCAM"}]}  # fmt: skip
    reply = check.keep("form", check.session.post(f"{check.base}/search/jwst/api/v0.1/search", json=body))
    check.expect("totalResults" in reply and "results" in reply and "info" in reply, "totalResults, results, info")


def others(check: Check) -> None:
    """Look at the resolver, at who one is, and at the dictionary of columns."""
    url = "http://mastresolver.stsci.edu/Santa-war/query?name=M%2031&outputFormat=json&resolveAll=true"
    places = check.keep("resolver", check.session.get(url)).get("resolvedCoordinate") or [{}]
    check.names(places[0], {"ra", "decl", "resolver"})
    check.names(check.keep("whoami", check.session.get(f"{check.base}/whoami")), {"ezid", "anon"})
    address = f"{check.base}/portal/Mashup/Mashup.asmx/columnsconfig"
    check.keep("columnsconfig", check.session.post(address, data="colConfigId=Mast.Caom.Cone"))


def main() -> int:
    """Run all checks; return 1 when something differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="folder for the replies")
    folder = parser.parse_args().keep
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    check, row = Check(folder), {}

    def first() -> None:
        row.update(observations(check))

    steps: list[tuple[str, Callable[[], None]]] = [
        ("observations", first), ("counts", lambda: counts(check)), ("products", lambda: products(check, row)),
        ("form of JWST", lambda: form(check)), ("resolver, account, dictionary", lambda: others(check)),
    ]  # fmt: skip
    for title, step in steps:
        print(title)
        try:
            step()
        except Exception as error:  # the next question may still be answered
            check.expect(False, f"{type(error).__name__}: {error}")
    print(f"{check.differences} differences")
    return int(check.differences > 0)


if __name__ == "__main__":
    sys.exit(main())
