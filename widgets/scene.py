"""Everything that decides what "Fool it" shows, as its controls and the page's address have it."""

import dataclasses
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image

import clipbench as cb
from clipbench.classify import BeforeAfter, Probe
from clipbench.errors import ClipbenchError, unknown
from clipbench.figures import percent
from clipbench.models import ClipModel, VisionModel
from clipbench.stimuli import ARTICLE, TAG, Recipe, Tag, cover, cut_off, sample
from clipbench.stimuli.recipes import ARTICLE_SIDE

SIZES = {"printed": ARTICLE.size / ARTICLE_SIDE, "paper": 0.5}  # kinds of label, and how large they begin
EXAMPLE = Path(__file__).parent / "examples" / "typographic.json"
_LOWEST = {"size": 0.02, "x": 0.0, "y": 0.0, "opacity": 0.0}  # as the picture's frame has it; all end at 1


@dataclass(frozen=True)
class Scene:
    """A photo, a label on it, and the labels to choose from. The names of the fields are keys of the address.

    Args:
        photo: name of a shipped photo, or "" for one of the user's.
        text: what stands on the label.
        label: one of `SIZES`: printed eight times as in the article, or once on a paper tag.
        size: share of the picture: of its shorter side for the printed letters, of its width for the paper.
        x: place of the paper's centre from left (0) to right (1); the printed places are the article's.
        y: likewise from top to bottom.
        opacity: 0 … 1.
        labels: what the model chooses from.
    """

    photo: str
    text: str
    label: str
    size: float
    x: float
    y: float
    opacity: float
    labels: tuple[str, ...]

    @classmethod
    def from_query(cls, query: Mapping[str, str], default: "Scene") -> "Scene":
        """The default, changed by what an address says; keys of other panels are left alone.

        Raises:
            ClipbenchError: a value that its key cannot take.
        """
        named = {key: query[key] for key in ("text", "label") if key in query}
        named |= {key: _share(key, query[key]) for key in _LOWEST if key in query}
        if "label" in named:
            if named["label"] not in SIZES:
                raise unknown("label", named["label"], SIZES)
            named.setdefault("size", SIZES[named["label"]])
        scene = dataclasses.replace(default, **named)
        if query.get("photo"):
            scene = scene.with_photo(sample(query["photo"]).name)
        if "labels" in query:
            scene = dataclasses.replace(scene, labels=split(query["labels"]))
        return scene

    def query(self) -> str:
        """The address; every key is in it, so that it overwrites what stood there."""
        told = dataclasses.asdict(self) | {key: f"{getattr(self, key):.3g}" for key in _LOWEST}
        return urlencode(told | {"labels": ",".join(self.labels)}, safe=",")

    def with_photo(self, name: str) -> "Scene":
        """With another shipped photo; what is on it joins the labels, what was on the last one leaves."""
        truth, guest = sample(name).truth, self._guest()
        labels = tuple(label for label in self.labels if label != guest)
        labels = labels if truth in labels else (truth, *labels)
        return dataclasses.replace(self, photo=name, labels=labels)

    @property
    def asked(self) -> tuple[str, ...]:
        """What the model is asked to choose from: the labels, and the text where it is not one of them."""
        text, known = self.text.strip(), {label.casefold() for label in self.labels}
        return self.labels if text.casefold() in known or not any(known) else (*self.labels, text)

    @property
    def target(self) -> str:
        """The label that the text is to bring about: the one that it spells."""
        text = self.text.strip()
        return next((label for label in self.labels if label.casefold() == text.casefold()), text)

    @property
    def recipe(self) -> Recipe | Tag:
        """How the text is laid on, as `cb.attack` takes it; numbers as a command says them."""
        if self.label == "paper":
            size, x, y = (float(f"{value:g}") for value in (self.size, self.x, self.y))
            return dataclasses.replace(TAG, width=size, place=(x, y), opacity=self.opacity)
        size = float(f"{self.size * ARTICLE_SIDE:g}")
        return dataclasses.replace(ARTICLE, size=size, opacity=self.opacity)

    def draw(self, image: Image.Image) -> Image.Image:
        """A photo with the label on it.

        Raises:
            ClipbenchError: text that cannot be drawn, or a tag that is too small for it.
        """
        return (cb.paper if self.label == "paper" else cb.overlay)(image, self.text, self.recipe)

    def on(self, image: Image.Image, name: str, path: str) -> "Drawing":
        """The scene drawn on a photo; errors as in `draw`."""
        return Drawing(self, name, path, image, self.draw(image))

    def command(self, picture: str, model: str) -> str:
        """What to type in a terminal for the same probabilities; `picture` is the path of the photo."""
        words = ["clipbench", "classify", picture, f"--labels={','.join(self.asked)}"]
        if self.label == "paper":
            words += [f"--paper={self.text}", "--width", f"{self.size:g}"]
            words += ["--place", f"{self.x:g}", f"{self.y:g}"]
        else:
            words += [f"--overlay={self.text}", "--size", f"{self.size * ARTICLE_SIDE:g}"]
        words += ["--opacity", f"{self.opacity:g}"] if self.opacity < 1 else []
        return shlex.join([*words, "--model", model])

    def __str__(self) -> str:
        how = f"“{self.text}” "
        if self.label == "paper":
            place = f"centre at {percent(self.x)}, {percent(self.y)}"
            how += f"on paper {percent(self.size)} wide, {place}"
        else:
            how += f"printed as in the article, {self.size * ARTICLE_SIDE:.3g} of {ARTICLE_SIDE} px"
        return how + (f", opacity {percent(self.opacity)}" if self.opacity < 1 else "")

    def _guest(self) -> str | None:
        """The label that came with the present photo."""
        truth = sample(self.photo).truth if self.photo else None
        return None if truth in example().labels else truth


@dataclass(frozen=True, eq=False)
class Drawing:
    """A scene on a photo.

    Args:
        scene: what was drawn.
        name: of the photo, also where it is the user's.
        path: of its file; of the user's own, only the name is known.
        before: the photo.
        after: the same with the label.
    """

    scene: Scene
    name: str
    path: str
    before: Image.Image
    after: Image.Image

    @property
    def cover(self) -> float:
        """Share of the pixels that the label changed."""
        return cover(self.before, self.after)

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence if the label does not fit on the picture."""
        return cut_off(self.scene.text, self.before.size, self.scene.recipe)

    def judge(self, model: ClipModel | VisionModel | Probe) -> BeforeAfter:
        """What a model or a probe sees before and after.

        Raises:
            ClipbenchError: labels that make no classifier.
        """
        change = f"{self.name} · {self.scene}"
        return cb.before_after(model, self.before, self.after, self.scene.asked, change=change)

    def command(self, model: str) -> str:
        """What to type in a terminal for what `judge` tells."""
        return self.scene.command(self.path, model)


@cache
def example() -> Scene:
    """The shipped example; `scripts/make_typographic_example.py` found it."""
    told = json.loads(EXAMPLE.read_text(encoding="utf-8"))["scene"]
    return Scene(**told | {"labels": tuple(told["labels"])})


def _share(key: str, text: str) -> float:
    low = _LOWEST[key]
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not low <= share <= 1:
        raise ClipbenchError(f"{key}={text} in the address cannot be; write a number from {low:g} to 1")
    return share


def split(text: str) -> tuple[str, ...]:
    """Labels out of a line with commas; one at its end is forgiven, because more is about to be typed."""
    return tuple(label.strip() for label in text.replace("\n", ",").rstrip(", ").split(","))
