"""Which texts win, what holds them off, and how they may look: attacks on photos that are new to mini.

    python benchmarks/attack_lab.py PHOTOS all
    python benchmarks/attack_lab.py PHOTOS search [--of TARGET…]
    python benchmarks/attack_lab.py PHOTOS defence [--of WAY…]
    python benchmarks/attack_lab.py PHOTOS curves [--of AXIS…]
    python benchmarks/attack_lab.py verdict

PHOTOS is a file like `clipbench pretrain`'s; of those that its training does not see, 144 are in play. One in
six of them is put aside to choose the condition by the rule that attack_condition.py states: labels, the way
a text is laid on, and texts with which attacks succeed. The rest is measured on. Each target, way and axis is
written to benchmarks/results/ as soon as it is measured, in the form that its own class reads back, so that
one can be measured at a time.

- search: all three searches for a text, what each costs in pictures encoded, and whether any text beats the
  target's own name beyond luck, on photos that no search has seen; targets are the first of the texts;
- defence: units held at zero, at their mean, or clamped, or directions projected out, with random and matched
  controls; found on one half of the photos with the texts that were tried and not taken, their number chosen
  with half of those that were, told of the other halves;
- curves: success of the first text, printed, against size, opacity, contrast, rotation, blur, copies, script
  and font;
- all: these three in turn; what cannot be measured is told, and the rest goes on;
- verdict: of all that lies there for mini's present weights, printed and written to attack_lab.md; the other
  parts end with it.

What it costs is pictures encoded: 3,000 for the condition, once; some 4,500 a target, 1,700 a way and 500 an
axis. That is 32,000 for all, eleven minutes where 50 a second are encoded, as attack_speed.py measures.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from attack_condition import LETTERS, Condition, condition, halves, in_play
from card.figure import spread
from open_clip import IMAGENET_CLASSNAMES
from PIL import Image
from tqdm import tqdm

import clipbench as cb
from clipbench.attacks import Case, Curve, Defence, SearchResult, defend, robustness, search
from clipbench.attacks.levers import WAYS
from clipbench.classify import Classifier, as_classifier
from clipbench.intervals import Rate
from clipbench.models import ClipModel, imagenet_labels
from clipbench.pretrain.photos import TRAIN, Photo, read_photos
from clipbench.stimuli import Recipe

RESULTS = Path(__file__).parent / "results"
CONDITION = RESULTS / "attack_condition.json"
IN_PLAY = 144  # photos, of which a sixth is put aside
TARGETS = 4  # of the texts that a search is done for
AXES = ("size", "opacity", "contrast", "rotation", "blur", "copies", "script", "font")
KS = (3, 10, 30, 100)
VOCABULARY = 4  # one in so many of ImageNet's short names is tried
BETTER = 3  # targets for which a text is to beat their own name
Told = SearchResult | Defence | Curve
Steps = Iterator[object]


@dataclass(frozen=True)
class Lab:
    """Who is attacked, on what condition, and where."""

    classifier: Classifier
    condition: Condition
    photos: list[Photo]

    @property
    def images(self) -> list[Image.Image]:
        """The photos, opened."""
        return [photo.open() for photo in self.photos]


def searched(lab: Lab, target: str) -> Steps:
    """All searches for a text that brings about a target."""
    words = [name for name in imagenet_labels() if len(name) <= LETTERS][::VOCABULARY]
    return search(lab.classifier, lab.images, target, words, recipe=lab.condition.recipe)


def defended(lab: Lab, way: str) -> Steps:
    """One way to hold units."""
    truths = [IMAGENET_CLASSNAMES[photo.label] for photo in lab.photos]
    found = lab.condition
    cases, others = ([Case(text, text) for text in own] for own in (found.texts, found.others))
    options = {"found_on": others, "ks": KS, "at": way, "recipe": found.recipe}
    return defend(lab.classifier, lab.images, truths, cases, **options)


def curve(lab: Lab, axis: str) -> Steps:
    """Success of print along an axis, of the first of the texts."""
    text = lab.condition.texts[0]
    return robustness(lab.classifier, lab.images, Case(text, text, Recipe(size=lab.condition.size)), axis)


@dataclass(frozen=True)
class Part:
    """What is measured, one thing after the other.

    Args:
        names: of the things, on a condition.
        steps: starts the stream of one of them.
        over: what a step says at last; None before.
        kind: reads back what was written.
        page: told for a person.
        photos: how many it takes by default.
    """

    names: Callable[[Condition], Sequence[str]]
    steps: Callable[[Lab, str], Steps]
    over: Callable[[object], Told | None]
    kind: type[Told]
    page: Callable[[str, Told], str]
    photos: int


def measured(part: Part, lab: Lab, name: str) -> Told:
    """The last of a stream, its steps counted on screen."""
    *_, last = tqdm(part.steps(lab, name), unit="step", desc=name)
    return part.over(last)


def search_page(target: str, result: SearchResult) -> str:
    """Costs and finds of a target."""
    ways = [
        (method, passes, result.best_of[method].text, told(result.best_of[method].success))
        for method, passes in result.passes.items()
    ]
    texts = [
        (
            one.text,
            told(one.success),
            f"{one.gained} · {one.lost}",
            f"{one.luck:.2g}",
            ", ".join(one.methods),
        )
        for one in result.found
    ]
    sure = ", ".join(f"“{one.text}”" for one in result.surely_better) or "none"
    head = ("text", "success, unseen photos", "gained · lost against own name", "luck", "found by")
    return "\n\n".join(
        [
            f"## {target}",
            table(("search", "pictures encoded", "its best text", "success"), ways),
            table(head, texts),
            f"Better than “{target}” beyond luck: {sure}.",
        ]
    )


def defence_page(way: str, result: Defence) -> str:
    """The curve of a way."""
    rows = [(one.kind, one.k, told(one.success), told(one.clean)) for one in result.rows]
    head = ("held", "k", "attacks that succeed", "photos that are right")
    return "\n\n".join([f"## {way}", f"{result.summary}.", table(head, rows)])


def curve_page(axis: str, result: Curve) -> str:
    """The points of an axis."""
    rows = [(one.value, told(one.success), f"{one.cover:.1%}") for one in result.points]
    return f"## {axis}\n\n{table(('value', 'success', 'pixels covered'), rows)}"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, each))} |" for each in lines)


def told(rate: Rate) -> str:
    low, high = rate.interval
    return f"{rate.hits} of {rate.n}: {rate.share:.0%} ({low:.0%} to {high:.0%})"


PARTS = {
    "search": Part(
        lambda found: found.texts[:TARGETS], searched, lambda step: step.result, SearchResult, search_page, 48
    ),
    "defence": Part(lambda _: WAYS, defended, lambda step: step, Defence, defence_page, 120),
    "curves": Part(lambda _: AXES, curve, lambda step: step.curve, Curve, curve_page, 64),
}


def kept(weights: str) -> dict[str, dict[str, Told]]:
    """Part -> name -> what lies in the results folder, of these weights."""
    found: dict[str, dict[str, Told]] = {}
    for name, part in PARTS.items():
        head = f"attack_{name}_"
        files = {path.stem.removeprefix(head): path for path in sorted(RESULTS.glob(f"{head}*.json"))}
        results = {each: part.kind.load(path) for each, path in files.items()}
        found[name] = {each: one for each, one in results.items() if one.provenance.weights_hash == weights}
    return found


def file(part: str, name: str) -> Path:
    """Where one thing is written."""
    return RESULTS / f"attack_{part}_{name}.json"


def on_what(weights: str) -> Iterator[str]:
    """Sentences on the condition, and on those that were tried before it."""
    known = Condition.load(CONDITION) if CONDITION.is_file() else None
    if known is not None and known.weights_hash == weights:
        yield f"condition: {known}"
        yield from (f"tried: {which}: {told(rate)}" for which, rate in known.tried)


def verdicts(found: dict[str, dict[str, Told]]) -> Iterator[str]:
    """Sentences on what was to be reached, of what has been measured."""
    if found["search"]:
        yield from search_verdicts(found["search"])
    if found["defence"]:
        yield from defence_verdicts(found["defence"])


def search_verdicts(searches: dict[str, SearchResult]) -> Iterator[str]:
    sure = [target for target, one in searches.items() if one.surely_better]
    better = [target for target, one in searches.items() if one.better]
    reached = "reached" if len(sure) >= BETTER else "short"
    yield (
        f"search: a text beats the target's own name beyond luck for {len(sure)} of {len(searches)} targets, "
        f"as counted for {len(better)}; {reached}, {BETTER} are asked for"
    )
    for target, one in searches.items():
        first = one.found[0]
        yield (
            f"search, {target}: best “{first.text}” {told(first.success)}, own name {told(one.own.success)}; "
            f"gained {first.gained}, lost {first.lost}, luck {first.luck:.2g}"
        )


def defence_verdicts(defences: dict[str, Defence]) -> Iterator[str]:
    works = [way for way, one in defences.items() if one.works]
    reached = "reached" if works else "short, the curves show why"
    yield f"defence: {', '.join(works) or 'none'} of {len(defences)} ways works; {reached}"
    for way, one in defences.items():
        yield f"defence, {way}, {one.provenance.n} photos held out: {one.summary}"


def report(weights: str) -> None:
    """Print the verdicts, and write them with all tables."""
    found = kept(weights)
    lines = [*on_what(weights), *verdicts(found)]
    print("\n".join(lines))
    pages = [PARTS[part].page(name, one) for part, own in found.items() for name, one in own.items()]
    captions = dict.fromkeys(one.provenance.caption() for own in found.values() for one in own.values())
    whole = [f"# Attacks on mini {weights}", "\n".join(f"- {each}" for each in lines), *pages]
    whole += ["## Where from", "\n".join(f"- {each}" for each in captions)]
    (RESULTS / "attack_lab.md").write_text("\n\n".join(whole) + "\n", encoding="utf-8")


def main() -> None:
    """Measure what was named, or tell what has been measured; exit with 1 if something could not be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("photos", nargs="?", metavar="PHOTOS", help="a folder or a .parquet file")
    parser.add_argument("part", choices=[*PARTS, "all", "verdict"])
    parser.add_argument("--of", nargs="+", metavar="NAME", help="targets, ways or axes (default: all)")
    parser.add_argument("--most", type=int, metavar="N", help="photos to measure on (default: all in play)")
    options = parser.parse_args()
    if options.part != "verdict" and options.photos is None:
        parser.error("name the photos to attack")
    if options.part not in PARTS and options.of:
        parser.error("--of is for one part; name it")
    model, short = cb.load("mini", device="cpu"), []
    if options.part != "verdict":
        short = measure(model, options, [*PARTS] if options.part == "all" else [options.part])
    report(model.weights_hash)
    print("".join(f"could not be measured: {each}\n" for each in short), end="", file=sys.stderr)
    raise SystemExit(bool(short))


def measure(model: ClipModel, options: argparse.Namespace, parts: Sequence[str]) -> list[str]:
    """Measure all things of some parts, or those that were named; returns what could not be, and why."""
    unseen = [photo for photo in read_photos([options.photos]).labelled if photo.split != TRAIN]
    photos, short = in_play(unseen, IN_PLAY), []
    found = condition(model, photos, CONDITION)
    print(f"condition: {found}", flush=True)
    for each in parts:
        part = PARTS[each]
        chosen = spread(halves(photos)[0], options.most or part.photos)
        for name in options.of or part.names(found):
            start = time.perf_counter()
            labels = dict.fromkeys([*found.labels, *([name] if each == "search" else [])])
            try:
                lab = Lab(as_classifier(model, list(labels)), found, chosen)
                measured(part, lab, name).save(file(each, name))
            except cb.ClipbenchError as error:
                short.append(f"{each} {name}: {error}")
                continue
            print(f"{each} {name}: {time.perf_counter() - start:.0f} s", flush=True)
    return short


if __name__ == "__main__":
    main()
