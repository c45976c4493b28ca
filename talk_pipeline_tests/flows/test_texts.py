"""Texts: Unicode, case, length, phones and registration numbers of many countries, trade item numbers."""

import sys
import unicodedata
from collections.abc import Iterator
from functools import partial
from random import Random

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from talk_pipeline.flows.texts import plain_e164
from talk_pipeline.flows.types import parse_type
from talk_pipeline.flows.values import Context, UnmappableError, folded, length, tidy, upper

PLAIN = Context()


def canonical(kind: str, value: str | None, country: str | None = None) -> str | None:
    context = Context(sibling={"country": country}.get)
    return parse_type(kind, country="country").canonical(value, context)


@pytest.mark.parametrize("kind", ["text(20)", "code(20)", "email(80)", "registration(20)"])
def test_composed_and_decomposed_are_the_same(kind: str) -> None:
    composed = "é1@example.com"
    decomposed = unicodedata.normalize("NFD", composed)
    assert composed != decomposed
    assert canonical(kind, composed) == canonical(kind, decomposed)
    assert parse_type(kind).convert(decomposed, PLAIN) == composed


def test_upper_case_is_one_character_for_one() -> None:
    cased = [c for c in map(chr, range(sys.maxunicode + 1)) if c.upper() != c or c.lower() != c]
    for character in filter(partial(unicodedata.is_normalized, "NFC"), cased):
        for case in (upper, folded):
            other = case(character)
            assert (length(other), other.isascii()) == (length(character), character.isascii()), character
            assert case(other) == other, character


SAME_KEY = [("straße", "STRAßE"), ("ærø-1", "ÆRØ-1"), ("ΟΔΟΣ", "οδος"), ("ǆ", "ǅ"), ("ᾳ", "ᾼ")]
OTHER_KEY = [("straße", "strasse"), ("ısı", "ISI"), ("İ1", "I1"), ("ŉ", "ʼN"), ("ﬁx", "FIX"), ("ſ", "S")]


@pytest.mark.parametrize(("one", "other"), SAME_KEY)
def test_keys_are_the_same_whatever_their_case(one: str, other: str) -> None:
    assert canonical("code(20)", one) == canonical("code(20)", other)
    assert canonical("email(80)", f"{one}@example.com") == canonical("email(80)", f"{other}@EXAMPLE.COM")


@pytest.mark.parametrize(("one", "other"), OTHER_KEY)
def test_case_never_makes_one_key_of_two(one: str, other: str) -> None:
    assert canonical("code(20)", one) != canonical("code(20)", other)


def test_a_key_fits_as_business_central_stores_it() -> None:
    assert canonical("code(6)", "straße") == "STRAßE"


FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


def test_limits_count_as_business_central_counts() -> None:
    assert length(FAMILY) == 8
    assert canonical("text(8)", FAMILY) == FAMILY
    with pytest.raises(UnmappableError, match=r"8 characters \(an emoji counts as two\), at most 7 fit"):
        canonical("text(7)", FAMILY)
    assert canonical("text(4)", "cafe\u0301") == "café"
    assert canonical("text(3)", "  abc\u00a0") == "abc"


@pytest.mark.parametrize("text", ["\u200fשלום", "a\u200db", "a\tb\nc", "a\u00a0b", "a  b", "\ufeffa", "🏳️‍🌈"])
def test_what_can_be_held_is_carried_as_it_is(text: str) -> None:
    assert canonical("text(20)", text) == text
    assert parse_type("text(20)").convert(text, PLAIN) == text


NO_TEXT = [
    ("a\x00b", r"control character U\+0000 at position 2"),
    ("bell\x07", r"U\+0007"),
    ("\x1bA\x1b", r"U\+001B"),
    ("a\ud800", "half a character"),
    ("\ufffe", r"U\+FFFE"),
]


@pytest.mark.parametrize(("text", "why"), NO_TEXT)
@pytest.mark.parametrize("kind", ["text(20)", "code(20)", "email(80)", "phone(20)", "registration(20)"])
def test_what_is_no_text_is_refused_and_named(kind: str, text: str, why: str) -> None:
    with pytest.raises(UnmappableError, match=f"{why}.*, which is no text") as caught:
        canonical(kind, text)
    assert str(caught.value).isprintable()


def test_half_a_character_can_be_kept_and_shown() -> None:
    kept = tidy("a\ud800")
    assert kept is not None
    assert kept.encode().decode() == kept


def test_a_long_value_is_shown_by_its_beginning() -> None:
    with pytest.raises(UnmappableError, match="100000 characters, at most 20 fit") as caught:
        canonical("text(20)", "x" * 100_000)
    assert len(str(caught.value)) < 400


PHONES = [
    ("DK", "33 12 34 56", "+45 33123456"),
    ("SE", "08-123 456 78", "+46812345678"),
    ("NO", "22 12 34 56", "0047 22123456"),
    ("FI", "09 1234567", "+358 9 1234567"),
    ("DE", "030 123456", "+49 30 123456"),
    ("NL", "020 123 4567", "+31 20 1234567"),
    ("FR", "01 23 45 67 89", "+33 1 23456789"),
    ("GB", "020 7123 4567", "+44 20 71234567"),
    ("ES", "912 345 678", "+34 912345678"),
    ("PL", "22 123 45 67", "+48221234567"),
    ("IT", "06 1234 5678", "+39 0612345678"),
    ("US", "(212) 555-0123", "+1 212 555 0123"),
    (None, "+45 33 12 34 56", "+4533123456"),
    ("dk ", "33123456#12", "+45 33 12 34 56,,12"),
]


@pytest.mark.parametrize(("country", "national", "international"), PHONES)
def test_phones_of_many_countries(country: str, national: str, international: str) -> None:
    assert canonical("phone(30)", national, country) == canonical("phone(30)", international, country)
    assert str(canonical("phone(30)", national, country)).startswith("+")


@pytest.mark.parametrize(
    ("country", "one", "other"),
    [
        ("DK", "33 12 34 56", "33 12 34 57"),
        ("DK", "33 12 34 56", "33 12 34 56 #12"),
        ("DK", "33 12 34 56", "+46 33 12 34 56"),
        (None, "33 12 34 56", "+45 33 12 34 56"),  # of no country: nobody knows
        ("XX", "112", "113"),
    ],
)
def test_phones_that_differ(country: str | None, one: str, other: str) -> None:
    assert canonical("phone(30)", one, country) != canonical("phone(30)", other, country)


def _dialled(random: Random) -> Iterator[str]:
    """Numbers with a country's code: real ones of every country, and digits of any number behind every code."""
    for region in phonenumbers.SUPPORTED_REGIONS:
        for kind in phonenumbers.PhoneNumberType.values():
            if real := phonenumbers.example_number_for_type(region, kind):
                yield phonenumbers.format_number(real, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    for code in range(1, 1000):
        for size in range(1, 14):
            digits = random.choice(["", "0", "00", "1", "8"]) + "".join(random.choices("0123456789", k=size))
            yield f"+{code}{digits}"
            yield f"+{code} ({digits[:2]}) {digits[2:5]}-{digits[5:]}.7"


def test_a_number_that_is_its_digits_as_they_stand_is_what_the_library_makes_of_it() -> None:
    stand, real = 0, 0
    for text in _dialled(Random(4711)):
        if (form := plain_e164(text)) is None:
            continue
        stand += 1
        number = phonenumbers.parse(text, "US")
        assert phonenumbers.is_possible_number(number), text
        assert form == phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), text
        real += phonenumbers.is_valid_number(number)
    assert stand > 3000
    assert real > 800


@pytest.mark.parametrize(
    ("country", "text"), [("DK", "112"), (None, "33 12 34 56"), ("DK", "33 12 34 56 / 57")]
)
def test_what_cannot_be_dialled_from_abroad_is_compared_as_text(country: str | None, text: str) -> None:
    assert canonical("phone(30)", text.replace(" ", "  "), country) == text


REGISTRATIONS = [
    ("DK", "DK 12 34 56 74", "12345674"),
    ("SE", "SE556036079301", "556036079301"),
    ("NO", "NO 974 760 673 MVA", "974760673"),
    ("FI", "FI-20774740", "2077474-0"),
    ("DE", "DE 136.695.976", "136695976"),
    ("GR", "EL 094259216", "094259216"),
    ("CH", "CHE-100.155.212 MWST", "100155212"),
    ("ES", "ESB58378431", "B58378431"),
    ("NL", "nl4495445b01", "4495445B01"),
    ("AT", "ATU13585627", "U13585627"),
    ("GB", "GB 980 7806 84", "980780684"),
    ("FR", "FR 40 303 265 045", "40303265045"),
    ("", "DK12345674", "12345674"),
    ("", "ESB58378431", "B58378431"),
    ("", "CHE100155212", "100155212"),
]


@pytest.mark.parametrize(("country", "one", "other"), REGISTRATIONS)
def test_registration_numbers_of_many_countries(country: str, one: str, other: str) -> None:
    assert canonical("registration(20)", one, country) == canonical("registration(20)", other, country)
    assert canonical("registration(20)", other, country) is not None


@pytest.mark.parametrize(
    ("country", "one", "other"),
    [
        ("DK", "12345674", "SE12345674"),
        ("GB", "SC123456", "123456"),  # of Scotland, not of the Seychelles
        ("", "SC123456", "123456"),
        ("", "12AB34", "1234"),
        ("BG", "ЕИК123", "123"),  # a letter is a letter in any script
        ("", "АБВ", ""),
    ],
)
def test_registration_numbers_that_differ(country: str, one: str, other: str) -> None:
    assert canonical("registration(20)", one, country) != canonical("registration(20)", other, country)


@pytest.mark.parametrize(
    "gtin", ["96385074", "036000291452", "5701234567899", "15701234567896", "5 701234-567899"]
)
def test_gtins_of_every_length_are_sent_as_written(gtin: str) -> None:
    sent = parse_type("gtin(14)").convert(gtin, PLAIN)
    assert sent == gtin.replace(" ", "").replace("-", "")
    assert canonical("gtin(14)", sent) == str(sent).zfill(14)


@pytest.mark.parametrize("gtin", ["9638507", "96385075", "03600029145", "5701234567890", "5701234567899000",
                                  "٥٧٠١٢٣٤٥٦٧٨٩٩", "²²²²²²²²", "ABCDEFGH"])  # fmt: skip
def test_what_is_no_gtin(gtin: str) -> None:
    with pytest.raises(UnmappableError, match="is not a GTIN: 8, 12, 13 or 14 digits"):
        canonical("gtin(14)", gtin)


LABELS = st.text("abz09-_X", min_size=1, max_size=25)
LOCALS = st.text("aZ0._+-'", min_size=1, max_size=66)
TOPS = st.sampled_from(["com", "dk", "test", "local", "arpa", "onion", "invalid", "c", "c0m", "DK", "museum"])


@example("a", ["b--c"], "dk")
@example("a", ["b"], "local")
@example("a", ["b"], "LOCALHOST")
@example("a.", ["b"], "dk")
@example("a", ["b_c"], "dk")
@example("a", ["b-"], "dk")
@example("a", ["b" * 64], "dk")
@example("a", ["b"] * 130, "dk")
@given(LOCALS, st.lists(LABELS, max_size=12), TOPS)
def test_an_address_is_right_by_its_look_only_where_the_library_says_so(
    local: str, labels: list[str], top: str
) -> None:
    address = "@".join((local, ".".join((*labels, top))))
    try:
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        with pytest.raises(UnmappableError):
            canonical("email(250)", address)
    else:
        assert canonical("email(250)", address) == address.lower()
