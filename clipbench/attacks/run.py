"""Running an attack: a stream of batches, and whoever stops reading it stops the work."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from PIL import Image

from clipbench.attacks.journal import Journal
from clipbench.attacks.rendering import Item, Photo, Rendered, lay, name_of, render
from clipbench.attacks.result import UNKNOWN, AttackResult
from clipbench.attacks.rows import Row, Seen
from clipbench.classify import Classifier, as_classifier
from clipbench.errors import ClipbenchError
from clipbench.models import ClipModel, ImageModel, VisionModel
from clipbench.results import Provenance
from clipbench.stimuli import ARTICLE, Recipe, Tag, cut_off
from clipbench.streams import ahead, chunks

_PICTURES = 32  # that are read at a time; bounds memory and how long a stop takes


@dataclass(frozen=True)
class Case:
    """One text, and the label that it is to bring about.

    Args:
        target: the label.
        text: the text.
        recipe: how it is laid on; None takes the run's. Cases that differ in it alone make a curve, such as
            `[Case("iPod", "iPod", Recipe(size=size)) for size in (10, 20, 40)]`.
    """

    target: str
    text: str
    recipe: Recipe | Tag | None = None


def complete(cases: Sequence[Case], recipe: Recipe | Tag) -> tuple[Case, ...]:
    """The cases, each with a recipe."""
    return tuple(replace(case, recipe=recipe) if case.recipe is None else case for case in cases)


@dataclass(frozen=True, eq=False)
class Progress:
    """How far a run has come.

    Args:
        done, total: images.
        rows: of the images that could be read so far.
        unread: name and reason of those that could not.
    """

    done: int
    total: int
    rows: tuple[Row, ...]
    unread: tuple[tuple[str, str], ...]
    setup: "Setup"

    @cached_property
    def results(self) -> tuple[AttackResult, ...]:
        """One result a case, of the images so far; a run that is stopped here has this to show.

        Raises:
            ClipbenchError: no image could be read.
        """
        if not self.rows:
            raise ClipbenchError(
                f"none of the {self.done} images could be read; the first: {self.unread[0][1]}"
            )
        return tuple(self._result(place) for place in range(len(self.setup.cases)))

    def _result(self, place: int) -> AttackResult:
        case, rows = self.setup.cases[place], self.rows
        before, after = [row.clean for row in rows], [row.attacked[place] for row in rows]
        return AttackResult(
            target=case.target,
            text=case.text,
            labels=self.setup.classifier.labels,
            names=tuple(row.name for row in rows),
            before=np.array([seen.top for seen in before]),
            after=np.array([seen.top for seen in after]),
            before_share=_column(seen.share for seen in before),
            after_share=_column(seen.share for seen in after),
            target_before=_column(seen.targets[place] for seen in before),
            target_after=_column(seen.targets[place] for seen in after),
            cover=_column(row.covers[place] for row in rows),
            truth=np.array([row.truth for row in rows]),
            unread=self.unread,
            notes=self.setup.notes(case),
            provenance=self.setup.provenance(case, len(rows)),
        )


@dataclass(frozen=True, eq=False)
class Setup:
    """What a run does to each image.

    Args:
        classifier: who answers.
        cases: texts and targets, each with its recipe.
    """

    classifier: Classifier
    cases: tuple[Case, ...]

    @property
    def model(self) -> ImageModel:
        """Whose eyes the classifier has."""
        return self.classifier.model

    def check(self) -> None:
        """Raise a ClipbenchError if there is no text, or one that cannot be written."""
        if not self.cases:
            raise ClipbenchError("there is no text to attack with; give at least one")
        blank = Image.new("RGB", (self.model.image_size, self.model.image_size))
        for case in self.cases:
            lay(blank, case.text, case.recipe)

    def key(self, photos: Sequence[Photo]) -> str:
        """What a journal must agree in to belong to the same run."""
        provenances = [self.provenance(case, len(photos)).as_dict() for case in self.cases]
        named = [(photo.name, photo.truth, _mark(photo.item)) for photo in photos]
        return json.dumps([provenances, self.classifier.labels, named])

    def notes(self, case: Case) -> tuple[str, ...]:
        """A sentence if the text is wider than the picture."""
        side = self.model.image_size
        return cut_off(case.text, (side, side), case.recipe)

    def provenance(self, case: Case, n: int) -> Provenance:
        """Where the result of a case comes from."""
        recipe = f'"{case.text}" for {case.target}, {case.recipe} · {self.classifier.recipe}'
        return Provenance(self.model.name, self.model.weights_hash, recipe, n=n)


def attack(
    model: ClipModel | VisionModel | Classifier,
    images: Sequence[Item],
    *,
    target: str,
    text: str,
    recipe: Recipe | Tag = ARTICLE,
    labels: Sequence[str] | None = None,
    template: str | Sequence[str] | None = None,
    truths: Sequence[str] | None = None,
) -> AttackResult:
    """Write a text on images and count how often a label wins by it.

    Each image is first brought to what the model sees, its own resizing and crop, and then written on, as
    the article's were; so the pixel cover is of what the model sees.

    Args:
        model: a CLIP, a network with classes, or a probe.
        images: n PIL images, or paths; those that cannot be read are listed in the result.
        target: the label that is to win.
        text: what is written.
        recipe: how; a `Tag` lays it on as a paper tag.
        labels, template: as for `as_classifier`: by default ImageNet's names, or the own classes.
        truths: n labels, what is on the images; without them the result knows no accuracy.

    Returns:
        The result; its success is the article's: the target is the top label and was not before.

    Raises:
        ClipbenchError: no images, or none that can be read; a target or truth that is not among the labels;
            a text that cannot be drawn; what `as_classifier` refuses.

    Source: Goh et al. 2021, figure 15, and its published records.
    """
    classifier = as_classifier(model, labels, template)
    *_, last = measure(classifier, images, [Case(target, text)], recipe, truths)
    return last.results[0]


def measure(
    classifier: Classifier,
    images: Sequence[Item],
    cases: Sequence[Case],
    recipe: Recipe | Tag = ARTICLE,
    truths: Sequence[str] | None = None,
    journal: str | Path | None = None,
) -> Iterator[Progress]:
    """The same for several texts or recipes, a batch at a time: whoever stops reading stops the work.

    Each image is encoded once without text, and once with the text of each case.

    Args:
        journal: a file that each batch is written to; a run that is begun again with it goes on where the
            last one ended. None keeps none.

    Yields:
        After each batch how far it has come, with the results so far.

    Raises:
        ClipbenchError: as `attack`; a journal of another run.
    """
    setup = Setup(classifier, complete(cases, recipe))
    targets = [classifier.place(case.target) for case in setup.cases]
    photos = _photos(images, truths, classifier)
    setup.check()
    kept = Journal(journal, "" if journal is None else setup.key(photos))
    todo = [photo for photo in photos if photo.position not in kept.rows]
    size = max(1, _PICTURES // (1 + len(cases)))
    unread, texts = [], [(case.text, case.recipe) for case in setup.cases]
    if not todo:
        yield Progress(len(photos), len(photos), kept.in_order(), (), setup)
    with closing(ahead(partial(render, classifier.model, texts), chunks(todo, size))) as rendered:
        for batch in rendered:
            if batch.photos:
                kept.add(_judge(classifier, batch, targets))
            unread += batch.unread
            done = len(kept.rows) + len(unread)
            yield Progress(done, len(photos), kept.in_order(), tuple(unread), setup)


def _photos(images: Sequence[Item], truths: Sequence[str] | None, classifier: Classifier) -> list[Photo]:
    if isinstance(images, Item):
        raise ClipbenchError("images must be a list, of PIL images or of paths")
    if len(images) == 0:
        raise ClipbenchError("there are no images; give at least one")
    if truths is not None and len(truths) != len(images):
        raise ClipbenchError(f"there are {len(truths)} truths for {len(images)} images; give one for each")
    places = [UNKNOWN] * len(images) if truths is None else [classifier.place(truth) for truth in truths]
    return [
        Photo(number, name_of(item, number), item, truth)
        for number, (item, truth) in enumerate(zip(images, places, strict=True))
    ]


def _mark(item: Item) -> str:
    """What tells a picture in memory from another one; a file has its name for that."""
    return hashlib.sha256(item.tobytes()).hexdigest() if isinstance(item, Image.Image) else ""


def _judge(classifier: Classifier, batch: Rendered, targets: list[int]) -> dict[int, Row]:
    """What the classifier says of a batch: position of the photo -> its row."""
    probabilities = classifier.probabilities(batch.pixels)
    shares, tops = probabilities.max(dim=1)
    columns = (tops.tolist(), shares.tolist(), probabilities[:, targets].tolist())
    seen = [Seen(top, share, tuple(own)) for top, share, own in zip(*columns, strict=True)]
    each = len(seen) // len(batch.photos)
    rows = {}
    for number, (photo, covers) in enumerate(zip(batch.photos, batch.covers, strict=True)):
        clean, *attacked = seen[number * each : (number + 1) * each]
        rows[photo.position] = Row(photo.name, photo.truth, clean, tuple(attacked), covers)
    return rows


def _column(values: Iterator[float]) -> np.ndarray:
    return np.array(list(values), dtype=np.float32)
