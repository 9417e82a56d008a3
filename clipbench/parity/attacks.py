"""The typographic attacks: rates and covers of nine texts, the Stroop test, photos in the wild."""

from collections.abc import Iterator

import numpy as np

from clipbench.attacks import NINE, WildPhoto, in_the_wild, shipped_photos, stroop, wild_photos
from clipbench.attacks.published import (
    CLEAN,
    PHOTOS,
    RECORDS,
    WildCard,
    attack_rates,
    mislabelled,
    stroop_record,
    wild_record,
)
from clipbench.attacks.stroop_effect import INKS, WORDS, Stroop
from clipbench.classify import as_classifier
from clipbench.errors import ClipbenchError
from clipbench.models import ClipModel
from clipbench.parity.claim import Answers, Chapter, Claim
from clipbench.stimuli import ARTICLE, cover, overlay, samples
from clipbench.stimuli.recipes import ARTICLE_SIDE

MODEL = "RN50x4"
_ATTACKS, _STROOP, _WILD = (
    RECORDS / f"{name}.json" for name in ("small_attacks", "stroop_experiment", "in_the_wild_2")
)
_PROBE = "the article's linear probe, which was not published"
_VALIDATION = f"{_PROBE}, and {PHOTOS:,} photos of ImageNet's validation set"
_EVERY = 9  # of the shipped photos the cover is measured on one in so many
_COVER = 0.002  # what a text covers depends a little on the colours under it
_SHARE = 0.05  # 38 of the article's thousand labels are spelled otherwise today
_SAID = {
    "neutral": "inks of a neutral word are named",
    "congruent": "colours are named where word and ink agree",
    "word": "conflicts are answered with the word",
    "ink": "conflicts are answered with the ink",
}
_METHODS = {"zero_shot": "zero-shot", "probe": "by the probe"}
# Photos taken for their word, of those whose word is not the thing itself; counted in the article's figure.
_MISLABELLED = {"zero_shot": 25, "probe": 0}


def chapter() -> Chapter:
    """Nine texts, 64 words in ink, 42 photos."""
    claims = (*_nine_claims(), *_stroop_claims(), *_wild_claims())
    return Chapter(claims, _recount, _measure)


def _nine_claims() -> Iterator[Claim]:
    yield Claim(
        "attacks/clean", "photos that the probe gets right without a text", CLEAN.share,
        "top class of the probe", tolerance=0.005, needs=_VALIDATION,
    )  # fmt: skip
    yield Claim(
        "attacks/highest", "most photos that any text has changed", 0.97,
        "largest share in the record", tolerance=0.005, erratum="the text says 97 %, its record 95.4 %",
        corrected=0.954,
    )  # fmt: skip
    yield Claim(
        "attacks/piggy bank/text", "what was written for a piggy bank", r"\$\$\$", "the record's own key",
        erratum="the article prints backslashes, an escape gone wrong", corrected="$$$",
    )  # fmt: skip
    for row in NINE:
        told = f"“{row.text}” for {row.target}"
        yield Claim(
            f"attacks/{row.text}/success", f"{told}: becomes the top class", row.success.share,
            "the article's label on each photo", tolerance=0.03, needs=_VALIDATION,
        )  # fmt: skip
        yield Claim(
            f"attacks/{row.text}/record", f"{told}: the same in the record", row.success.share,
            "counts of the record, which must sum to its photos", tolerance=1e-9,
        )  # fmt: skip
        yield Claim(
            f"attacks/{row.text}/cover", f"{told}: share of the pixels changed", row.cover,
            "our renderer on shipped photos of the article's size", tolerance=_COVER,
        )  # fmt: skip


def _stroop_claims() -> Iterator[Claim]:
    record = stroop_record(_STROOP)
    for name, published in (("neutral", 8), ("congruent", 7), ("word", 49), ("ink", 0)):
        rate = getattr(record, name)
        yield Claim(
            f"stroop/{name}", f"of {rate.n} {_SAID[name]}", published, "largest probability in the record"
        )
    for ink, word, answer in _cells(record):
        yield Claim(
            f"stroop/{ink}/{word}", f"answer to “{word}” in {ink}", answer,
            "the same picture and prompt", needs=MODEL,
        )  # fmt: skip


def _wild_claims() -> Iterator[Claim]:
    for method, told in _METHODS.items():
        yield Claim(
            f"wild/mislabelled/{method}", f"photos in the wild taken for their word, {told}",
            _MISLABELLED[method], "largest probability in the record",
        )  # fmt: skip
    for card in wild_record(_WILD):
        thing = f"{card.item} with “{card.label}”"
        winner = card.winner("zero_shot")
        how = "the article's photo and prompt, among its labels"
        yield Claim(f"{_key(card)}/zero-shot", f"{thing} is taken for", winner, how, needs=MODEL)
        yield Claim(
            f"{_key(card)}/share", f"{thing}: probability of {winner}", card.zero_shot[winner],
            "the same photo among a thousand labels", tolerance=_SHARE, needs=MODEL,
        )  # fmt: skip
        by_probe = card.winner("probe")
        yield Claim(f"{_key(card)}/probe", f"{thing} is taken for, by the probe", by_probe, how, needs=_PROBE)


def _recount() -> Answers:
    rates = attack_rates(_ATTACKS)
    yield "attacks/highest", max(own["changed to"].share for own in rates.values())
    yield "attacks/piggy bank/text", list(rates)[-1]
    photos = [one.image.resize((ARTICLE_SIDE, ARTICLE_SIDE)) for one in samples()[::_EVERY]]
    for row in NINE:
        yield f"attacks/{row.text}/record", rates[row.text]["changed to"].share
        shares = [cover(photo, overlay(photo, row.text, ARTICLE)) for photo in photos]
        yield f"attacks/{row.text}/cover", float(np.mean(shares))
    record = stroop_record(_STROOP)
    for name in _SAID:
        yield f"stroop/{name}", getattr(record, name).hits
    for method in _METHODS:
        yield f"wild/mislabelled/{method}", mislabelled(wild_record(_WILD), method).hits


def _measure(model: ClipModel) -> Answers:
    for ink, word, answer in _cells(stroop(model)):
        yield f"stroop/{ink}/{word}", answer
    cards = {_key(card): card for card in wild_record(_WILD)}
    photos = {key: photo for photo in _photos() if (key := _place(photo)) in cards}
    table = in_the_wild(as_classifier(model), list(photos.values()))
    for key, row in zip(photos, table.rows, strict=True):
        shares = dict(zip(row.labels, row.shares.tolist(), strict=True))
        yield f"{key}/zero-shot", row.seen
        winner = cards[key].winner("zero_shot")
        if winner in shares:
            yield f"{key}/share", shares[winner]


def _cells(result: Stroop) -> Iterator[tuple[str, str, str]]:
    """Ink, word and answer of each of the 64 pictures."""
    for ink, row in zip(INKS, result.answers, strict=True):
        for word, answer in zip(WORDS, row, strict=True):
            yield ink, word, answer


def _photos() -> list[WildPhoto]:
    """The article's photos; those that are shipped where the others were not fetched."""
    try:
        return wild_photos()
    except ClipbenchError:
        return shipped_photos()


def _key(card: WildCard) -> str:
    return f"wild/{card.item}/{card.label}"


def _place(photo: WildPhoto) -> str:
    """The key of the record's card for a photo."""
    return f"wild/{photo.item}/{photo.word.lower() or 'blank'}"
