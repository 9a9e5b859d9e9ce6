"""An association as values: products with their members, and whatever else the file says, which is kept."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jviz.errors import CommandError, JvizError

__all__ = ["ROLES", "AsnProduct", "Association", "Member", "parsed", "read_content", "write_association"]

ROLES = (
    "science", "background", "imprint", "psf", "target_acquisition", "selfcal", "sourcecat", "segmap", "direct_image",
    "pastasoss", "engineering",
)  # fmt: skip
"""Values of ``exptype`` that rules and steps of jwst know."""

MOST_BYTES = 64 << 20
_trailing_comma = re.compile(r",(\s*[}\]])")


@dataclass(frozen=True)
class Member:
    """One file that a product is made of.

    Attributes
    ----------
    expname : str
        Its name; it lies beside the association.
    exptype : str
        What it is there for: one of `ROLES`.
    more : dict
        Other values of the member, kept as they are.
    """

    expname: str
    exptype: str = "science"
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class AsnProduct:
    """One product and its members."""

    name: str
    members: tuple[Member, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Association:
    """What an association file says.

    Attributes
    ----------
    asn_type : str
        ``"image2"``, ``"image3"`` …: the pipeline that works on it.
    products : tuple of AsnProduct
    more : dict
        ``asn_rule``, ``program``, ``target``, ``asn_pool``, ``asn_id`` and whatever else there is.
    """

    asn_type: str
    products: tuple[AsnProduct, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def level(self) -> int | None:
        """2 or 3, by the type, or else by the rule; None when they say nothing."""
        last = self.asn_type.strip()[-1:]
        if last in ("2", "3"):
            return int(last)
        named = re.search(r"(?:Lv|Level)([23])", str(self.more.get("asn_rule", "")))
        return int(named.group(1)) if named else None

    @property
    def members(self) -> tuple[Member, ...]:
        """The members of all products, each as often as it is named."""
        return tuple(member for product in self.products for member in product.members)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the members, each once, in their order."""
        return tuple(dict.fromkeys(member.expname for member in self.members))

    # --- changes ----------------------------------------------------------------------------------

    def product(self, name: str | None) -> AsnProduct:
        """Return a product by name, the only one for None.

        Raises
        ------
        CommandError
            Names those that there are.
        """
        if name is None and len(self.products) == 1:
            return self.products[0]
        for product in self.products:
            if product.name == name:
                return product
        there = ", ".join(product.name for product in self.products) or "none"
        asked = "Which product is meant must be said" if name is None else f"There is no product {name!r}"
        raise CommandError(f"{asked}; the association has {there}.")

    def with_product(self, old: AsnProduct, new: AsnProduct) -> Association:
        """Return the same with another product in place of one."""
        return replace(self, products=tuple(new if each is old else each for each in self.products))

    def without(self, names: Iterable[str], product: str | None = None) -> Association:
        """Return the same without some members, of one product or of all; products without members go.

        Raises
        ------
        CommandError
            When one is no member, or none would be left.
        """
        wanted, asked = set(names), self.products if product is None else (self.product(product),)
        there = {member.expname for each in asked for member in each.members}
        if missing := sorted(wanted - there):
            raise CommandError(f"{missing[0]} is no member, so it cannot be taken out.")
        kept = []
        for each in self.products:
            if each in asked:
                each = replace(each, members=tuple(m for m in each.members if m.expname not in wanted))
            if each.members:
                kept.append(each)
        if not kept:
            raise CommandError("An association needs at least one member; the last ones cannot be taken out.")
        return replace(self, products=tuple(kept))

    def with_members(self, members: Iterable[Member], product: str | None = None) -> Association:
        """Return the same with more members of one product; one that is there already takes the new role."""
        old = self.product(product)
        fresh = {member.expname: member for member in members}
        kept = [replace(m, exptype=fresh.pop(m.expname).exptype) if m.expname in fresh else m for m in old.members]
        return self.with_product(old, replace(old, members=(*kept, *fresh.values())))

    def with_role(self, names: Iterable[str], role: str, product: str | None = None) -> Association:
        """Return the same with another role of some members, in one product or in all that have them."""
        wanted, asked = set(names), self.products if product is None else (self.product(product),)
        if missing := sorted(wanted - {member.expname for each in asked for member in each.members}):
            raise CommandError(f"{missing[0]} is no member, so it has no role.")

        def changed(member: Member) -> Member:
            return replace(member, exptype=role) if member.expname in wanted else member

        products = tuple(replace(each, members=tuple(map(changed, each.members))) if each in asked else each
                         for each in self.products)  # fmt: skip
        return replace(self, products=products)

    # --- as the file has it -----------------------------------------------------------------------

    def content(self) -> dict[str, Any]:
        """Return the values of the file."""
        products = [
            {"name": product.name, **product.more,
             "members": [{"expname": m.expname, "exptype": m.exptype, **m.more} for m in product.members]}
            for product in self.products
        ]  # fmt: skip
        return {"asn_type": self.asn_type, **self.more, "products": products}

    def text(self) -> str:
        """Return the text of the file."""
        return json.dumps(self.content(), indent=4) + "\n"


def read_content(path: Path) -> tuple[Any, list[str]]:
    """Return the values of a JSON file, and what was passed over.

    Raises
    ------
    JvizError
        When it cannot be read, or is no JSON.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise JvizError(f"{path.name} is larger than {MOST_BYTES >> 20} MB, which no association is.")
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise JvizError(f"{path} is not there. Was it moved?") from None
    except UnicodeDecodeError:
        raise JvizError(f"{path.name} is no text, so it is no association. Fetch it again.") from None
    except OSError as error:
        raise JvizError(f"{path} cannot be read: {error.strerror or error}.") from error
    try:
        return json.loads(text), []
    except json.JSONDecodeError as error:
        reason = f"{path.name} is no valid JSON: {error.msg} in line {error.lineno}."
        try:
            content = json.loads(_trailing_comma.sub(r"\1", text))
        except json.JSONDecodeError:
            raise JvizError(f"{reason} Mend that line, or fetch it again.") from error
    except RecursionError:
        raise JvizError(f"{path.name} is nested deeper than any association. Fetch it again.") from None
    return content, [f"{path.name} has commas where JSON allows none; they were passed over."]


def parsed(content: Any, name: str) -> Association:
    """Take values apart.

    Raises
    ------
    JvizError
        Says the first thing that is missing or of a wrong type.
    """
    if not isinstance(content, Mapping) or not isinstance(content.get("products"), list):
        raise JvizError(f"{name} is no JWST association: its products or their members are missing. Make it again "
                        "by asn_generate.")  # fmt: skip
    more = {key: value for key, value in content.items() if key not in ("asn_type", "products")}
    products = tuple(_product(value, number, name) for number, value in enumerate(content["products"], 1))
    return Association(str(content.get("asn_type", "")), products, more)


def _product(value: Any, number: int, name: str) -> AsnProduct:
    if not isinstance(value, Mapping) or not isinstance(value.get("members"), list):
        raise JvizError(f"{name} is no JWST association: its products or their members are missing (product {number} "
                        "has no list of members). Make it again by asn_generate.")  # fmt: skip
    members = []
    for place, member in enumerate(value["members"], 1):
        if not isinstance(member, Mapping) or not isinstance(member.get("expname"), str):
            raise JvizError(f"{name}: member {place} of product {number} has no expname that is a text. Give each "
                            "member the name of its file.")  # fmt: skip
        more = {key: v for key, v in member.items() if key not in ("expname", "exptype")}
        members.append(Member(member["expname"], str(member.get("exptype", "")), more))
    more = {key: v for key, v in value.items() if key not in ("name", "members")}
    return AsnProduct(str(value.get("name", "")), tuple(members), more)


def write_association(path: Path, association: Association) -> Path:
    """Write an association; a reader never sees half of it.

    Raises
    ------
    CommandError
        When the name does not end with ``.json``.
    JvizError
        When it cannot be written.
    """
    from jviz.backend.files import writing

    if path.suffix.lower() != ".json":
        raise CommandError(f"{path.name} is no name for an association; it ends with _asn.json.")
    with writing(path) as temporary:
        temporary.write_text(association.text(), encoding="utf-8")
    return path
