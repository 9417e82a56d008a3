"""Looking for the text that makes a label win most often: three ways, each with its price in passes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from string import ascii_lowercase

import numpy as np
from PIL import Image

from clipbench.attacks.reading import guided
from clipbench.attacks.rendering import Item
from clipbench.attacks.search_result import Found, SearchResult
from clipbench.attacks.trials import Trials, untaken
from clipbench.classify import Classifier, as_classifier
from clipbench.errors import ClipbenchError, unknown
from clipbench.intervals import Rate
from clipbench.models import ClipModel, VisionModel, imagenet_labels
from clipbench.results import Provenance
from clipbench.stimuli import ARTICLE, Recipe, Tag
from clipbench.streams import chunks

KEPT = 10  # texts that are tried on all photos in the end
JUDGING = "judging"  # what that is called
_SHORT = 12  # letters of a class name that the default vocabulary takes
_FEW = 2  # photos of the first round, doubled in each
_TRIED = 64  # edits of a text that are tried in one step
_EDITED_ON, _STEPS = 4, 12  # photos an edit is tried on; steps at most
_LOOKED_AT = 64  # texts of the vocabulary between two moments at which a search can stop

Leading = tuple[tuple[str, Rate], ...]  # texts, and on how many of the photos it was tried on each wins


@dataclass(frozen=True)
class SearchProgress:
    """How far a search has come; one that is stopped here has `leading` to show.

    Args:
        method: the search at work; at last `JUDGING`, when what was found is tried on all photos.
        passes: pictures that it has encoded.
        leading: the texts that did best so far, on the photos that each was tried on. These are photos that
            texts are chosen by, so a finished search judges by others.
        result: of a search that is over.
    """

    method: str
    passes: int
    leading: Leading
    result: SearchResult | None = None


def attack_search(
    model: ClipModel | VisionModel | Classifier,
    images: Sequence[Item],
    *,
    target: str,
    vocabulary: Sequence[str] | None = None,
    methods: Sequence[str] | None = None,
    recipe: Recipe | Tag = ARTICLE,
    labels: Sequence[str] | None = None,
    template: str | Sequence[str] | None = None,
    seed: int = 0,
) -> SearchResult:
    """Look for texts that make a label win.

    Every second photo is searched on; all figures to rank by are of the others. "brute force" tries the whole
    vocabulary on two photos, the better half on four, and so on. "units" ranks the vocabulary by what the
    units that excite the target make of each written word, one picture a word, and tries the best alone.
    "edits" begins with the target's own name and changes one letter at a time.

    Args:
        model, labels, template, recipe: as for `attack`.
        images: photos, at least four that are not taken for the target as they are.
        target: the label that is to win.
        vocabulary: texts to try; None takes ImageNet's class names of at most 12 letters, as the article did.
        methods: of `METHODS`; None for all.
        seed: of the edits that are tried.

    Raises:
        ClipbenchError: as `attack`; too few photos; no such method; nothing that can be written.
    """
    classifier = as_classifier(model, labels, template)
    *_, last = search(classifier, images, target, vocabulary, methods, recipe, seed)
    return last.result


def search(
    classifier: Classifier,
    images: Sequence[Item],
    target: str,
    vocabulary: Sequence[str] | None = None,
    methods: Sequence[str] | None = None,
    recipe: Recipe | Tag = ARTICLE,
    seed: int = 0,
) -> Iterator[SearchProgress]:
    """The same as `attack_search`, a few pictures at a time: whoever stops reading stops the work."""
    methods = tuple(METHODS if methods is None else methods)
    if not methods:
        raise ClipbenchError(f"there is no search; choose from {', '.join(METHODS)}")
    for method in methods:
        if method not in METHODS:
            raise unknown("search", method, METHODS)
    photos: list[Image.Image] = []
    unread: list[tuple[str, str]] = []
    for good, bad in untaken(classifier, images, target):
        photos += good
        unread += bad
        yield SearchProgress(methods[0], 0, ())
    trials = Trials(classifier, photos, target, recipe)
    seen, unseen = range(0, len(trials.photos), 2), range(1, len(trials.photos), 2)
    if len(unseen) < _FEW:
        lost = f", and {len(unread)} that cannot be read" if unread else ""
        raise ClipbenchError(
            f"a search needs {2 * _FEW} photos or more that are not taken for {target!r}; "
            f"there are {len(trials.photos)}{lost}"
        )
    words = _short_names() if vocabulary is None else list(dict.fromkeys(vocabulary))
    writable: list[str] = []
    for some in chunks(words, _LOOKED_AT):
        writable += [word for word in some if word.strip() and trials.can_write(word)]
        yield SearchProgress(methods[0], 0, ())
    if not writable:
        raise ClipbenchError("there is no text in the vocabulary that can be written; give at least one")
    if not trials.can_write(target):
        raise ClipbenchError(f"{target!r} itself cannot be written, and is what all texts are compared with")
    found: dict[str, list[str]] = {target: ["own name"]}
    passes: dict[str, int] = {}
    leading: Leading = ()
    for method in methods:
        trials, others = trials.anew(), leading  # no search knows what another has tried
        for texts in METHODS[method](trials, writable, seen, np.random.default_rng(seed)):
            leading = _leading(others, trials, texts)
            yield SearchProgress(method, trials.passes, leading)
        passes[method] = trials.passes
        for text in texts[:KEPT]:
            found.setdefault(text, []).append(method)
    for half in (unseen, seen):
        for _ in trials.tried(list(found), half):
            yield SearchProgress(JUDGING, trials.passes - passes[method], leading)
    ranked = _ranked(trials, found, seen, unseen)
    told = f"text for {target}, {', '.join(methods)}, {len(writable)} texts, {recipe} · {classifier.recipe}"
    own = classifier.model
    provenance = Provenance(own.name, own.weights_hash, told, seed=seed, n=len(unseen))
    skipped = len(words) - len(writable)
    result = SearchResult(target, ranked, passes, skipped, tuple(unread), provenance)
    yield SearchProgress(JUDGING, trials.passes - passes[method], leading, result)


def _leading(others: Leading, trials: Trials, texts: Sequence[str]) -> Leading:
    """The texts of a search under way, and those of the searches before it, most wins first."""
    rates = dict(others) | {text: trials.so_far(text) for text in texts[:KEPT]}
    return tuple(sorted(rates.items(), key=lambda told: told[1].hits, reverse=True)[:KEPT])


def _ranked(
    trials: Trials, found: dict[str, list[str]], seen: Sequence[int], unseen: Sequence[int]
) -> tuple[Found, ...]:
    """All texts that were found and tried; the best on photos that no search has seen first."""
    own = trials.won(trials.target, unseen)

    def told(text: str) -> Found:
        pairs = list(zip(trials.won(text, unseen), own, strict=True))
        gained, lost = pairs.count((True, False)), pairs.count((False, True))
        rates = (trials.rate(text, photos) for photos in (unseen, seen))
        return Found(text, *rates, gained, lost, tuple(found[text]))

    return tuple(map(told, trials.ranked(trials.ranked(list(found), seen), unseen)))


def _short_names() -> list[str]:
    return [name for name in imagenet_labels() if len(name) <= _SHORT]


# Each search yields every few pictures its texts so far, the best first; at last, as tried on all photos
# in `seen`.
Rounds = Iterator[list[str]]


def _brute_force(trials: Trials, words: list[str], seen: Sequence[int], _: np.random.Generator) -> Rounds:
    """All words on few photos, the better half on twice as many, until all photos are in."""
    left, photos = words, _FEW
    while True:
        yield from trials.tried(left, seen[:photos])
        left = trials.ranked(left, seen[:photos])
        if photos >= len(seen):
            yield left
            return
        left, photos = left[: max(KEPT, len(left) // 2)], 2 * photos


def _by_units(trials: Trials, words: list[str], seen: Sequence[int], _: np.random.Generator) -> Rounds:
    """The words that excite the units that excite the target; the best few are tried on all photos."""
    promising = yield from guided(trials, words, seen)
    best = promising[: 2 * KEPT]
    yield from trials.tried(best, seen)
    yield trials.ranked(best, seen)


def _edits(trials: Trials, _: list[str], seen: Sequence[int], rng: np.random.Generator) -> Rounds:
    """The target's own name, changed by the one letter that helps most, as long as one does."""
    text, few = trials.target, seen[:_EDITED_ON]
    known = [text]
    yield from trials.tried(known, few)
    for _step in range(_STEPS):
        edits = [each for each in edited(text) if each not in known]
        chosen = [edits[place] for place in rng.permutation(len(edits))[:_TRIED]]
        chosen = [each for each in chosen if trials.can_write(each)]
        yield from trials.tried(chosen, few)
        known = trials.ranked([*known, *chosen], few)
        if known[0] == text:
            break
        text = known[0]
    best = known[: 2 * KEPT]
    yield from trials.tried(best, seen)
    yield trials.ranked(best, seen)


def edited(text: str) -> list[str]:
    """All texts that differ by one lowercase letter put in, taken out, or in place of another."""
    cuts = [(text[:place], text[place:]) for place in range(len(text) + 1)]
    out = [before + after[1:] for before, after in cuts if after]
    changed = [before + letter + after[1:] for before, after in cuts if after for letter in ascii_lowercase]
    put_in = [before + letter + after for before, after in cuts for letter in ascii_lowercase]
    return [each for each in dict.fromkeys(out + changed + put_in) if each != text and each.strip()]


METHODS: dict[str, Callable[..., Rounds]] = {"brute force": _brute_force, "units": _by_units, "edits": _edits}
