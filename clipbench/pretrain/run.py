"""The whole recipe: targets, text tower, image tower, both together, files."""

import json
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path

import torch
from open_clip.tokenizer import SimpleTokenizer
from torch import Tensor

from clipbench.models import VisionModel, load
from clipbench.pretrain.checkpoints import Checkpoints
from clipbench.pretrain.export import MERGES, export
from clipbench.pretrain.fonts import SYSTEM, training_fonts
from clipbench.pretrain.image_stage import ImageBatches, image_stage
from clipbench.pretrain.joint_stage import JointBatches, joint_stage
from clipbench.pretrain.loop import Progress, Stage, train
from clipbench.pretrain.photos import TRAIN, LabelledPhoto, read_photos
from clipbench.pretrain.pictures import stack
from clipbench.pretrain.recipe import Recipe
from clipbench.pretrain.space import Space, build_space
from clipbench.pretrain.text_stage import TextTower, text_stage
from clipbench.pretrain.towers import (
    CONTROL,
    ImageTower,
    aim,
    build,
    configuration,
    start_image_tower,
    start_token_embedding,
)
from clipbench.pretrain.vocabulary import Vocabulary, vocabulary, write_merges

_SURVEYED = 2000  # photos over which the units' covariance is taken


def pretrain(
    recipe: Recipe,
    photos: Sequence[str | Path],
    out: str | Path,
    fonts: str | Path = SYSTEM,
    device: str | torch.device | None = None,
) -> Iterator[Progress]:
    """Make `mini`, or go on where a run with the same recipe and folder stopped.

    Args:
        recipe: everything that decides the result.
        photos: folders or parquet files, see `read_photos`.
        out: folder for checkpoints, the log (log.jsonl) and the finished model.
        fonts: folder that is searched for fonts.
        device: by default the best there is.

    Yields:
        Progress about every ten steps; when the last has been read, the model's files lie in `out`.

    Raises:
        ClipbenchError: photos, fonts or a package missing, a checkpoint of another recipe, a full disk.
    """
    out, fonts_found = Path(out), training_fonts(fonts)
    checkpoints = Checkpoints(out, recipe.hash)
    training = read_photos(photos).of(TRAIN)
    known, control = vocabulary(recipe), load(CONTROL, device=device)
    out.mkdir(parents=True, exist_ok=True)
    write_merges(recipe, out / MERGES)
    tokenizer = SimpleTokenizer(bpe_path=str(out / MERGES), context_length=recipe.context)
    config = configuration(recipe, tokenizer.vocab_size, MERGES)
    network = build(config, recipe.seed)
    untouched = start_image_tower(network, control, recipe)
    units = _survey(untouched, training, recipe, control.device)
    space = _space(known, control, units, checkpoints)
    aim(untouched.pool, space, units)
    start_token_embedding(network, tokenizer, space)
    teacher = untouched.to(control.device).requires_grad_(False)
    image = _trainable(teacher, recipe)
    network.to(control.device)
    text = TextTower(network)
    pictures = ImageBatches(recipe, known, fonts_found, training)
    captions = JointBatches(recipe, known, fonts_found, training, tokenizer)
    for stage in (
        text_stage(recipe, known, space, network, tokenizer),
        image_stage(recipe, known, space, image, teacher, pictures),
        joint_stage(recipe, image, text, captions),
    ):
        yield from _logged(stage, checkpoints, control.device, out / "log.jsonl")
    export(recipe, tokenizer.vocab_size, image.cpu(), text.cpu(), out)


def _logged(stage: Stage, checkpoints: Checkpoints, device: torch.device, log: Path) -> Iterator[Progress]:
    with log.open("a") as file:
        for progress in train(stage, checkpoints, device):
            print(json.dumps(asdict(progress)), file=file, flush=True)
            yield progress


def _trainable(teacher: ImageTower, recipe: Recipe) -> ImageTower:
    return ImageTower(
        deepcopy(teacher.trunk), deepcopy(teacher.pool).requires_grad_(True), recipe.blocks_frozen
    )


@torch.no_grad()
def _survey(
    tower: ImageTower, photos: Sequence[LabelledPhoto], recipe: Recipe, device: torch.device
) -> Tensor:
    """What photos do to the untouched units: averages over each picture, (n, 1280)."""
    tower.to(device)
    every = max(1, len(photos) // _SURVEYED)
    found = []
    for start in range(0, len(photos), every * 50):
        shown = [
            photo.open().resize((recipe.size, recipe.size))
            for photo in photos[start : start + every * 50 : every]
        ]
        units = tower.late(tower.early(torch.from_numpy(stack(shown)).to(device)))
        found.append(units.mean((2, 3)).cpu())
    return torch.cat(found)


def _space(known: Vocabulary, control: VisionModel, units: Tensor, checkpoints: Checkpoints) -> Space:
    """The joint space, from its checkpoint or made anew."""
    content = checkpoints.load("space")
    if content is not None:
        return Space(**content)
    centred = units - units.mean(0)
    weight = control.network.get_classifier().weight.detach().float().cpu()
    space = build_space(known.texts, known.classes, weight, centred.T @ centred / len(units))
    checkpoints.save("space", **{name: getattr(space, name) for name in Space.__dataclass_fields__})
    return space
