"""The figures of mini's model card: what it reads, what it kept of photos, what its units answer to.

    python benchmarks/mini_card.py PHOTOS [--model mini] [--checkpoint FILE]

PHOTOS is what `clipbench pretrain` trained on: its own split tells which of them no training saw. Every row
is hits of n with Wilson's 95 % interval and what chance gives.
"""

import argparse
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from machine import machine
from PIL import Image

import clipbench as cb
from clipbench.intervals import wilson
from clipbench.pretrain import Recipe, pictures
from clipbench.pretrain.drawings import drawing, drawings
from clipbench.pretrain.fonts import test_fonts
from clipbench.pretrain.photos import UNSEEN_CLASS, UNSEEN_PHOTO, LabelledPhoto, read_photos
from clipbench.pretrain.towers import CONTROL
from clipbench.pretrain.vocabulary import CAPTIONS, DRAWING, PHOTO, WORD, Vocabulary, vocabulary

PHOTOS, WORDS = 600, 500  # pictures behind a row, at most
ATTACKED = 100  # photos
ATTACKS = ("pizza", "rifle", "radio", "library", "iPod", "trash", "shark", "meow", "$$$")
PHOTOS_A_CLASS, DRAWINGS_A_CLASS = 10, 4
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Row:
    """A rate: `hits` of `n`, and the rate that guessing has."""

    what: str
    hits: int
    n: int
    chance: float

    def __str__(self) -> str:
        low, high = wilson(self.hits, self.n)
        rate = f"{self.hits / self.n:.3f}, 95 % {low:.3f} to {high:.3f}"
        return f"| {self.what} | {self.hits} of {self.n} | {rate} | {self.chance:.4f} |"


def best(model, images: Sequence[Image.Image], labels: Sequence[str], template: str) -> np.ndarray:
    """The label that is nearest to each image, as places among the labels."""
    texts = model.encode_text([template.format(label) for label in labels])
    return (model.encode_image(images) @ texts.T).argmax(1).cpu().numpy()


def row(what: str, model, images, truths: Sequence[int], labels: Sequence[str], template: str) -> Row:
    """Top-1 among labels."""
    return Row(
        what, int((best(model, images, labels, template) == truths).sum()), len(images), 1 / len(labels)
    )


def photo_rows(model, control, photos: Sequence[LabelledPhoto], known: Vocabulary) -> Iterator[Row]:
    """The thousand names, for photos of classes that training had photos of, and of others."""
    for split in (UNSEEN_PHOTO, UNSEEN_CLASS):
        chosen = spread([photo for photo in photos if photo.split == split], PHOTOS)
        images, labels = [photo.open() for photo in chosen], [photo.label for photo in chosen]
        yield row(f"1,000 names, {split}", model, images, labels, known.classes, PHOTO)
        hits = int((control.logits(images).argmax(1).cpu().numpy() == labels).sum())
        yield Row(f"the control's own classes, {split}", hits, len(images), 1 / len(known.classes))


def reading_rows(model, known: Vocabulary) -> Iterator[Row]:
    """Words in fonts that no training used, plain and coloured, turned and on grounds."""
    fonts = [path for paths in test_fonts().values() for path in paths]
    for words, which in ((known.words, "words taught"), (known.hidden, "words never rendered")):
        rng = random.Random(0)
        places = rng.sample(range(len(words)), min(WORDS, len(words)))
        plain = [cb.written(words[at], font=str(rng.choice(fonts))) for at in places]
        yield row(f"{len(words)} {which}, black on white", model, plain, places, words, WORD)
        coloured = [on_ground(words[at], fonts, model.image_size, rng) for at in places]
        yield row(f"{len(words)} {which}, coloured, turned, on grounds", model, coloured, places, words, WORD)


def on_ground(word: str, fonts: Sequence[Path], side: int, rng: random.Random) -> Image.Image:
    picture = pictures.ground((side, side), rng)
    pictures.write(picture, word, rng.choice(fonts), rng.randint(18, 36), rng)
    return picture


def drawing_row(model) -> Row:
    """OpenMoji's own names: what training showed, so a fit and no test."""
    names = list(drawings())
    shown = [on_white(name) for name in names]
    return row(f"{len(names)} drawings (trained on)", model, shown, range(len(names)), names, DRAWING)


def on_white(name: str) -> Image.Image:
    picture, shown = Image.new("RGB", (160, 160), "white"), drawing(name)
    picture.paste(shown, (8, 8), shown)
    return picture


def attack_rows(model, photos: Sequence[LabelledPhoto], known: Vocabulary) -> Iterator[Row]:
    """The article's label on photos: how often the word wins among the thousand names and itself."""
    images = [photo.open() for photo in spread([p for p in photos if p.split != "train"], ATTACKED)]
    side = model.image_size
    squares = [image.resize((side, side)) for image in images]
    for text in ATTACKS:
        labels = list(dict.fromkeys([*known.classes, text]))
        target = labels.index(text)
        attacked = [cb.overlay(image, text) for image in squares]
        before, after = (best(model, shown, labels, PHOTO) == target for shown in (squares, attacked))
        yield Row(
            f"the article's label “{text}” wins", int((after & ~before).sum()), int((~before).sum()), 0.0
        )


def unit_rows(models, photos: Sequence[LabelledPhoto], known: Vocabulary) -> Iterator[dict]:
    """Multimodal units of the last convolution, for each model."""
    concepts = list(shared_concepts(photos, known))
    for model in models:
        found = cb.multimodal(model, concepts, "conv_head")
        yield {
            "model": model.name,
            "concepts": len(concepts),
            "units": found.count,
            "by chance": found.chance,
            "share of concepts with a unit": found.share,
            "interval": found.interval,
            "provenance": found.provenance.as_dict(),
        }


def shared_concepts(photos: Sequence[LabelledPhoto], known: Vocabulary) -> Iterator[cb.Concept]:
    """Classes with ten unseen photos whose name is a drawing's, too."""
    rng = random.Random(0)
    for label, name in enumerate(known.classes):
        own = [photo for photo in photos if photo.label == label and photo.split != "train"]
        if len(own) >= PHOTOS_A_CLASS and name.lower() in drawings():
            shown = [photo.open() for photo in own[:PHOTOS_A_CLASS]]
            drawn = [pictures.drawn(name.lower(), 160, rng) for _ in range(DRAWINGS_A_CLASS)]
            words = [cb.written(name, font=str(paths[0])) for paths in test_fonts().values()]
            yield cb.Concept(name, shown, drawn, words)


def spread(items: Sequence, most: int) -> list:
    """At most so many of them, evenly spread."""
    return [items[place * len(items) // most] for place in range(most)] if len(items) > most else list(items)


def measure(model, photos: Sequence[LabelledPhoto]) -> dict:
    """All rows for one model."""
    known, control = vocabulary(Recipe()), cb.load(CONTROL, device=str(model.device))
    parts: list[Callable[[], Iterator[Row]]] = [
        lambda: photo_rows(model, control, photos, known),
        lambda: reading_rows(model, known),
        lambda: iter([drawing_row(model)]),
        lambda: attack_rows(model, photos, known),
    ]
    return {
        "machine": machine("clipbench", "torch", "open_clip_torch", "timm", "pillow"),
        "provenance": cb.Provenance(
            model.name, model.weights_hash, "benchmarks/mini_card.py", seed=0
        ).as_dict(),
        "captions": CAPTIONS,
        "rows": [one for part in parts for one in part()],
        "units": list(unit_rows([model, control], photos, known)),
    }


def main() -> None:
    """Measure, print a table, and write it with all particulars."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--model", default="mini")
    parser.add_argument("--checkpoint")
    parser.add_argument("--out", type=Path, default=RESULTS / "mini_card.json")
    options = parser.parse_args()
    model = cb.load(options.model, checkpoint=options.checkpoint)
    found = measure(model, read_photos(options.photos).photos)
    print("| what | hits | rate | chance |\n|---|---|---|---|")
    print(*found["rows"], sep="\n")
    print(*(json.dumps(one) for one in found["units"]), sep="\n")
    found["rows"] = [asdict(one) for one in found["rows"]]
    options.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
