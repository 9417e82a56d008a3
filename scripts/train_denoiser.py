"""Train the denoiser that `priors.denoiser` ships, on photos.

    python scripts/train_denoiser.py PHOTOS… [--steps N] [--out FOLDER]

PHOTOS are pictures, folders of them, or .parquet files with the bytes of one in each row's column `image`;
every source counts alike, however many photos it has. Square crops of 64 px at random scales get noise of a
random strength, whose spectrum lies between that of white noise and that of photos, grey or coloured; the
network learns to give back the crop, by squared error over that of the noise, so that weak noise counts as
much as strong. It resumes from FOLDER. Only weights are kept.
Every tenth photo is held out, and how much noise the network takes from those is written beside the weights.
"""

import argparse
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.transforms.functional import pil_to_tensor
from tqdm import tqdm

from clipbench.models.weights import state_hash
from clipbench.optvis.denoiser import WEIGHTS, Denoiser
from clipbench.optvis.filters import bilateral5
from clipbench.optvis.parametrizations import frequency_grid
from clipbench.optvis.parametrizations.base import mix
from clipbench.pretrain.checkpoints import Checkpoints
from clipbench.pretrain.loop import Stage, train
from clipbench.stimuli.folder import picture_files

CROP = 64  # px
BATCH = 16
STEPS = 3000
RATE = 3e-3
STRENGTHS = 0.03, 0.3  # standard deviation of the noise, where a picture goes from 0 to 1
TOLD = (0.05, 0.1, 0.2, 0.3)  # strengths at which the result is measured
HELD_OUT = 10  # one photo in so many
SHOWN = 256  # held-out crops for each figure


def contents(path: Path) -> list[bytes]:
    """The files of all photos that a path names."""
    if path.suffix == ".parquet":
        from pyarrow.parquet import read_table

        return read_table(path, columns=["image"])["image"].to_pylist()
    return [file.read_bytes() for file in (picture_files(path) if path.is_dir() else [path])]


def crop(content: bytes, rng: Random) -> Tensor:
    """A random square of a photo at a random scale, turned over at random: (3, CROP, CROP) in [0, 1]."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    side = rng.randint(CROP, max(CROP, min(image.size)))
    shorter = min(image.size)
    image = image.resize([max(side, round(length * side / shorter)) for length in image.size])
    left, top = (rng.randint(0, length - CROP) for length in image.size)
    pixels = pil_to_tensor(image.crop((left, top, left + CROP, top + CROP))).float() / 255
    return pixels.flip(-1) if rng.random() < 0.5 else pixels


def noise(strengths: Tensor, generator: torch.Generator) -> Tensor:
    """Noise of some standard deviations, (n,) -> (n, 3, CROP, CROP).

    The spectrum falls with a random power of the frequency from 0 to 1; half of it in the colours of photos.
    """
    n = len(strengths)
    white = torch.randn(n, 3, CROP, CROP, generator=generator)
    decay = torch.rand(n, 1, 1, 1, generator=generator)
    waves = torch.fft.rfft2(white) * frequency_grid(CROP).clamp(min=1 / CROP) ** -decay
    coloured = torch.fft.irfft2(waves, s=(CROP, CROP))
    natural = torch.rand(n, 1, 1, 1, generator=generator) < 0.5
    coloured = torch.where(natural, mix(coloured), coloured)
    return coloured * (strengths / coloured.flatten(1).std(dim=1))[:, None, None, None]


@dataclass(frozen=True)
class Batches(Dataset):
    """Item i is the batch of step i: clean crops, the same with noise, and how strong it is."""

    sources: tuple[tuple[bytes, ...], ...]

    def __getitem__(self, step: int) -> dict[str, Tensor]:
        rng, generator = Random(step), torch.Generator().manual_seed(step)
        clean = torch.stack([crop(rng.choice(rng.choice(self.sources)), rng) for _ in range(BATCH)])
        low, high = STRENGTHS
        strengths = low + (high - low) * torch.rand(BATCH, generator=generator)
        noisy = clean + noise(strengths, generator)
        return {"clean": clean, "noisy": noisy, "strength": strengths[:, None, None, None]}


def split(sources: list[list[bytes]]) -> tuple[tuple[tuple[bytes, ...], ...], tuple[tuple[bytes, ...], ...]]:
    """Photos to train on and photos to judge by, source by source."""
    held = tuple(tuple(source[::HELD_OUT]) for source in sources)
    kept = tuple(tuple(one for at, one in enumerate(source) if at % HELD_OUT) for source in sources)
    return kept, held


@torch.no_grad()
def judge(network: Denoiser, held: tuple[tuple[bytes, ...], ...]) -> Iterator[dict[str, float]]:
    """Mean squared error of held-out crops before and after, and after a filter that has learnt nothing."""
    rng = Random(0)
    clean = torch.stack([crop(rng.choice(rng.choice(held)), rng) for _ in range(SHOWN)])
    for strength in TOLD:
        noisy = clean + noise(torch.full((SHOWN,), strength), torch.Generator().manual_seed(0))
        restored = {"noisy": noisy, "bilateral filter": bilateral5(noisy), "denoiser": network(noisy)}
        yield {"noise": strength, **{name: psnr(each, clean) for name, each in restored.items()}}


def psnr(images: Tensor, truth: Tensor) -> float:
    """Peak signal to noise ratio in dB, of the mean error over all pictures."""
    return round(-10 * float((images - truth).square().mean().log10()), 2)


def main() -> None:
    """Train, judge, and write the shipped files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTOS")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"default: {STEPS}")
    parser.add_argument("--out", type=Path, default=Path("denoiser-run"), help="where checkpoints go")
    options = parser.parse_args()
    kept, held = split([contents(path) for path in options.photos])
    torch.manual_seed(0)
    network = Denoiser()

    def losses(batch: dict[str, Tensor]) -> dict[str, Tensor]:
        wrong = network(batch["noisy"]) - batch["clean"]
        return {"error": (wrong / batch["strength"]).square().mean()}

    stage = Stage("denoiser", network, Batches(kept), losses, options.steps, RATE)
    checkpoints = Checkpoints(options.out, f"denoiser {options.steps}")
    for progress in tqdm(train(stage, checkpoints, torch.device("cpu")), unit="report"):
        told = f"error {progress.losses['error']:.4f} of the noise's, {progress.rate:.2f} a second"
        print(f"step {progress.step}: {told}", flush=True)
    weights = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    save_file(weights, WEIGHTS)
    network.load_state_dict({name: value.float() for name, value in weights.items()})  # as it is shipped
    about = {
        "weights": state_hash(weights),
        "photos": {path.name: len(own) for path, own in zip(options.photos, kept, strict=True)},
        "steps": options.steps,
        "batch": BATCH,
        "held-out crops": SHOWN,
        "PSNR in dB": list(judge(network, held)),
    }
    WEIGHTS.with_suffix(".json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(about, indent=1))


if __name__ == "__main__":
    main()
