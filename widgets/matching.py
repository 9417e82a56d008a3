"""Everything that decides what "What is CLIP?" shows, as its controls and the page's address have it."""

import dataclasses
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import clipbench as cb
from clipbench.classify import TEMPLATE, Similarities
from clipbench.errors import ClipbenchError
from clipbench.models import ClipModel
from clipbench.stimuli import sample
from widgets.photos import Picked
from widgets.scene import split

MOST_PHOTOS = 8  # beside one another on a phone, the pictures are as wide as a fingertip
_MOST_TEXTS = 16
_BAR = "|"  # between captions in an address: it rarely stands in one
_LONGEST = 200  # letters of a text; no tokenizer takes more than this many words' worth


@dataclass(frozen=True)
class Question:
    """Photos, captions to compare them with, and labels to choose from. The fields are keys of the address.

    Args:
        photos: names of shipped photos; those of the user have no place in an address.
        captions: what the photos are compared with.
        classes: the labels of the zero-shot classifier.
        sentence: the template that the labels are put into; Voilà takes a key "template" for itself.
    """

    photos: tuple[str, ...]
    captions: tuple[str, ...]
    classes: tuple[str, ...]
    sentence: str

    @classmethod
    def from_query(cls, query: Mapping[str, str], default: "Question") -> "Question":
        """The default, changed by what an address says; keys of other panels are left alone.

        Raises:
            ClipbenchError: photos that are not shipped, or too many.
        """
        named = {"sentence": query["sentence"]} if "sentence" in query else {}
        named |= {key: split(query[key]) for key in ("photos", "classes") if query.get(key)}
        if query.get("captions"):
            named["captions"] = lines(query["captions"].replace(_BAR, "\n"))
        question = dataclasses.replace(default, **named)
        for name in question.photos:
            sample(name)
        check_number(len(question.photos))
        return question

    def query(self) -> str:
        """The address; every key is in it, so that it overwrites what stood there."""
        told = {"photos": ",".join(self.photos), "classes": ",".join(self.classes)}
        told |= {"captions": _BAR.join(self.captions), "sentence": self.sentence}
        return urlencode(told, safe=",")

    def compare(self, model: ClipModel, photos: Sequence[Picked]) -> Similarities:
        """The photos with the captions.

        Raises:
            ClipbenchError: no captions, too many or too long.
        """
        return cb.similarities(model, [photo.image for photo in photos], _checked(self.captions, "caption"))

    def classify(self, model: ClipModel, photos: Sequence[Picked]) -> Similarities:
        """The photos with the labels, each put into the template.

        Raises:
            ClipbenchError: labels or a template that make no classifier, or too many of them.
        """
        texts = cb.fill_in(_checked(self.classes, "label"), self.sentence)
        return cb.similarities(model, [photo.image for photo in photos], _checked(texts, "sentence"))

    def command(self, photos: Sequence[Picked], model: str) -> str:
        """What to type in a terminal for the predictions of `classify`."""
        words = ["clipbench", "classify", *(photo.path for photo in photos)]
        words += [f"--labels={','.join(self.classes)}", f"--template={self.sentence}", "--model", model]
        return shlex.join(words)


EXAMPLE = Question(
    photos=("apple", "mug", "cat", "chair", "goldfish", "butterfly"),
    captions=(
        "a green apple on a porch",
        "a mug for coffee",
        "a cat that looks at you",
        "a wooden chair",
        "a goldfish in water",
        "a butterfly on a flower",
    ),
    classes=("apple", "mug", "cat", "chair", "goldfish", "butterfly"),
    sentence=TEMPLATE,
)


def lines(text: str) -> tuple[str, ...]:
    """Captions, one a line; empty lines are where the next one is about to be typed."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def check_number(photos: int) -> None:
    """Raise a ClipbenchError unless there is at least one photo and room for all of them."""
    if photos == 0:
        raise ClipbenchError("there is no photo; add one")
    if photos > MOST_PHOTOS:
        raise ClipbenchError(f"only {MOST_PHOTOS} photos fit beside one another; take one away first")


def _checked(texts: Sequence[str], kind: str) -> Sequence[str]:
    if not any(texts):
        raise ClipbenchError(f"there is no {kind}; write at least one")
    if len(texts) > _MOST_TEXTS:
        raise ClipbenchError(f"{len(texts)} {kind}s are too many for one figure; write at most {_MOST_TEXTS}")
    longest = max(map(len, texts))
    if longest > _LONGEST:
        raise ClipbenchError(f"a {kind} has {longest} letters; write at most {_LONGEST}")
    return texts
