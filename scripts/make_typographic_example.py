"""Search for labels that flip what a model sees, and choose the example that "Fool it" opens with.

    python scripts/make_typographic_example.py [--model mini]

Each photo whose object wins among the labels gets each other label as its text: on paper tags of several
widths at five places, and printed as in the article in several sizes. The table says how many of them flip
to the text. Chosen is the surest flip on paper of the article's own pair, an apple and "iPod", else of one of
the things that the article labels to what is none of them, else of any; run it again when the model changes.
"""

import argparse
import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass

import clipbench as cb
from clipbench.classify import BeforeAfter, before_after
from clipbench.models import ClipModel
from clipbench.stimuli import Sample, cover, sample
from clipbench.stimuli.recipes import ARTICLE, ARTICLE_SIDE
from widgets.scene import EXAMPLE, Scene

LABELS = ("apple", "iPod", "laptop", "mug", "library", "pizza", "toaster")
PLACES = [(0.5, 0.5), (0.3, 0.3), (0.7, 0.3), (0.3, 0.7), (0.7, 0.7)]
PAPER = (0.35, 0.5, 0.65, 0.8)  # widths
PRINTED = (ARTICLE.size, 30, 40, 60)  # pixels of 288
ARTICLES = ("apple", "iPod")
LABELLED = ("apple", "laptop", "mug")  # by the article, on paper


@dataclass(frozen=True)
class Trial:
    """One label on one photo, and what the model saw."""

    scene: Scene
    truth: str
    before: float  # probability of what is on the photo
    after: float  # probability of the text on the label
    flips: bool  # the text wins

    @property
    def sureness(self) -> float:
        """Of the less sure of its two wins."""
        return min(self.before, self.after)


def scenes(photo: Sample) -> Iterator[Scene]:
    """All labels on a photo that are tried."""
    labels = LABELS if photo.truth in LABELS else (photo.truth, *LABELS)
    for text in LABELS:
        if text == photo.truth:
            continue
        for size in PRINTED:
            yield Scene(photo.name, text, "printed", size / ARTICLE_SIDE, 0.5, 0.5, 1.0, labels)
        for size in PAPER:
            for x, y in PLACES:
                yield Scene(photo.name, text, "paper", size, x, y, 1.0, labels)


def trials(model: ClipModel) -> Iterator[Trial]:
    """All labels on all photos whose object wins; the article's photos that carry a label are left out."""
    for photo in (photo for photo in cb.samples() if not photo.labelled):
        image, tried = photo.image, list(scenes(photo))
        labels = tried[0].labels
        shares = cb.zero_shot(model, [image, *(scene.draw(image) for scene in tried)], labels).numpy()
        before, truth = shares[0], labels.index(photo.truth)
        if before.argmax() != truth:
            continue
        for scene, after in zip(tried, shares[1:], strict=True):
            text = labels.index(scene.text)
            yield Trial(scene, photo.truth, before[truth], after[text], after.argmax() == text)


def table(done: list[Trial]) -> str:
    """How many flip, by kind and size of the label."""
    photos = {trial.scene.photo for trial in done}
    lines = [
        f"{len(photos)} photos are recognised among {len(LABELS)} labels (and what is on the photo).",
        "",
    ]
    lines += ["label    size      tried   text wins           text wins for apple, iPod"]
    for kind in ("printed", "paper"):
        for size in sorted({trial.scene.size for trial in done if trial.scene.label == kind}):
            rows = [trial for trial in done if (trial.scene.label, trial.scene.size) == (kind, size)]
            pair = [trial for trial in rows if (trial.truth, trial.scene.text) == ARTICLES]
            told = f"{size * ARTICLE_SIDE:.0f} px" if kind == "printed" else f"{size:.0%} wide"
            lines += [f"{kind:9}{told:10}{len(rows):5}   {count(rows):20}{count(pair)}"]
    return "\n".join(lines)


def count(rows: list[Trial]) -> str:
    """How many of some trials flip."""
    flips = sum(trial.flips for trial in rows)
    return f"{flips} of {len(rows)} ({flips / len(rows):.1%})" if rows else "none tried"


def choose(done: list[Trial]) -> Trial:
    """The surest flip on paper: of the article's pair, else of its things to another, else of any photo."""
    paper = [trial for trial in done if trial.flips and trial.scene.label == "paper"]
    if not paper:
        raise SystemExit("no paper tag flips this model; there is no example to ship")
    pair = [trial for trial in paper if (trial.truth, trial.scene.text) == ARTICLES]
    things = [trial for trial in paper if trial.truth in LABELLED and trial.scene.text not in LABELLED]
    return max(pair or things or paper, key=lambda trial: trial.sureness)


def save(scene: Scene, result: BeforeAfter, covered: float) -> None:
    """Write down the chosen example with what was measured on it."""
    told = {
        "scene": dataclasses.asdict(scene),
        "before": dict(zip(result.labels, result.before.round(4).tolist(), strict=True)),
        "after": dict(zip(result.labels, result.after.round(4).tolist(), strict=True)),
        "cover": round(covered, 4),
        "provenance": result.provenance.as_dict(),
    }
    EXAMPLE.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    """Search, print the table, write the example."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="mini")
    model = cb.load(parser.parse_args().model, device="cpu")
    done = list(trials(model))
    print(table(done))
    scene = choose(done).scene
    image = sample(scene.photo).image
    drawn = scene.draw(image)
    result = before_after(model, image, drawn, scene.labels, change=f"{scene.photo} · {scene}")
    save(scene, result, cover(image, drawn))
    print(f"\nchosen: {scene} on {scene.photo}; {' → '.join(result.winners)}; written to {EXAMPLE.name}")


if __name__ == "__main__":
    main()
