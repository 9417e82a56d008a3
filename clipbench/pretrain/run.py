"""The whole recipe: targets, text tower, image tower, both together, files."""

import json
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path

import torch
from open_clip.tokenizer import SimpleTokenizer
from torch import Tensor
from torch.nn.functional import relu6

from clipbench.models import VisionModel, load
from clipbench.models.card import WORDS
from clipbench.pretrain.checkpoints import Checkpoints
from clipbench.pretrain.export import MERGES, export
from clipbench.pretrain.fonts import SYSTEM, training_fonts
from clipbench.pretrain.guesses import guess, with_guesses
from clipbench.pretrain.image_stage import ImageBatches, Lessons, image_stage, looking_stage, scene_stage
from clipbench.pretrain.joint_stage import JointBatches, joint_stage
from clipbench.pretrain.loop import Progress, Stage, train
from clipbench.pretrain.meeting_stage import SEEN, MeetingBatches, Shown, look, meeting_stage
from clipbench.pretrain.photos import TRAIN, Photo, read_photos
from clipbench.pretrain.pictures import stack
from clipbench.pretrain.recipe import Recipe
from clipbench.pretrain.space import Space, build_space
from clipbench.pretrain.text_stage import (
    TextBatches,
    TextTower,
    caption_stage,
    start_text_tower,
    text_stage,
)
from clipbench.pretrain.towers import (
    CONTROL,
    ImageTower,
    aim,
    build,
    configuration,
    start_image_tower,
)
from clipbench.pretrain.vocabulary import Vocabulary, vocabulary, write_merges

AFTER = "after-{}"  # the folder with the model as it is after a stage
_SURVEYED = 2000  # photos over which the units' covariance is taken


def pretrain(
    recipe: Recipe,
    photos: Sequence[str | Path],
    out: str | Path,
    fonts: str | Path = SYSTEM,
    device: str | torch.device | None = None,
    artists: Sequence[str | Path] = (),
) -> Iterator[Progress]:
    """Make `mini`, or go on where a run with the same recipe and folder stopped.

    Args:
        recipe: everything that decides the result.
        photos: folders or parquet files, see `read_photos`.
        out: folder for checkpoints, the log (log.jsonl) and the finished model.
        fonts: folder that is searched for fonts.
        device: by default the best there is.
        artists: folders of drawings of emoji beside OpenMoji's, see `versions`.

    Yields:
        First how many of the files of photos could be read, as the stage "photos"; then progress about every
        ten steps. When the last has been read, the model's files lie in `out`, and in folders of it the
        model as it was after each stage that trains the image tower.

    Raises:
        ClipbenchError: photos, fonts or a package missing, a checkpoint of another recipe, a full disk.
    """
    out, fonts_found = Path(out), training_fonts(fonts)
    checkpoints = Checkpoints(out, recipe.hash)
    found = read_photos(photos)
    known, control = vocabulary(recipe, artists), load(CONTROL, device=device)
    out.mkdir(parents=True, exist_ok=True)
    readable = Progress("photos", len(found.photos), len(found.photos) + found.broken, {}, 0.0)
    yield from _logged([readable], out)
    yield from _logged(guess(found.photos, control, checkpoints), out)
    training = [photo for photo in with_guesses(found.photos, checkpoints) if photo.split == TRAIN]
    write_merges(recipe, out / MERGES)
    (out / WORDS).write_text("".join(f"{word}\n" for word in known.words), encoding="utf-8")
    tokenizer = SimpleTokenizer(bpe_path=str(out / MERGES), context_length=recipe.context)
    config = configuration(recipe, tokenizer.vocab_size, MERGES)
    network = build(config, recipe.seed)
    untouched = start_image_tower(network, control, recipe)
    before, after = _survey(untouched, training, recipe, control.device)
    space = _space(known, control, before, checkpoints)
    aim(untouched.pool, space, after)
    teacher = untouched.to(control.device).requires_grad_(False)
    image = _trainable(teacher, recipe)
    text = TextTower(network)
    start_text_tower(text, tokenizer, space)
    text.to(control.device)
    lessons = Lessons(recipe, known, space, image, teacher)
    told, shown = (recipe, known, space, tokenizer), (recipe, known, fonts_found, training)
    last = TextBatches(*told, last=True)
    for stage in _stages(lessons, text, told, last, shown):
        yield from _logged(train(stage, checkpoints, control.device), out)
        if stage.module is not text:
            export(recipe, tokenizer.vocab_size, image, text, out / AFTER.format(stage.name))
    pictures = Shown(recipe, known, fonts_found)
    yield from _logged(look(pictures, image, checkpoints), out)
    seen = checkpoints.load(SEEN)["embedded"]
    met = MeetingBatches(recipe, pictures.captions, seen, tokenizer, last)
    yield from _logged(train(meeting_stage(recipe, text, met), checkpoints, control.device), out)
    export(recipe, tokenizer.vocab_size, image, text, out)


def _stages(
    lessons: Lessons, text: TextTower, told: tuple, last: TextBatches, shown: tuple
) -> Iterator[Stage]:
    """All but the meeting, each made when it begins: the looking stage holds values from then on.

    Args:
        lessons, text: of the towers.
        told, last: what texts are made of, the recipe first and the tokenizer last; and those of the caption
            stage.
        shown: what pictures are made of.
    """
    recipe, *_, tokenizer = told
    scenes = ImageBatches(*shown, scenes=True)
    yield text_stage(recipe, text, TextBatches(*told))
    yield caption_stage(recipe, text, last)
    yield image_stage(recipe, lessons, ImageBatches(*shown))
    yield scene_stage(recipe, lessons, scenes)
    yield joint_stage(recipe, lessons, text, JointBatches(*shown, tokenizer))
    yield looking_stage(recipe, lessons, scenes)


def _logged(stream: Iterable[Progress], out: Path) -> Iterator[Progress]:
    with (out / "log.jsonl").open("a") as file:
        for progress in stream:
            print(json.dumps(asdict(progress)), file=file, flush=True)
            yield progress


def _trainable(teacher: ImageTower, recipe: Recipe) -> ImageTower:
    return ImageTower(
        deepcopy(teacher.trunk), deepcopy(teacher.pool).requires_grad_(True), recipe.blocks_frozen
    )


@torch.no_grad()
def _survey(
    tower: ImageTower, photos: Sequence[Photo], recipe: Recipe, device: torch.device
) -> tuple[Tensor, Tensor]:
    """What photos do to the untouched units, averaged over each: before their ReLU6 and after, (n, 1280)."""
    tower.to(device)
    side, every = recipe.training_size, max(1, len(photos) // _SURVEYED)
    before, after = [], []
    for start in range(0, len(photos), every * 50):
        shown = [photo.open().resize((side, side)) for photo in photos[start : start + every * 50 : every]]
        units = tower.late(tower.early(torch.from_numpy(stack(shown)).to(device)))
        before.append(units.mean((2, 3)).cpu())
        after.append(relu6(units).mean((2, 3)).cpu())
    return torch.cat(before), torch.cat(after)


def _space(known: Vocabulary, control: VisionModel, units: Tensor, checkpoints: Checkpoints) -> Space:
    """The joint space, from its checkpoint or made anew; `units` are the survey's before their ReLU6."""
    content = checkpoints.load("space")
    if content is not None:
        return Space(**content)
    centred = units - units.mean(0)
    weight = control.network.get_classifier().weight.detach().float().cpu()
    space = build_space(known.texts, known.deciding, known.classes, weight, centred.T @ centred / len(units))
    checkpoints.save("space", **{name: getattr(space, name) for name in Space.__dataclass_fields__})
    return space
