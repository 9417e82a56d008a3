"""Multimodal units of the last convolution, mini's beside its control's.

A concept is a drawing and a class of ImageNet that it shows. The rule: a drawing shows a class when the name
of the class, open_clip's or WordNet's first, ends in the drawing's name in whole words (a brown bear is a
bear; a bow tie is no bow). Of the drawings that do, the longest name counts; of the classes that want one
drawing, that whose name is the shortest. The written word is the drawing's name. The rule takes a sea
cucumber for a cucumber; nothing was mended by hand.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence

from open_clip import IMAGENET_CLASSNAMES
from PIL import Image
from timm.data import ImageNetInfo

import clipbench as cb
from card.drawn import noto, openmoji
from card.figure import Figure, spread
from card.reading import texture, unseen_families
from card.setting import Setting
from clipbench.errors import ClipbenchError
from clipbench.pretrain.drawings import drawing
from clipbench.stimuli import MODALITIES
from clipbench.studies.multimodal import Multimodal

_PHOTOS, _DRAWINGS, _FONTS = 10, 4, 2  # of a concept; fonts of each family
_SIDE = 160  # pixels of a drawing's picture
_FAMOUS = 5  # units that are named
_LAYER = "conv_head"


def unit_figures(setting: Setting) -> Iterator[Figure]:
    """Count against the control's and the permuted one, and the share of concepts that own a unit."""
    own, control = (find(model, setting) for model in (setting.model, setting.control))
    concepts = len(own.concepts)
    how = f"{own.provenance.recipe}; unseen photos and fonts, OpenMoji's drawings"
    what = f"multimodal units of {_LAYER}, {concepts} concepts"
    yield count("units/count", what, own, how, target=max(4.0 * control.count, 1.0))
    yield count("units/control", "the control's", control, how)
    owners = int(own.owned.any(axis=0).sum())
    share = "share of the concepts that own a unit"
    yield Figure("units/share", share, own.share, concepts, own.interval, owners, None, 0.5, how)
    share = "the control's share"
    yield Figure(
        "units/share-control", share, control.share, concepts, control.interval, None, None, None, how
    )
    noted = find(setting.model, setting, unseen_drawings=True)
    yield count("units/count-noto", "the same with Noto's emoji, drawings it never saw", noted, how)


def unit_count(setting: Setting) -> Figure:
    """The number alone."""
    found = find(setting.model, setting)
    return count("units/count", f"multimodal units of {_LAYER}", found, found.provenance.recipe)


def count(key: str, what: str, found: Multimodal, how: str, target: float | None = None) -> Figure:
    """The number of units; chance is what shuffled concepts give."""
    mean, least, most = found.chance
    told = f"{what} (shuffled: {least} to {most})"
    return Figure(key, told, found.count, found.activations.shape[1], None, None, mean, target, how, "units")


def best_units(setting: Setting) -> list[dict[str, object]]:
    """The clearest multimodal units: each with its concept and its answer to that in each modality, in sd."""
    found = find(setting.model, setting)
    named = []
    for unit in found.ranked[:_FAMOUS]:
        values, concept = found.sds(unit), found.best(unit)
        own = found.concept == found.concepts.index(concept)
        sds = [
            round(float(values[own & (found.modality == each)].mean()), 2) for each in range(len(MODALITIES))
        ]
        named.append({"unit": f"{_LAYER}:{unit}", "concept": concept, "sds": sds})
    return named


def find(model, setting: Setting, unseen_drawings: bool = False) -> Multimodal:
    """The multimodal units of a model."""
    return cb.multimodal(model, concepts(setting, unseen_drawings), _LAYER)


def concepts(setting: Setting, unseen_drawings: bool = False) -> list[cb.Concept]:
    """Every concept of the rule whose class has enough unseen photos."""
    photos: dict[int, list] = {}
    for source in setting.sources:
        for photo in source.unseen:
            photos.setdefault(photo.label, []).append(photo)
    enough = {label for label, own in photos.items() if len(own) >= _PHOTOS}
    names = {label: names for label, names in enumerate(names_of_classes()) if label in enough}
    found = shown_by(names, setting.known.drawings)
    if len(found) < 3:
        raise ClipbenchError(
            f"only {len(found)} classes with {_PHOTOS} unseen photos have a drawing; name more photos"
        )
    chosen = [(name, spread(photos[label], _PHOTOS)) for name, label in found.items()]
    made = [_concept(name, own, unseen_drawings) for name, own in chosen]
    return [concept for concept in made if concept]


def _concept(name: str, photos: Sequence, unseen_drawings: bool) -> cb.Concept | None:
    rng = random.Random(name)
    if unseen_drawings:
        drawn = [picture] if (picture := noto(name)) else []
    else:
        drawn = [openmoji(name), *(_somewhere(name, rng) for _ in range(_DRAWINGS - 1))]
    fonts = [str(path) for paths in unseen_families().values() for path in spread(paths, _FONTS)]
    words = [cb.written(name, font=path) for path in fonts]
    return cb.Concept(name, [photo.open() for photo in photos], drawn, words) if drawn else None


def _somewhere(name: str, rng: random.Random) -> Image.Image:
    """OpenMoji's drawing at any size and place on a blotchy ground."""
    picture, side = texture(_SIDE, rng), rng.randint(_SIDE // 2, _SIDE)
    shown = drawing(name).resize((side, side), Image.Resampling.BICUBIC)
    picture.paste(shown, (rng.randint(0, _SIDE - side), rng.randint(0, _SIDE - side)), shown)
    return picture


def names_of_classes() -> list[list[str]]:
    """Of each class, the name that open_clip gives it and WordNet's first."""
    synonyms = (told.split(",")[0] for told in ImageNetInfo().label_descriptions())
    return [list(names) for names in zip(IMAGENET_CLASSNAMES, synonyms, strict=True)]


def shown_by(classes: Mapping[int, Sequence[str]], drawings: Sequence[str]) -> dict[str, int]:
    """Drawing's name -> the class that it shows, by the rule above.

    Args:
        classes: class -> its names.
        drawings: names of drawings; capitals count, so that the flag of Jersey is no jersey.
    """
    wanted: dict[str, list[tuple[int, int]]] = {}
    for label, names in classes.items():
        ends = [(name, drawing) for name in names for drawing in drawings if ends_in(name, drawing)]
        if ends:
            name, drawing = min(ends, key=lambda end: (-len(end[1]), len(end[0])))
            wanted.setdefault(drawing, []).append((len(name), label))
    return {drawing: min(those)[1] for drawing, those in sorted(wanted.items())}


def ends_in(name: str, end: str) -> bool:
    """Whether a name ends in another in whole words."""
    return bool(re.search(rf"(?<![\w-]){re.escape(end)}$", name))
