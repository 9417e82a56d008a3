"""What is asked of a finished picture: how far to trust it, which photos excite its unit, what changed."""

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ipywidgets as w
import numpy as np
from PIL import Image

from clipbench.classify import BeforeAfter
from clipbench.figures import before_after, percent, strip
from clipbench.optvis.faces import excitement
from clipbench.optvis.strengths import Strip, measure_strip
from clipbench.stimuli import sample
from clipbench.studies import trust as measure_trust
from clipbench.studies.adversarial_example import Adversarial, adversarial
from widgets import parts, pictures
from widgets.chart import Place
from widgets.frame import Frame
from widgets.growth import Growth
from widgets.photos import unlabelled

_PHOTOS = 6  # that are shown
_TIMES = 10  # that a change is enlarged
_LABELS = 5  # before and after
_SEEN = 3  # levels of 255 on average, up to which hardly anybody sees a change


@dataclass(frozen=True, eq=False)
class Findings:
    """About the pictures of a growth at one of its steps.

    Args:
        trust: a sentence each; none about several pictures.
        photos: those that excite it most: picture, name, activation; the strongest first. None where the
            objective is a photo's own features.
        asked: number of photos that were asked.
        change: of an ascent from a photo, else None.
        strip: of a strip of strengths, else None.
    """

    trust: tuple[str, ...]
    photos: tuple[tuple[Image.Image, str, float], ...]
    asked: int
    change: Adversarial | None = None
    strip: Strip | None = None

    def as_dict(self) -> dict:
        """What is kept of a shipped example, as plain JSON types; its photos are shipped ones."""
        photos = [(name, value) for _, name, value in self.photos]
        return {"trust": self.trust, "photos": photos, "asked": self.asked}

    @classmethod
    def from_dict(cls, told: dict) -> "Findings":
        """What `as_dict` has given."""
        photos = tuple((sample(name).image, name, value) for name, value in told["photos"])
        return cls(tuple(told["trust"]), photos, told["asked"])


class Finder:
    """Asks about pictures; what the photos answer to an objective is asked once."""

    def __init__(self):
        self._answers: dict[tuple[str, str], np.ndarray] = {}

    def find(self, growth: Growth, number: int) -> Findings:
        """About a kept step; takes a second or two, so not on the main thread."""
        if growth.recipe.of_photo:
            return Findings((), (), 0)
        recipe, ascent, images = growth.recipe, growth.ascent, growth.pixels(number)
        trust: tuple[str, ...] = ()
        if recipe.batch == 1:
            found = measure_trust(growth.model, images[0], ascent.objective, transforms=ascent.transforms)
            trust = found.lines
        photos, values = unlabelled(), self._ask_photos(growth)
        best = np.argsort(-values)[:_PHOTOS]
        strongest = tuple((photos[place].image, photos[place].name, float(values[place])) for place in best)
        return Findings(trust, strongest, len(photos), changed(growth, number), _strip(growth, number))

    def _ask_photos(self, growth: Growth) -> np.ndarray:
        model, base = growth.model, growth.ascent.base
        key = model.weights_hash, str(base)
        if key not in self._answers:
            self._answers[key] = excitement(model, base, [photo.image for photo in unlabelled()])
        return self._answers[key]


def changed(growth: Growth, number: int) -> Adversarial | None:
    """What an ascent from one photo has changed at a step."""
    recipe = growth.recipe
    if recipe.batch > 1 or recipe.of_photo or not (recipe.photo or recipe.upload):
        return None
    start, end = (growth.pixels(step)[0] for step in (0, number))
    label = recipe.words if recipe.want == "label" else None
    return adversarial(growth.model, start, end, label, change=growth.provenance(number).recipe)


def _strip(growth: Growth, number: int) -> Strip | None:
    if growth.recipe.faces != "strip":
        return None
    ascent, origin = growth.ascent, growth.provenance(number)
    images = growth.pixels(number)
    return measure_strip(growth.model, ascent.base, ascent.facet, ascent.strengths, images, origin)


class FindingsView(w.VBox):
    """Shows findings below the picture that they are about.

    Args:
        take: called with the name of a photo that was pressed.
    """

    def __init__(self, take: Callable[[str], None]):
        self._trust, self._change = w.HTML(), ChangeView()
        self._names: list[str] = []
        self._strip, self._photos = Place(), parts.Strip(lambda place: take(self._names[place]))
        self._heading = parts.Note()
        super().__init__([self._trust, self._change, self._strip, self._heading, self._photos])

    def show(self, found: Findings | None) -> None:
        """Show findings, or nothing; from any thread."""
        self.layout.display = "none" if found is None else None
        if found is None:
            return
        lines = "".join(f"<li>{html.escape(line)}</li>" for line in found.trust)
        self._trust.value = f'<ul class="cb-trust">{lines}</ul>' if lines else ""
        self._change.show(found.change)
        self._strip.layout.display = None if found.strip else "none"
        if found.strip:
            self._strip.show(strip(found.strip))
        self._names = [name for _, name, _ in found.photos]
        told = f"of {found.asked} shipped photos these excite it most, by so much; press one to start from it"
        self._heading.say(told if found.photos else "")
        shown = [(f"{name} {value:.3g}", pictures.thumbnail(image)) for image, name, value in found.photos]
        self._photos.show(shown)


class ChangeView(w.VBox):
    """A photo, what was changed, what became of it, and what the model takes both for."""

    def __init__(self):
        self._frames = {name: Frame(width=116) for name in ("photo", f"change × {_TIMES}", "result")}
        self._note, self._bars = parts.Note(), Place()
        shown = [
            w.VBox([frame, parts.prose(name, kind="cb-caption")]) for name, frame in self._frames.items()
        ]
        super().__init__([self._note, parts.row(*shown), self._bars])

    def show(self, change: Adversarial | None) -> None:
        """Show a change, or nothing; from any thread."""
        self.layout.display = "none" if change is None else None
        if change is None:
            return
        drawn = (change.photo, change.amplified(_TIMES), change.result)
        for (name, frame), pixels in zip(self._frames.items(), drawn, strict=True):
            frame.show(pictures.jpeg(Image.fromarray(pixels)), name)
        self._note.say(in_words(change))
        self._bars.show(before_after(_top(change.verdict, change.likely(_LABELS))))


def in_words(change: Adversarial) -> str:
    """What an ascent from a photo has come to, as a sentence."""
    (before, after), verdict = change.verdict.winners, change.verdict
    told = f"{before} {percent(float(verdict.before.max()))} → {after} {percent(float(verdict.after.max()))}"
    told += f", by {change.mean_change:.1f} of 255 levels a pixel"
    if before == after:
        return f"{told}: the answer is the same"
    if change.mean_change <= _SEEN:
        return f"{told}: an adversarial example, hardly anybody sees the change"
    return f"{told}: a change that one sees"


def _top(verdict: BeforeAfter, rows: Sequence[tuple[str, float, float]]) -> BeforeAfter:
    """Some rows of a verdict, for a figure; they no longer sum to 1."""
    labels, before, after = zip(*rows, strict=True)
    return BeforeAfter(labels, np.array(before), np.array(after), verdict.provenance)
