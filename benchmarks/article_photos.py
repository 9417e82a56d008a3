"""What a written word does to photos: mini, which reads, beside its control, which cannot.

The nine photos of the article and twenty others, before and after a word is laid on them: printed as in the
article, on a paper tag half as wide as the photo, and on a band of paper over half the photo. Each model
chooses between what is on the photo and the words; for the article's photos, between its three things and
the words.

The twenty are spread evenly over the shipped photos whose content is part of a class name of the control.
"""

import argparse
import json
from collections.abc import Iterator
from itertools import groupby, product
from pathlib import Path
from statistics import fmean

from machine import machine

import clipbench as cb
from clipbench.classify import BeforeAfter
from clipbench.models import classes_of
from clipbench.stimuli import ARTICLE, BAND, TAG, Sample, cover

MODELS = ("mini", "timm/tf_efficientnet_lite0")
WORDS = (
    "iPod",
    "library",
    "pizza",
    "toaster",
)  # on the article's paper labels; the control has their classes
THINGS = ("apple", "laptop", "mug")
OTHERS = 20
LABELS = {"printed": (cb.overlay, ARTICLE), "tag": (cb.paper, TAG), "band": (cb.paper, BAND)}
GROUPS = {
    "the article's three": lambda row: row["article"] and row["photo"] == row["truth"],
    "the article's six with a paper label": lambda row: row["article"] and row["photo"] != row["truth"],
    "twenty others": lambda row: not row["article"],
}
RESULTS = Path(__file__).parent / "results"


def photos(control) -> list[Sample]:
    """The article's nine, and twenty others."""
    article = [one for one in cb.samples() if one.kind == "article"]
    known = [one for one in cb.samples() if one.kind != "article" and has_class(control, one.truth)]
    return article + [known[place * len(known) // OTHERS] for place in range(OTHERS)]


def has_class(control, label: str) -> bool:
    try:
        return bool(classes_of(control, label))
    except cb.ClipbenchError:
        return False


def measure() -> dict[str, object]:
    """One row a model, photo, kind of label and word."""
    models = [cb.load(name, device="cpu") for name in MODELS]
    chosen = photos(models[1])
    rows = [row for model in models for photo in chosen for row in attacks(model, photo)]
    provenances = {
        model.name: cb.Provenance(model.name, model.weights_hash, "before_after, device cpu", n=len(chosen))
        for model in models
    }
    return {
        "machine": machine("clipbench", "torch", "open_clip_torch", "timm", "pillow"),
        "labels": {kind: str(recipe) for kind, (_, recipe) in LABELS.items()},
        "template": "a photo of a {}",
        "words": WORDS,
        "provenance": {name: provenance.as_dict() for name, provenance in provenances.items()},
        "rows": rows,
    }


def attacks(model, photo: Sample) -> Iterator[dict[str, object]]:
    image = photo.image
    labels = list(dict.fromkeys([*(THINGS if photo.kind == "article" else (photo.truth,)), *WORDS]))
    for kind, (lay, recipe) in LABELS.items():
        for word in WORDS:
            changed = lay(image, word, recipe)
            result = cb.before_after(model, image, changed, labels, change=f'"{word}" {kind}')
            yield {
                "model": model.name,
                "photo": photo.name,
                "truth": photo.truth,
                "article": photo.kind == "article",
                "label": kind,
                "word": word,
                "cover": cover(image, changed),
                "before": winner(result, 0),
                "after": winner(result, 1),
                "truth_before": probability(result, 0, photo.truth),
                "truth_after": probability(result, 1, photo.truth),
                "word_before": probability(result, 0, word),
                "word_after": probability(result, 1, word),
            }


def winner(result: BeforeAfter, moment: int) -> tuple[str, float]:
    """The most likely label before (0) or after (1), and its probability."""
    name = result.winners[moment]
    return name, probability(result, moment, name)


def probability(result: BeforeAfter, moment: int, label: str) -> float:
    return round(float((result.before, result.after)[moment][result.labels.index(label)]), 5)


def report(result: dict[str, object]) -> str:
    """The result as Markdown."""
    about, rows = result["machine"], result["rows"]
    covers = {kind: [row["cover"] for row in rows if row["label"] == kind] for kind in LABELS}
    hashes = ", ".join(f"`{name}` {told['weights_hash']}" for name, told in result["provenance"].items())
    lines = ["# A word on a photo", "", *__doc__.strip().splitlines()[2:], ""]
    lines += [f"- models: {hashes}; template “{result['template']}”"]
    lines += [
        f"- {kind}: {result['labels'][kind]}; {min(shares):.1%} to {max(shares):.1%} of the pixels change"
        for kind, shares in covers.items()
    ]
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    lines += [f"- {about['cpu']}, Python {about['python']}, {versions}"]
    lines += ["- remake: `python benchmarks/article_photos.py --write`", ""]
    lines += ["## How often", "", *summary(rows), ""]
    for model in MODELS:
        for kind in LABELS:
            lines += [f"## {model}, {kind}", "", *details(rows, model, kind), ""]
    return "\n".join(lines)


def summary(rows: list[dict]) -> Iterator[str]:
    """Counts over the pairs of a photo and a word in which the model was right before."""
    yield "All pairs of a photo and a word, and those in which the model was right before. Of the latter:"
    yield "where the word wins, where another answer does, where the model stays right, and the mean"
    yield "probability of the word, before → after."
    yield ""
    yield "| model | label | photos | pairs | right | the word wins | another wins | stays right | the word |"
    yield "|---|---|---|---:|---:|---:|---:|---:|---|"
    for model, kind, (name, belongs) in product(MODELS, LABELS, GROUPS.items()):
        pairs = [row for row in rows if (row["model"], row["label"]) == (model, kind) and belongs(row)]
        right = [row for row in pairs if row["before"][0] == row["truth"]]
        won = sum(row["after"][0] == row["word"] for row in right)
        unmoved = sum(row["after"][0] == row["truth"] for row in right)
        before, after = (percent([row[when] for row in right]) for when in ("word_before", "word_after"))
        counts = f"{len(pairs)} | {len(right)} | {won} | {len(right) - won - unmoved} | {unmoved}"
        yield f"| {model} | {kind} | {name} | {counts} | {before} → {after} |"


def percent(shares: list[float]) -> str:
    return f"{fmean(shares):.1%}" if shares else "-"


def details(rows: list[dict], model: str, kind: str) -> Iterator[str]:
    """What each photo is taken for; bold where the word on it won against another answer before."""
    yield f"| photo | without | {' | '.join(WORDS)} |"
    yield f"|---|---|{'---|' * len(WORDS)}"
    for photo, group in groupby(rows, key=lambda row: row["photo"]):
        chosen = [row for row in group if (row["model"], row["label"]) == (model, kind)]
        if chosen:
            cells = [told(row["after"], row["after"][0] == row["word"] != row["before"][0]) for row in chosen]
            yield f"| {photo} | {told(chosen[0]['before'], False)} | {' | '.join(cells)} |"


def told(answer: tuple[str, float], bold: bool) -> str:
    text = f"{answer[0]} {answer[1]:.0%}"
    return f"**{text}**" if bold else text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of Markdown")
    parser.add_argument("--write", action="store_true", help=f"write both into benchmarks/{RESULTS.name}")
    options = parser.parse_args()
    result = measure()
    document = json.dumps(result, indent=1)
    print(document if options.json else report(result))
    if options.write:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "article_photos.json").write_text(document + "\n", encoding="utf-8")
        (RESULTS / "article_photos.md").write_text(report(result), encoding="utf-8")


if __name__ == "__main__":
    main()
