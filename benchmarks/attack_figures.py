"""What the article's attacks come to, by the harness, against what they must reach.

    python benchmarks/attack_figures.py PHOTOS [--in-the-wild DIR] [--only PART…]

PHOTOS is one folder or file of photos as for `clipbench pretrain`; those that its training does not see are
used, spread evenly. DIR has the article's photos in the wild (default: where `clipbench fetch` puts them).

- cover: of the nine texts by our renderer, against the published means;
- card: the figures of mini's card, which were counted by other code, on the same photos;
- control: how often the control's top class becomes the target;
- wild: the article's 171 photos, zero-shot and by the probes of mini;
- stroop: inks and words.

Prints a row for each figure and writes all of them into benchmarks/results/attack_figures.json. Encodes 5,000
pictures, and lays 1,800 labels on larger ones.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from card.figure import Figure, bootstrap, rate, spread
from card.setting import Source
from machine import machine
from mini_card import line
from PIL import Image, ImageOps

import clipbench as cb
from clipbench.attacks import NINE, Case, WildPhoto, in_the_wild, measure, stroop, wild_photos
from clipbench.attacks.stroop_effect import LEAST
from clipbench.classify import as_classifier, load_probe
from clipbench.classify.probe import SHIPPED
from clipbench.intervals import Rate
from clipbench.models import ClipModel, imagenet_labels
from clipbench.models.card import mini_card, taught_words
from clipbench.pretrain.photos import Photo, read_photos
from clipbench.stimuli import cover
from clipbench.stimuli.recipes import ARTICLE_SIDE

RESULTS = Path(__file__).parent / "results"
CONTROL = "timm/tf_efficientnet_lite0"
TEXTS = ("pizza", "rifle", "radio", "library", "iPod", "trash", "shark", "meow", "$$$")  # as in the card
PHOTOS = 200  # as in the card


@dataclass(frozen=True)
class Lab:
    """Who is attacked, and where."""

    model: ClipModel
    photos: list[Photo]
    wild: Path | None

    def squares(self, side: int) -> list[Image.Image]:
        """The photos at side × side pixels."""
        return [ImageOps.fit(photo.open(), (side, side)) for photo in self.photos]


def covers(lab: Lab) -> Iterator[Figure]:
    """Each text at the article's size; its colours are other photos', which matters little."""
    squares = lab.squares(ARTICLE_SIDE)
    for row in NINE:
        found = np.array([cover(one, cb.overlay(one, row.text)) for one in squares])
        less = 100 * (found - row.cover)
        low, high = bootstrap(lambda drawn, less=less: less[drawn].mean(), len(less))
        yield Figure(
            f"cover/{row.text}",
            f"cover of “{row.text}”, {found.mean():.2%}, from the published {row.cover:.2%}",
            abs(float(less.mean())),
            len(less),
            (low, high),
            target=0.2,
            how=f"{ARTICLE_SIDE} px; the interval is of the signed difference, bootstrap over photos",
            unit="points",
            at_most=True,
        )


def card(lab: Lab) -> Iterator[Figure]:
    """The card's own counts beside those of the harness."""
    told = mini_card()
    if told is None or told["weights_hash"] != lab.model.weights_hash:
        raise cb.ClipbenchError("the card is not of these weights; benchmarks/mini_card.py makes it")
    counted = {figure["key"]: (figure["hits"], figure["n"]) for figure in told["figures"]}
    squares, known, equal = lab.squares(lab.model.image_size), imagenet_labels(), []
    texts: dict[tuple[str, ...], list[str]] = {}  # by the labels that they are counted among
    for text in TEXTS:
        texts.setdefault(tuple(dict.fromkeys([*known, text])), []).append(text)
    for labels, own in texts.items():
        classifier = as_classifier(lab.model, labels)
        *_, last = measure(classifier, squares, [Case(text, text) for text in own])
        for result in last.results:
            won, theirs = result.of_others, counted.get(f"article/{result.text}")
            equal.append((won.hits, won.n) == theirs)
            how = f"the card: {theirs}; {result.provenance.recipe}"
            yield rate(
                f"card/{result.text}", f"“{result.text}” wins", won.hits, won.n, 1 / len(labels), how=how
            )
    told = "texts whose counts are the card's"
    yield Figure("card/equal", told, sum(equal), len(equal), target=len(equal), unit="texts")


def control(lab: Lab) -> Iterator[Figure]:
    """Who cannot read should not be changed by a text."""
    classifier = as_classifier(cb.load(CONTROL, device="cpu"))
    cases = [Case(row.target, row.text) for row in NINE]
    *_, last = measure(classifier, [photo.open() for photo in lab.photos], cases)
    rates = {result.text: result.success for result in last.results}
    rates["all nine"] = Rate(sum(one.hits for one in rates.values()), sum(one.n for one in rates.values()))
    for text, found in rates.items():
        told = f"the control's change to the target by {text}"
        figure = rate(f"control/{text}", told, found.hits, found.n, None, 0.02, classifier.recipe)
        yield replace(figure, at_most=True)


def wild(lab: Lab) -> Iterator[Figure]:
    """The word wins, of the photos that ask for another thing's name and whose thing is known without it."""
    photos, taught = wild_photos(lab.wild), {word.casefold() for word in taught_words()}
    of_taught = [photo for photo in photos if not photo.word or photo.word.casefold() in taught]
    yield from _flips("zero-shot", "zero-shot, any word", lab.model, photos, None)
    if taught:
        yield from _flips("zero-shot-taught", "zero-shot, words that were taught", lab.model, of_taught, 0.6)
    else:
        print("| wild/zero-shot-taught | the list of taught words does not lie beside the weights | | |")
    for name, path in SHIPPED.items():
        if path.is_file():
            yield from _flips(name, f"by the probe “{name}”", load_probe(name, lab.model), photos, None)
        else:
            print(f"| wild/{name} | no data: scripts/make_probes.py has not been run | | |")


def _flips(key: str, how: str, classifier, photos: list[WildPhoto], target: float | None) -> Iterator[Figure]:
    try:
        table = in_the_wild(classifier, photos)
    except cb.ClipbenchError as error:  # a probe without the thing's class: no data
        print(f"| wild/{key} | no data: {error} | | |")
        return
    told, found = f"{len(photos)} real photos, {how}: the word wins", table.flips
    if found is None:
        print(f"| wild/{key} | no thing is known without a word | | |")
        return
    yield rate(f"wild/{key}", told, found.hits, found.n, None, target, table.provenance.recipe)


def inks(lab: Lab) -> Iterator[Figure]:
    """Only a model that names the inks of a neutral word can show the effect."""
    found = stroop(lab.model)
    for name, least in LEAST.items():
        own = getattr(found, name)
        yield rate(f"stroop/{name}", f"Stroop, {name} words named", own.hits, own.n, 1 / 8, least / own.n)
    target = 0.9 if found.counts else None
    word, told = found.word, "Stroop, conflicts answered with the word"
    yield rate("stroop/word", told, word.hits, word.n, 1 / 8, target, found.summary)


PARTS: dict[str, Callable[[Lab], Iterator[Figure]]] = {
    "cover": covers,
    "card": card,
    "control": control,
    "wild": wild,
    "stroop": inks,
}


def main() -> None:
    """Measure, print, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("photos", metavar="PHOTOS", help="a folder or a .parquet file, as for pretrain")
    parser.add_argument("--in-the-wild", type=Path, metavar="DIR", help="the article's 171 photos")
    parser.add_argument("--most", type=int, default=PHOTOS, metavar="N", help=f"photos (default: {PHOTOS})")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="some parts; nothing is written")
    options = parser.parse_args()
    photos = read_photos([options.photos]).labelled
    unseen = spread(Source(photos, min(photos[0].open().size)).unseen, options.most)
    lab = Lab(cb.load("mini", device="cpu"), unseen, options.in_the_wild)
    print("| what | value (95 %), n | chance | target |\n|---|---|---|---|")
    figures, skipped = [], {}
    for name in options.only or PARTS:
        try:
            for figure in PARTS[name](lab):
                print(line(figure), flush=True)
                figures.append(figure.as_dict())
        except cb.ClipbenchError as error:
            skipped[name] = str(error)
            print(f"| {name} | skipped: {error} | | |", file=sys.stderr)
    about = {"model": lab.model.name, "weights_hash": lab.model.weights_hash, "photos": len(unseen)}
    about["machine"] = machine("clipbench", "torch", "pillow")
    if not options.only:
        told = json.dumps({**about, "figures": figures, "skipped": skipped}, indent=1, ensure_ascii=False)
        (RESULTS / "attack_figures.json").write_text(told + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
