"""Trying texts on photos while a search looks for the best, with every picture that is encoded counted."""

from collections.abc import Iterable, Sequence

from PIL import Image

from clipbench.attacks.rendering import Item, lay
from clipbench.classify import Classifier
from clipbench.errors import ClipbenchError
from clipbench.intervals import Rate
from clipbench.stimuli import Recipe, Tag, read_image
from clipbench.streams import ahead

_CHUNK = 64  # pictures in one forward pass

Score = tuple[float, float]  # share of photos on which the target wins, its mean probability


class Trials:
    """Texts on photos; what was tried once is not tried again.

    Args:
        classifier: who answers.
        images: photos; those that cannot be read, or that are taken for the target as they are, are left out.
        target: the label that is to win.
        recipe: how texts are laid on.

    Attributes:
        photos: those that are left, as the model sees them.
        passes: pictures encoded so far.

    Raises:
        ClipbenchError: no photo is left, or a target that is not among the labels.
    """

    def __init__(self, classifier: Classifier, images: Sequence[Item], target: str, recipe: Recipe | Tag):
        self.classifier, self.recipe, self.target = classifier, recipe, target
        self._place = classifier.place(target)
        self.passes = 0
        self._known: dict[tuple[str, int], tuple[bool, float]] = {}
        crops = [classifier.model.crop(image) for image in _readable(images)]
        answers = self._answers(crops)
        self.photos = [crop for crop, (won, _) in zip(crops, answers, strict=True) if not won]
        if not self.photos:
            raise ClipbenchError(f"every photo is taken for {target!r} as it is; give photos of other things")

    def can_write(self, text: str) -> bool:
        """Whether a text can be laid on a photo."""
        try:
            lay(self.photos[0], text, self.recipe)
        except ClipbenchError:
            return False
        return True

    def scores(self, texts: Sequence[str], photos: Sequence[int]) -> dict[str, Score]:
        """How each text fares on some photos, by their places."""
        wanted = [(text, photo) for text in texts for photo in photos if (text, photo) not in self._known]
        chunks = [wanted[start : start + _CHUNK] for start in range(0, len(wanted), _CHUNK)]
        for chunk, pictures in zip(chunks, ahead(self._written, chunks), strict=True):
            self._known |= zip(chunk, self._answers(pictures), strict=True)
        return {text: self._mean(text, photos) for text in texts}

    def rate(self, text: str, photos: Sequence[int]) -> Rate:
        """On how many of some photos the target wins; they must have been tried."""
        return Rate(sum(self.won(text, photos)), len(photos))

    def won(self, text: str, photos: Sequence[int]) -> list[bool]:
        """Whether the target wins on each of some photos; they must have been tried."""
        return [self._known[text, photo][0] for photo in photos]

    def _mean(self, text: str, photos: Sequence[int]) -> Score:
        seen = [self._known[text, photo] for photo in photos]
        return sum(won for won, _ in seen) / len(seen), sum(share for _, share in seen) / len(seen)

    def _written(self, pairs: Sequence[tuple[str, int]]) -> list[Image.Image]:
        return [lay(self.photos[photo], text, self.recipe)[0] for text, photo in pairs]

    def _answers(self, pictures: Sequence[Image.Image]) -> list[tuple[bool, float]]:
        """For each picture whether the target wins, and its probability."""
        found = []
        for start in range(0, len(pictures), _CHUNK):
            pixels = self.classifier.model.pixels(pictures[start : start + _CHUNK])
            shares = self.classifier.probabilities(pixels)
            won = shares.argmax(dim=1) == self._place
            found += zip(won.tolist(), shares[:, self._place].tolist(), strict=True)
        self.passes += len(pictures)
        return found


def _readable(images: Iterable[Item]) -> list[Image.Image]:
    found, reason = [], "there are no images; give at least one"
    for image in images:
        try:
            found.append(read_image(image).image)
        except ClipbenchError as error:
            reason = str(error)
    if not found:
        raise ClipbenchError(reason)
    return found
