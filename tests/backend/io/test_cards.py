"""Cards are read as astropy reads them."""

import math
import warnings

import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from jviz.backend.io.cards import Header, parse_cards

PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=200)
KEYWORDS = st.from_regex(r"[A-Z][A-Z0-9_-]{0,7}", fullmatch=True).filter(
    lambda word: (
        word not in ("COMMENT", "HISTORY", "END", "CONTINUE", "HIERARCH") and not word.startswith(("NAXIS", "XTENSIO"))
    )
)
VALUES = st.one_of(
    PRINTABLE.map(str.rstrip),
    st.booleans(),
    st.integers(-(10**18), 10**18),
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300),
)


def cards_of(*lines: str) -> list:
    return list(parse_cards("".join(line.ljust(80) for line in lines).encode("latin-1")))


def plain(item: tuple) -> bool:
    """Astropy reads ``'' / it's`` as one text; by the standard (4.2.1) the value ends at the second quote."""
    return item[1] != "" or "'" not in item[2]


@given(st.lists(st.tuples(KEYWORDS, VALUES, PRINTABLE).filter(plain), max_size=5))
def test_what_astropy_writes_comes_back(items):
    header = fits.Header()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # comments that do not fit are cut by astropy
        header.extend([fits.Card(*item) for item in items], unique=False, update=False)
        text = header.tostring(endcard=False, padding=False)
        expected = [(card.keyword, card.value, card.comment) for card in fits.Header.fromstring(text).cards]
    assert list(parse_cards(text.encode())) == expected


@given(st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=240))
def test_no_card_is_an_error(text):
    padded = text.ljust(-(-len(text) // 80) * 80)
    assert all(isinstance(keyword, str) for keyword, _, _ in parse_cards(padded.encode("latin-1")))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("                   T / yes", True),
        ("F", False),
        ("                  42", 42),
        ("+007", 7),
        ("1.5D-3", 1.5e-3),
        ("  -1.d2", -100.0),
        ("1E5", 1e5),
        (".5", 0.5),
        ("'O''HARA  '", "O'HARA"),
        ("''", ""),
        ("'' / it's empty", ""),
        ("'slash / inside' / comment", "slash / inside"),
        ("(1.0, -2.5)", 1 - 2.5j),
        ("", None),
        ("           / no value", None),
        ("NaN", "NaN"),
        ("1_000", "1_000"),
        ("2016-03-18", "2016-03-18"),
        ("'never closed", "'never closed"),
    ],
)
def test_values(field, value):
    [(keyword, found, _)] = cards_of(f"KEY     = {field}")
    assert keyword == "KEY"
    assert found == value
    assert type(found) is type(value)


def test_long_strings_and_their_comments_are_joined():
    [card] = cards_of("LONG    = 'one &' / first", "CONTINUE  'two &'", "CONTINUE  'three' / last")
    assert card == ("LONG", "one two three", "first last")


def test_hierarch_keywords_lose_the_word():
    [card] = cards_of("HIERARCH ESO DET CHIP1 ID = 'ESO-Hawaii' / chip")
    assert card == ("ESO DET CHIP1 ID", "ESO-Hawaii", "chip")


def test_commentary_is_kept_as_it_stands():
    assert cards_of("COMMENT   = not a value", "HISTORY done", "", "        free text") == [
        ("COMMENT", "  = not a value", ""),
        ("HISTORY", "done", ""),
        ("", "", ""),
        ("", "free text", ""),
    ]


def test_header_gives_the_first_of_a_repeated_keyword():
    lines = ("A       = 1", "B       = 'x&'", "CONTINUE  'y'", "A       = 2", "U       =")
    header = Header("".join(line.ljust(80) for line in lines).encode())
    assert header.get("A") == 1
    assert header.get("B") == "xy"
    assert header.get("U", "default") == "default"
    assert header.get("NONE") is None
    assert len(header) == 4
    assert header[2] == ("A", 2, "")
    assert not math.isnan(hash(header))


@settings(max_examples=300)
@given(st.text(st.sampled_from("0123456789+-.eEdD_TFni'/ & abN()"), max_size=40), st.booleans())
def test_a_value_is_the_same_whether_one_card_or_all_are_read(text, quoted):
    field = f"'{text}' / a comment" if quoted else text
    block = f"KEY     = {field}".ljust(80)[:80].encode() + b"KEY     =                  999".ljust(80)
    header = Header(block)
    alone, [first, _] = header.get("KEY"), header.cards
    assert (alone, type(alone)) == (first[1], type(first[1]))
    assert header.some({b"KEY     "}) == ({} if alone is None else {"KEY": alone})


def test_keywords_within_other_cards_are_not_taken_for_cards():
    cards = [b"COMMENT NAXIS1  = 7", b"TITLE   = 'R_DARK'", b"R_DARK  = 'crds://dark.fits'", b"R_DARK  = 'other'"]
    header = Header(b"".join(card.ljust(80) for card in cards))
    assert header.get("NAXIS1") is None
    assert header.some(frozenset(), b"R_") == {"R_DARK": "crds://dark.fits"}
