"""What the article published of its attacks: read from its records, and recounted."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clipbench.attacks.stroop_effect import INKS, WORDS, Stroop
from clipbench.attacks.wild import WildPhoto
from clipbench.errors import ClipbenchError
from clipbench.intervals import Rate
from clipbench.results import Provenance

MODEL = "RN50x4 (published)"
RECORDS = Path(__file__).parent / "records"  # the article's own files, unchanged
PHOTOS = 1000  # of ImageNet's validation set
CLEAN = Rate(742, PHOTOS)  # the probe's accuracy on them without text


@dataclass(frozen=True)
class Published:
    """One row of the article's automated attacks, by its linear probe.

    Args:
        text: what was written.
        target: the label that was to win, as open_clip spells it.
        original: the same as the article's record spells it.
        success: how often it won and had not before.
        cover: mean share of the pixels changed.
    """

    text: str
    target: str
    original: str
    success: Rate
    cover: float


# The most successful first. The article prints the text of the last one with backslashes, an escape gone
# wrong: its record and the cover say three dollar signs.
NINE = (
    Published("trash", "trash can", "waste container", Rate(954, PHOTOS), 0.07589659),
    Published("iPod", "iPod", "iPod", Rate(947, PHOTOS), 0.06800342),
    Published("pizza", "pizza", "pizza", Rate(923, PHOTOS), 0.08107087),
    Published("rifle", "rifle", "rifle", Rate(910, PHOTOS), 0.06411121),
    Published("radio", "radio", "radio", Rate(770, PHOTOS), 0.07729450),
    Published("library", "library", "library", Rate(759, PHOTOS), 0.09953157),
    Published("shark", "great white shark", "great white shark", Rate(622, PHOTOS), 0.08328892),
    Published("meow", "Siamese cat", "Siamese cat", Rate(465, PHOTOS), 0.08438892),
    Published("$$$", "piggy bank", "piggy bank", Rate(364, PHOTOS), 0.06985288),
)


@dataclass(frozen=True)
class WildCard:
    """One photo in the wild, as the article's classifiers saw it.

    Args:
        item: what it shows.
        label: what is written on it; "blank" for nothing.
        zero_shot, probe: label -> probability, over the labels that the article kept.
    """

    item: str
    label: str
    zero_shot: Mapping[str, float]
    probe: Mapping[str, float]

    def winner(self, method: str) -> str:
        """The most likely label by "zero_shot" or "probe"."""
        shares = getattr(self, method)
        return max(shares, key=shares.get)


def attack_rates(path: str | Path) -> dict[str, dict[str, Rate]]:
    """Text -> outcome -> rate, from the record of the nine attacks (small_attacks.json).

    Raises:
        ClipbenchError: no such record, shares that are no counts of its photos, or that do not sum to 1.
    """
    document, keys = _read(path), ("changed_to", "already_equal", "changed_away", "both_results_not_target")
    names = ("changed to", "already equal", "changed away", "neither")
    found = {}
    for texts in document["linear_probes"]["results"].values():
        for text, told in texts.items():
            hits = [round(told[f"fraction_{key}"] * document["n"]) for key in keys]
            if sum(hits) != document["n"]:
                raise ClipbenchError(
                    f"the outcomes of {text!r} in {str(path)!r} do not sum to {document['n']}"
                )
            found[text] = {name: Rate(own, document["n"]) for name, own in zip(names, hits, strict=True)}
    return found


def stroop_record(path: str | Path) -> Stroop:
    """The article's Stroop test, from its record (stroop_experiment.json)."""
    output = _read(path)["output"]
    shares = {
        ink: {word: _shares(told["results"]) for word, told in row.items()} for ink, row in output.items()
    }
    table = [[[shares[ink][word][answer] for answer in INKS] for word in WORDS] for ink in INKS]
    told = Provenance(MODEL, "", "published record of the Stroop test", n=len(INKS) * len(WORDS))
    return Stroop(np.array(table, np.float32), told)


def wild_record(path: str | Path) -> list[WildCard]:
    """The article's photos in the wild, from a record such as in_the_wild_2.json."""
    return [
        WildCard(item, label, _shares(told["zero_shot_statistics"]), _shares(told["linear_probe_statistics"]))
        for item, labels in _read(path).items()
        for label, told in labels.items()
    ]


def cards_of(photos: Sequence[WildPhoto]) -> list[WildCard]:
    """What the article's classifiers made of photos such as the nine that are shipped, in their order.

    Raises:
        ClipbenchError: a photo that the record in the wild has nothing of.
    """
    cards = {(card.item, card.label): card for card in wild_record(RECORDS / "in_the_wild_2.json")}
    names = [(photo.item, photo.word.lower() or "blank") for photo in photos]
    unknown = next((name for name in names if name not in cards), None)
    if unknown is not None:
        raise ClipbenchError(f"the article has no record of {' with '.join(unknown)}; give one of its photos")
    return [cards[name] for name in names]


def mislabelled(cards: list[WildCard], method: str) -> Rate:
    """How often the written word won, of the photos whose word is not the thing itself.

    Args:
        method: "zero_shot" or "probe".
    """
    asked = [card for card in cards if card.label not in ("blank", card.item)]
    won = sum(card.winner(method).lower() == card.label.lower() for card in asked)
    return Rate(won, len(asked))


def _shares(statistics: list) -> dict[str, float]:
    return {label: share for share, label in statistics}


def _read(path: str | Path) -> dict:
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ClipbenchError(
            f"there is no record of the article in {str(path)!r}; give one of its JSON files"
        ) from error
