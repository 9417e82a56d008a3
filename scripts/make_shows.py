"""Make the pictures and the table of docs/feature_visualisation.md with mini; run it when mini changes.

    python scripts/make_shows.py [regularisers] [steps] [facets]        # seven minutes on two idle cores

Nobody chose the units: those of the regularisers lie evenly in the last layer, those of the steps are, in
layers from the first to the last, the ones that some shipped photo excites most above the other photos, that
of the facets is the first of the multimodal ones. The page's words are by hand; look at the pictures and
rewrite them. The facets themselves come from scripts/make_facets.py, which goes first.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

import clipbench as cb
from clipbench.models import ImageModel
from clipbench.optvis import Frames, Goal, Plan, Step, absent_facets, measure_strip, shipped_facets
from clipbench.optvis.frames import LADDER, as_bytes
from clipbench.optvis.many import together
from clipbench.results import Provenance, save_bytes, svg

PAGE = Path(__file__).parents[1] / "docs" / "feature_visualisation.md"
PICTURES = PAGE.with_name("shows")
START, END = "<!-- written by scripts/make_shows.py -->", "<!-- end -->"
UNITS, SIZE, STEPS = 10, 128, 192
LAYERS, LABEL = 5, "spider"
STRENGTHS = (0.1, 0.3, 1, 2.5, 5)  # of a facet; the article's go from 0.1 to 5

views, penalties, canvases = cb.transforms, cb.regularizers, cb.parametrizations
ROBUST = (*views.standard(), views.colour(), views.noise(0.05))
CONDITIONS: dict[str, dict] = {
    "plain": {"parametrization": canvases.fft(SIZE, UNITS)},
    "none": {"parametrization": canvases.pixel(SIZE, UNITS), "transforms": ()},
    "frequency": {
        "parametrization": canvases.fft(SIZE, UNITS),
        "transforms": (),
        "regularizers": (penalties.tv(0.01), penalties.blur(0.1)),
    },
    "robustness": {"parametrization": canvases.pixel(SIZE, UNITS), "transforms": ROBUST},
    "prior": {
        "parametrization": canvases.pixel(SIZE, UNITS),
        "transforms": (),
        "prior": cb.priors.denoiser(0.1),
    },
    "all": {
        "parametrization": canvases.fft(SIZE, UNITS),
        "transforms": ROBUST,
        "regularizers": (penalties.tv(0.01),),
        "prior": cb.priors.denoiser(0.1),
    },
}
HEAD = (
    "| regularisation | recipe | median activation | above all photos | roughness |",
    "|---|---|---|---|---|",
)
FACETS_HEAD = (
    "| facet | told right, held out | n | unit, weakest to strongest | theme |",
    "|---|---|---|---|---|",
)


def make_regularisers(model: ImageModel) -> str:
    """Ten units by six sets of regularisers; a table of what each set gives."""
    layer = model.layer(model.last_layer)
    units = [cb.Unit(layer.name, number * layer.channels // UNITS) for number in range(UNITS)]
    goals = [Goal(str(unit), cb.objectives.channel(unit.layer, unit.channel)) for unit in units]
    photos = [model.crop(sample.image) for sample in cb.samples()]
    natural, columns, rows = answers(model, photos, units), [], []
    for name, settings in CONDITIONS.items():
        plan = Plan(together(goals), steps=STEPS, **settings)
        *_, step = told(plan.run(model), STEPS, name)
        columns.append([Image.fromarray(picture) for picture in as_bytes(step.images)])
        figures = measured(model, columns[-1], units, natural)
        rows.append(f"| {' | '.join([name, plan.conditions, *figures])} |")
    recipe = f"pictures with {', '.join(CONDITIONS)} regularisation; see {PAGE.name}"
    origin = Provenance(model.name, model.weights_hash, recipe, seed=0, n=UNITS * len(CONDITIONS))
    pictures = list(zip(*columns, strict=True))
    content = svg(pictures, [goal.name for goal in goals], list(CONDITIONS), origin)
    save_bytes(content, PICTURES / "regularisers.svg")
    return "\n".join([*HEAD, *rows, "", caption(origin)])


def answers(model: ImageModel, images: Sequence[Image.Image], units: Sequence[cb.Unit]) -> np.ndarray:
    """Mean activation of each unit over the positions of each picture: (pictures, units)."""
    acts = model.activations(images, units[0].layer).mean(dim=(2, 3)).cpu().numpy()
    return acts[:, [unit.channel for unit in units]]


def measured(
    model: ImageModel, images: Sequence[Image.Image], units: Sequence[cb.Unit], natural: np.ndarray
) -> tuple[str, str, str]:
    """Of each unit's own picture: standard deviations above photos, how many beat all photos, roughness."""
    own = answers(model, images, units).diagonal()
    above = (own - natural.mean(axis=0)) / natural.std(axis=0)
    beats = int((own > natural.max(axis=0)).sum())
    rough = [roughness(image) / ROUGHNESS for image in images]
    return f"{np.median(above):.1f} sd", f"{beats} of {len(units)}", f"{np.median(rough):.1f}"


def roughness(image: Image.Image) -> float:
    """Mean absolute difference of neighbours, in [0, 1]."""
    pixels = np.asarray(image.convert("RGB").resize((SIZE, SIZE))) / 255
    return float(np.abs(np.diff(pixels, axis=0)).mean() + np.abs(np.diff(pixels, axis=1)).mean())


ROUGHNESS = float(np.median([roughness(sample.image) for sample in cb.samples()]))  # of photos


def make_steps(model: ImageModel) -> str:
    """From noise to what excites, from the first layers to the last and to a label."""
    units = [Goal(f"{unit}", cb.objectives.channel(unit.layer, unit.channel)) for unit in selective(model)]
    label = [Goal(f"label {LABEL}", cb.objectives.label(LABEL))]
    rows = []
    for goals in (units, label):  # a label apart: it may have to be seen at the model's own size
        plan = Plan(together(goals), canvases.fft(SIZE, len(goals)), steps=LADDER[-1])
        kept = [step for step in told(plan.run(model), LADDER[-1], goals[0].name) if step.number in LADDER]
        frames = Frames.of(kept, [goal.name for goal in goals], plan.provenance(model))
        rows += zip(frames.names, frames.rows, strict=True)
    recipe = f"{', '.join(name for name, _ in rows)}: {plan.conditions}; see {PAGE.name}"
    origin = Provenance(model.name, model.weights_hash, recipe, seed=0, n=len(rows))
    names, pictures = zip(*rows, strict=True)
    save_bytes(svg(pictures, names, frames.captions, origin), PICTURES / "steps.svg")
    return caption(origin)


def selective(model: ImageModel) -> Iterator[cb.Unit]:
    """In layers from the first to the last the unit that some photo excites most, in standard deviations."""
    names = list(model.layers)
    photos = [sample.image for sample in cb.samples()]
    for place in np.linspace(0, len(names) - 1, LAYERS).round().astype(int):
        acts = model.activations(photos, names[place]).mean(dim=(2, 3))
        z = (acts.amax(dim=0) - acts.mean(dim=0)) / acts.std(dim=0).clamp(min=1e-6)
        yield cb.Unit(names[place], int(z.argmax()))


def make_facets(model: ImageModel) -> str:
    """One unit with more and more of each shipped facet; a table of what the pictures have of both."""
    channel = cb.multimodal(model, cb.concepts(), model.last_layer).ranked[0]
    base, facets = cb.objectives.channel(model.last_layer, channel), shipped_facets(model)
    rows, pictures = [*FACETS_HEAD], []
    for name, facet in facets.items():
        faceted = cb.objectives.faceted(base, facet, STRENGTHS)
        plan = Plan(faceted, canvases.fft(SIZE, len(STRENGTHS)), steps=STEPS)
        *_, step = told(plan.run(model), STEPS, name)
        strip = measure_strip(model, base, facet, STRENGTHS, step.images, plan.provenance(model))
        pictures.append([Image.fromarray(picture) for picture in strip.images])
        shares = ", ".join(f"{layer} {share:.0%}" for layer, share in facet.accuracy.items())
        spans = (f"{values[0]:.3g} → {values[-1]:.3g}" for values in (strip.unit, strip.theme))
        rows.append(f"| {' | '.join([name, shares, ' + '.join(map(str, facet.n)), *spans])} |")
    rows += ["", *(f"No {name}: {why}." for name, why in absent_facets(model).items())]
    recipe = f"{model.last_layer}:{channel} with facets of strengths {STRENGTHS}; see {PAGE.name}"
    origin = Provenance(model.name, model.weights_hash, recipe, seed=0, n=len(facets) * len(STRENGTHS))
    headings = [f"strength {strength:g}" for strength in STRENGTHS]
    if pictures:
        save_bytes(svg(pictures, list(facets), headings, origin), PICTURES / "facets.svg")
    return "\n".join([*rows, "", f"Unit {model.last_layer}:{channel}. {caption(origin)}"])


def told(steps: Iterator[Step], total: int, name: str) -> Iterator[Step]:
    """The steps, with a bar on a terminal."""
    return tqdm(steps, total=total + 1, desc=name, disable=None)


def caption(origin: Provenance) -> str:
    """Where a figure comes from, as a line of the page."""
    return f"*{origin.model}* {origin.weights_hash[:8]}, seed {origin.seed}, n = {origin.n}."


def insert(name: str, text: str) -> None:
    """Put text into the page, between the marks below the picture of that name."""
    page = PAGE.read_text(encoding="utf-8")
    before, picture, after = page.partition(f"(shows/{name}.svg)\n\n{START}\n")
    _, end, rest = after.partition(END)
    PAGE.write_text(f"{before}{picture}{text}\n{end}{rest}", encoding="utf-8")


MAKERS = {"regularisers": make_regularisers, "steps": make_steps, "facets": make_facets}

if __name__ == "__main__":
    torch.set_grad_enabled(False)  # `visualize` turns it on for itself
    PICTURES.mkdir(exist_ok=True)
    embedded = cb.load("mini")
    for chosen in sys.argv[1:] or MAKERS:
        insert(chosen, MAKERS[chosen](embedded))
