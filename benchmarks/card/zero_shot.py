"""Zero-shot proper: photos of things that neither ImageNet nor any drawing has a name for.

The photos are GCompris's, from Debian's package gcompris-qt-data; those of them that clipbench ships are in
there, too. The rule, without any picking by hand:

1. every photo of `_COLLECTIONS` whose shorter side has `_SMALLEST` pixels, named by its title in the
   program or, without one, by its file, without numbers;
2. but none whose name is within a class name of ImageNet or one of its synonyms, in whole words, and none
   whose name is a drawing's; plural or singular, capital or small letters make no difference;
3. where one name is within another in whole words, the shorter stands for both.
"""

import io
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from open_clip import IMAGENET_CLASSNAMES
from PIL import Image
from timm.data import ImageNetInfo

from card.figure import Figure, best, rate
from card.setting import Setting
from clipbench.errors import ClipbenchError
from clipbench.pretrain.vocabulary import PHOTO

sys.path.append(str(Path(__file__).parents[2] / "scripts"))
from make_samples import resources  # noqa: E402

FOLDER = Path("usr/share/gcompris-qt/rcc")
# Not `details`, where paintings lie among the photos and no name tells which is which.
_COLLECTIONS = (
    "explore_monuments",
    "explore_world_animals",
    "explore_farm_animals",
    "erase",
    "categorization",
)
_SMALLEST, _LARGEST = 150, 640  # pixels; larger photos are made smaller, to save memory
_TITLED = re.compile(r'"title": *qsTr\("([^"]+)"\)(?:(?!"title").)*?"image2": *"[^"]*/([^"/]+)"', re.DOTALL)


def zero_shot_figures(setting: Setting) -> Iterator[Figure]:
    """Top-1 among the names of the set."""
    photos = zero_shot_photos(setting.gcompris, setting.known.drawings)
    names = list(dict.fromkeys(name for name, _ in photos))
    truths = [names.index(name) for name, _ in photos]
    right = best(setting.model, [photo for _, photo in photos], names, PHOTO) == truths
    what = f"{len(names)} things that no class and no drawing is named after, among their names"
    how = f"“{PHOTO}”; every photo of gcompris-qt-data with such a name"
    yield rate("zero-shot/gcompris", what, int(right.sum()), len(photos), 1 / len(names), 0.4, how)


def zero_shot_photos(folder: Path | None, drawings: Iterable[str]) -> list[tuple[str, Image.Image]]:
    """The photos that the rule chooses, each with its name."""
    found = list(_named_photos(folder))
    known = standing_for(outside({name for name, _ in found}, imagenet_names(), drawings))
    return [(known[name], photo) for name, photo in found if name in known]


def imagenet_names() -> list[str]:
    """The names of the classes, open_clip's and WordNet's, synonyms included."""
    synonyms = [told.split(",") for told in ImageNetInfo().label_descriptions()]
    return [*IMAGENET_CLASSNAMES, *(name.strip() for names in synonyms for name in names)]


def outside(names: Iterable[str], classes: Iterable[str], drawings: Iterable[str]) -> set[str]:
    """Those of the names that are within no class name and equal no drawing's."""
    within = [_plain(name) for name in classes]
    drawn = {_plain(name) for name in drawings}
    return {
        name for name in names if _plain(name) not in drawn and not any(_plain(name) in one for one in within)
    }


def standing_for(names: Iterable[str]) -> Mapping[str, str]:
    """Name -> the shortest name that is within it: "great wall" for "great wall of China"."""
    shortest_first = sorted(names, key=lambda name: (len(name), name))
    return {name: next(one for one in shortest_first if _plain(one) in _plain(name)) for name in names}


def _plain(name: str) -> str:
    """The words of a name, each between spaces, in small letters and without a plural's s."""
    words = re.findall(r"[^\W_]+", name.lower())
    return "".join(f" {word[:-1] if re.search('[^s]s$', word) else word} " for word in words)


def name_of_file(stem: str) -> str:
    """The name in a file's: "leaningTowerOfPisa2" is a leaning tower of pisa."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|_|\d+", " ", stem)
    return " ".join(words.lower().split())


def _named_photos(folder: Path | None) -> Iterator[tuple[str, Image.Image]]:
    if folder is None or not (folder / FOLDER).is_dir():
        raise ClipbenchError(
            "the photos of GCompris are not there; run "
            '"apt-get install gcompris-qt-data", or unpack it and name the folder with --gcompris'
        )
    for collection in _COLLECTIONS:
        files = resources(folder / FOLDER / f"{collection}.rcc")
        boards = (content.decode() for path, content in files.items() if path.endswith(".qml"))
        titles = {file: title for board in boards for title, file in _TITLED.findall(board)}
        for path, content in sorted(files.items()):
            file = Path(path)
            if file.suffix == ".webp":
                photo = Image.open(io.BytesIO(content)).convert("RGB")
                if min(photo.size) >= _SMALLEST:
                    photo.thumbnail((_LARGEST, _LARGEST), Image.Resampling.BICUBIC)
                    yield titles.get(file.name, name_of_file(file.stem)).lower(), photo
