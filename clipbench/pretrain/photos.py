"""Photos to train on: folders or parquet files; and which of them stay out of training.

Photos without a class serve as well, as what the untouched network makes of them needs no name; what it takes
for a class that is to have no photo stays out.
"""

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from timm.data import ImageNetInfo

from clipbench.errors import ClipbenchError
from clipbench.pretrain.inputs import package
from clipbench.pretrain.recipe import UNSEEN_CLASSES
from clipbench.stimuli import read_image

TRAIN, UNSEEN_PHOTO, UNSEEN_CLASS = "train", "unseen photo", "unseen class"
_ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}


@dataclass(frozen=True)
class Photo:
    """A photo that has not been decoded yet.

    Args:
        content: bytes of its file.
        label: its class, a position in ImageNet's list; None where nobody has told it.
        source: which of the folders and files that were given it came from.
        guess: the class that the untouched network takes it for, where nobody has told it.
    """

    content: bytes
    label: int | None
    source: int = 0
    guess: int | None = None

    @property
    def split(self) -> str:
        """`TRAIN`, `UNSEEN_PHOTO` (one in ten) or `UNSEEN_CLASS`, by the class and the bytes alone."""
        if (self.guess if self.label is None else self.label) % 5 in UNSEEN_CLASSES:
            return UNSEEN_CLASS
        return UNSEEN_PHOTO if hashlib.sha256(self.content).digest()[0] % 10 == 0 else TRAIN

    def open(self) -> Image.Image:
        """The photo as RGB."""
        return Image.open(io.BytesIO(self.content)).convert("RGB")


@dataclass(frozen=True)
class Photos:
    """Photos that could be read, and how many could not."""

    photos: tuple[Photo, ...]
    broken: int

    @property
    def labelled(self) -> tuple[Photo, ...]:
        """Those whose class somebody has told."""
        return tuple(photo for photo in self.photos if photo.label is not None)

    def of(self, split: str) -> list[Photo]:
        """Those of one split, among the labelled ones."""
        return [photo for photo in self.labelled if photo.split == split]


def read_photos(sources: Sequence[str | Path]) -> Photos:
    """Read folders and parquet files of photos.

    Args:
        sources: folders of photos, or parquet files with the columns image (bytes of a file) and
            imagenet_index. A photo in a folder with a WordNet number for a name, as in ImageNet, is of that
            class; one in no such folder has no label, see `guesses`.

    Raises:
        ClipbenchError: a source is missing or of another kind, or there is no photo in any.
    """
    good, broken = [], 0
    for number, source in enumerate(sources):
        for content, label in _contents(Path(source)):
            try:
                read_image(content)
            except ClipbenchError:
                broken += 1
            else:
                good.append(Photo(content, label, number))
    found = Photos(tuple(good), broken)
    if not found.of(TRAIN):
        where = ", ".join(repr(str(source)) for source in sources)
        raise ClipbenchError(
            f"there is no photo to train on in {where} ({broken} files could not be read); name a folder "
            "with one folder a class, as in n02123045/cat.jpg, or a parquet file"
        )
    return found


def _contents(source: Path) -> Iterator[tuple[bytes, int | None]]:
    if source.is_dir():
        return _in_folder(source)
    if source.suffix == ".parquet" and source.is_file():
        return _in_parquet(source)
    raise ClipbenchError(f"there are no photos at {str(source)!r}; name a folder or a .parquet file")


def _in_folder(folder: Path) -> Iterator[tuple[bytes, int | None]]:
    numbers = {wnid: number for number, wnid in enumerate(ImageNetInfo().label_names())}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _ENDINGS:
            named = [part for part in path.relative_to(folder).parts if part in numbers]
            yield path.read_bytes(), numbers[named[0]] if named else None


def _in_parquet(path: Path) -> Iterator[tuple[bytes, int]]:
    parquet = package("pyarrow.parquet", "pyarrow")
    for batch in parquet.ParquetFile(path).iter_batches(columns=["image", "imagenet_index"]):
        yield from zip(batch["image"].to_pylist(), batch["imagenet_index"].to_pylist(), strict=True)
