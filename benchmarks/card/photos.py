"""What mini kept of photos: its top-1 among the thousand names, beside its control's on the same pixels."""

from collections.abc import Iterator

import numpy as np

from card.figure import Figure, best, bootstrap, rate, spread
from card.setting import Setting, Source
from clipbench.pretrain.photos import UNSEEN_CLASS, UNSEEN_PHOTO
from clipbench.pretrain.vocabulary import PHOTO

_SPLITS = {
    UNSEEN_CLASS: ("classes without training photo", 0.75),
    UNSEEN_PHOTO: ("classes with training photos, unseen photos", 0.85),
}


def photo_figures(setting: Setting) -> Iterator[Figure]:
    """For each kind of class and each source: mini's share, the control's, and their ratio."""
    for split in _SPLITS:
        for source in setting.sources:
            if source.of(split):
                yield from _of_source(setting, source, split)


def _of_source(setting: Setting, source: Source, split: str) -> Iterator[Figure]:
    which, target = _SPLITS[split]
    chosen = spread(source.of(split), setting.most)
    images, labels = [photo.open() for photo in chosen], [photo.label for photo in chosen]
    own = best(setting.model, images, setting.known.classes, PHOTO) == labels
    theirs = setting.control.predictions(images) == labels
    key, n, chance = f"{split.replace(' ', '-')}-{source.side}", len(images), 1 / len(setting.known.classes)
    where = f"{which}, {source.side} px files"
    seen_at = f"both networks see the same {setting.model.image_size} px"
    if theirs.any():
        yield Figure(
            f"photos/{key}-ratio",
            f"top-1 relative to the control's, {where}",
            ratio(own, theirs),
            n,
            bootstrap(lambda drawn: ratio(own[drawn], theirs[drawn]), n),
            chance=float(chance / theirs.mean()),
            target=target,
            how=f"{seen_at}; “{PHOTO}”; paired bootstrap over photos",
            unit="",
        )
    yield rate(f"photos/{key}", f"top-1 among the 1,000 names, {where}", int(own.sum()), n, chance)
    yield rate(f"photos/{key}-control", f"the control's own, {where}", int(theirs.sum()), n, chance)


def ratio(own: np.ndarray, theirs: np.ndarray) -> float:
    """Hits of the one over hits of the other; nan where the other has none."""
    return float(own.sum() / theirs.sum()) if theirs.any() else float("nan")
