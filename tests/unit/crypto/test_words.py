"""The word lists: everything about them that a program can check, and what is made of them."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from itertools import combinations
from typing import Final, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.crypto import words
from relay.crypto.passphrases import find_weakness
from relay.crypto.words import WordLanguage, claim_words, spell, suggest_passphrase, word_list

LANGUAGES: Final[tuple[WordLanguage, ...]] = get_args(WordLanguage)
UNWELCOME: Final[dict[WordLanguage, str]] = {
    "en": (
        "abuse alcohol angel arm arrest arrow ash ass axe baby bail bank bar bat beat bed beer "
        "belt bench bible bill bite bleed blood body bomb bond bone breast brother bullet burn "
        "bury cage cancer cell chain chapel charge child church clinic club cocaine coffin cop "
        "corpse court crash crime cross crown cuff custody cut dad dagger daughter dead death "
        "debt devil die doctor drown drug drunk evil family fear fight fire fist flame flood "
        "fraud funeral gallows gang god grave grief guard guilt gun hammer hand hang harm hate "
        "head heart hell hit hook hospital hurt husband ill injury jail judge jury justice kick "
        "kill kiss knife lash law lawyer lie liver loan lock lonely lover mask money mosque "
        "mother mouth murder naked neck needle night noose nude nurse orphan pain parole pastor "
        "pill poison police poor pray pregnant priest prison punch rape razor rent revenge rib "
        "rifle rob rope sad scar scream sentence sex shame shoot sick sin sister skin skull slap "
        "slave smoke snake soldier son stab steal strangle suicide sword tear theft thief threat "
        "tomb trap trial tumor vein victim violence virus war weapon weep whip widow wife wine "
        "witness wound wreck"
    ),
    "fr": (
        "abus accident adultere agression alcool amant amende ange argent arme arret assassin "
        "autel avocat baiser balle banque bebe biere bite blessure bombe bourreau bras cachot "
        "cadavre cancer canon cellule cendre cercueil chagrin chaine cicatrice clou coeur colere "
        "corde corps coup coupable couteau cri crime croix cul dette deuil diable dieu divorce "
        "docteur doigt douleur drogue eglise enfant enfer epee epouse esclave escroc famille "
        "faute faux feu flamme flic foi fou fouet frere fumee fusil gang geole gifle gland "
        "grossesse guerre hache haine honte hopital huissier ivre juge jure juron justice lame "
        "larme lit loi loyer mal malade mari marteau masque matraque menace mensonge mere messe "
        "meurtre moine morgue mort mosquee nuit orphelin otage peau peche pendaison pendu pere "
        "peur pilule pistolet pleur poing poison police potence pretre prison proces punition "
        "queue rancon rasoir sabre salaire sang sexe soeur soldat souffrance suicide tabac temoin "
        "tete tombe tort traitre tribunal triste tuer urne veuve vice victime viol violence virus "
        "vol voleur"
    ),
}
"""What nobody should have to read here; a list cannot be complete, but it can keep these out."""
NAMES: Final[dict[WordLanguage, str]] = {
    "en": (
        "amber april august aurora basil carol daisy dawn faith frank grace hazel heather hope "
        "iris ivy jack jade jasmine joy june laurel lily mark may melody pearl robin rose "
        "rosemary rowan ruby taylor violet"
    ),
    "fr": (
        "aurore capucine claire colette emeraude flore iris jade jasmin marguerite marina martin "
        "noel pascal rose victoire violette"
    ),
}
"""First names: one of them may be the name of whom it is about."""


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> WordLanguage:
    """Each language in turn."""
    found: WordLanguage = request.param
    return found


def test_a_list_has_1024_plain_words_in_alphabetical_order(language: WordLanguage) -> None:
    """Three to eight letters without accents, so that every keyboard has them; each once."""
    found = word_list(language)
    assert len(found) == 1 << words.BITS_PER_WORD == 1024
    assert [word for word in found if not re.fullmatch(r"[a-z]{3,8}", word)] == []
    assert list(found) == sorted(set(found))


def test_no_two_words_begin_alike(language: WordLanguage) -> None:
    """Four letters tell a word, so no word is a form of another, nor the beginning of one."""
    found = word_list(language)
    beginnings = Counter(word[:4] for word in found)
    assert [beginning for beginning, count in beginnings.items() if count > 1] == []
    short = [word for word in found if len(word) < 4]
    assert [w for w in found for s in short if w != s and w.startswith(s)] == []


def test_no_word_becomes_another_by_one_slip(language: WordLanguage) -> None:
    """A letter more, less, other, or two exchanged: the edit distance is two at least."""
    found = set(word_list(language))
    letters = "abcdefghijklmnopqrstuvwxyz"
    for word in found:
        cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
        slips = {head + tail[1:] for head, tail in cuts if tail}
        slips |= {head + letter + tail[1:] for head, tail in cuts if tail for letter in letters}
        slips |= {head + letter + tail for head, tail in cuts for letter in letters}
        slips |= {head + tail[1] + tail[0] + tail[2:] for head, tail in cuts if len(tail) > 1}
        assert slips & found <= {word}, word


def test_no_two_words_sound_alike(language: WordLanguage) -> None:
    """Over the telephone each is another: its sounds, roughly as they are spoken, are its own."""
    sounds = Counter(_sound(word, language) for word in word_list(language))
    assert [sound for sound, count in sounds.items() if count > 1] == []


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "pear", "pair"),
        ("en", "flour", "flower"),
        ("en", "night", "knight"),
        ("en", "write", "right"),
        ("en", "cymbal", "symbol"),
        ("fr", "cygne", "signe"),
        ("fr", "pain", "pin"),
        ("fr", "chant", "champ"),
        ("fr", "saut", "seau"),
        ("fr", "houx", "ou"),
    ],
)
def test_words_that_sound_alike_would_be_found(
    language: WordLanguage, one: str, other: str
) -> None:
    """The comparison of the test above finds that these sound alike."""
    assert _sound(one, language) == _sound(other, language)


def test_no_word_hurts(language: WordLanguage) -> None:
    """Nothing of violence, crime, body, death, illness, family, justice, religion or money; and no names."""
    found = set(word_list(language))
    assert found & {*UNWELCOME[language].split(), *NAMES[language].split()} == set()


def test_a_code_is_spelled_with_ten_bits_a_word(language: WordLanguage) -> None:
    """The first bit first."""
    found = word_list(language)
    numbers = (1, 512, 0, 1023)
    code = int("".join(f"{number:010b}" for number in numbers), 2).to_bytes(5, "big")
    assert spell(code, language) == tuple(found[number] for number in numbers)


@given(st.binary(min_size=5, max_size=5), st.binary(min_size=5, max_size=5))
def test_other_codes_are_other_words(one: bytes, other: bytes) -> None:
    """No two codes are spelled alike."""
    for language in LANGUAGES:
        assert (spell(one, language) == spell(other, language)) == (one == other)


def test_the_words_of_a_claim_hang_on_every_bit_of_its_hash_and_on_work() -> None:
    """Hashes that differ in one bit, wherever it is, have other words; each try is one scrypt."""
    seen = {claim_words(bytes(32), "en")}
    for changed in (b"\x80" + bytes(31), bytes(16) + b"\x01" + bytes(15), bytes(31) + b"\x01"):
        seen.add(claim_words(changed, "en"))
    assert len(seen) == 4
    plain = hashlib.scrypt(
        base64.urlsafe_b64encode(bytes(32)).rstrip(b"="),
        salt=b"relay/v1/claim-words",
        n=2**15,
        r=8,
        p=1,
        maxmem=2**26,
        dklen=5,
    )
    assert claim_words(bytes(32), "en") == spell(plain, "en")


def test_a_suggestion_is_words_of_the_list_that_pass_for_a_passphrase(
    language: WordLanguage,
) -> None:
    """Four unless more are asked for, with spaces between them; every one of many is above the floor."""
    known = set(word_list(language))
    suggested = [suggest_passphrase(language) for _ in range(500)]
    for passphrase in suggested:
        assert len(passphrase.split(" ")) == 4
        assert set(passphrase.split(" ")) <= known
        assert find_weakness(passphrase) is None, passphrase
    assert len(set(suggested)) == len(suggested)
    assert len(suggest_passphrase(language, 6).split(" ")) == 6


def test_every_word_is_suggested_as_often_as_every_other(language: WordLanguage) -> None:
    """Of 102 400 words each comes about a hundred times: there is no favourite, and none is left out."""
    suggested = (suggest_passphrase(language) for _ in range(25_600))
    drawn = Counter(word for passphrase in suggested for word in passphrase.split(" "))
    assert len(drawn) == 1024
    assert 40 < min(drawn.values()) < max(drawn.values()) < 180


def test_four_different_words_are_above_the_floor() -> None:
    """Even the shortest of each list: anyone who takes the suggestion is not refused."""
    for language in LANGUAGES:
        shortest = sorted(word_list(language), key=len)[:12]
        assert all(find_weakness(" ".join(four)) is None for four in combinations(shortest, 4))


def test_what_the_floor_refuses_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """One word four times is possible, and is not suggested."""
    drawn = iter(["zoo"] * 4 + ["acorn", "bagel", "cactus", "denim"])
    monkeypatch.setattr("secrets.choice", lambda _words: next(drawn))
    assert suggest_passphrase("en") == "acorn bagel cactus denim"


_ENGLISH: Final = (
    (r"^[kgp]n", "n"),
    (r"^wr", "r"),
    (r"^ps", "s"),
    (r"wh", "w"),
    (r"rh", "r"),
    (r"mb$", "m"),
    (r"tch|ch", "C"),
    (r"sh", "S"),
    (r"th", "T"),
    (r"ph", "f"),
    (r"igh", "i"),
    (r"gh", ""),
    (r"ck", "k"),
    (r"d?g(?=[eiy])", "j"),
    (r"qu", "kw"),
    (r"x", "ks"),
    (r"c(?=[eiy])", "s"),
    (r"c", "k"),
    (r"z", "s"),
    (r"(.)\1", r"\1"),
    (r"(?<=[^aeiouy])e$", ""),
    (r"[ou]we(?=r)", "ou"),
    (r"[aeiouy]+h?", "a"),
)
_FRENCH: Final = (
    (r"ph", "f"),
    (r"ch|sh", "S"),
    (r"gn", "N"),
    (r"qu?", "k"),
    (r"g(?=[eiy])", "j"),
    (r"gu(?=[eiy])", "g"),
    (r"ge(?=[ao])", "j"),
    (r"c(?=[eiy])", "s"),
    (r"x$", ""),
    (r"x", "ks"),
    (r"[ck]+", "k"),
    (r"^h", ""),
    (r"eau|au|o(?![uimny])", "o"),
    (r"oi|oy", "wa"),
    (r"ou", "U"),
    (r"(?:ain|ein|in|im|ym|yn|un|um)(?![aeiouynm])", "I"),
    (r"(?:an|am|en|em)(?![aeiouynm])", "A"),
    (r"(?:on|om)(?![aeiouynm])", "O"),
    (r"[ae][iy]", "e"),
    (r"oe?u|eu", "e"),
    (r"h", ""),
    (r"y", "i"),
    (r"(.)\1", r"\1"),
    (r"z", "s"),
    (r"(?<=.)es?$", ""),
    (r"(?<=[aeioAIOUlnr])[stdpz]+$", ""),
    (r"er$", "e"),
)


def _sound(word: str, language: WordLanguage) -> str:
    """Roughly how a word is spoken: consonants as they sound, English vowels all alike."""
    for written, spoken in _ENGLISH if language == "en" else _FRENCH:
        word = re.sub(written, spoken, word)
    return word
