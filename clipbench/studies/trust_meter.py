"""The cheap part of the trust meter: what can be measured of one picture in a fraction of a second.

What needs more pictures, painted by the same recipe, is in `clipbench.studies.trust_controls`.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate
from torchvision.transforms.functional import pil_to_tensor, to_pil_image

from clipbench.classify.likely import most_likely
from clipbench.errors import ClipbenchError
from clipbench.intervals import Rate
from clipbench.models import ImageModel, VisionModel, classes_of
from clipbench.optvis import transforms as views
from clipbench.optvis.objectives import Bound, Objective, Seen
from clipbench.optvis.objectives.facets import Faceted
from clipbench.optvis.objectives.units import Channel, Neuron
from clipbench.optvis.objectives.words import Label, Probed, Text
from clipbench.optvis.transforms import Transform
from clipbench.results import Provenance
from clipbench.streams import chunks
from clipbench.studies.photo_quantiles import AmongPhotos, shipped_quantiles
from clipbench.studies.trust_figures import Recognition, Survival, Trust

DRAWS = 4  # random views of each kind
JPEG_QUALITY = 30
RANDOM_CHANGES: dict[str, Transform] = {
    "perspective": views.perspective(0.3),
    "colours": views.colour(0.3),
    "noise": views.noise(0.1),
}
_GREY = 0.5
_CHUNK = 16  # pictures in one forward pass


def trust(
    model: ImageModel,
    image: Tensor | Image.Image,
    objective: Objective,
    *,
    transforms: Sequence[Transform] = (),
    photos: Sequence[Image.Image] | None = None,
    second: VisionModel | None = None,
    seed: int = 0,
) -> Trust:
    """Measure one picture.

    Args:
        model: what it was painted on.
        image: a PIL image, or (3, h, w) in [0, 1].
        objective: what it was painted for, of one picture.
        transforms: the random views that it was painted in; changes of their kinds are left out, as they are
            not new to it.
        photos: PIL images to compare with; None takes the shipped table, which knows channels and middle
            neurons of mini and of its control, and gives no figure for anything else.
        second: another network, such as `load("timm/tf_efficientnet_lite2")`; None gives no figure.
        seed: of the random changes.

    Raises:
        ClipbenchError: an objective or a size that the model cannot take.
    """
    look = Looker(model, objective)
    picture = as_pixels(image).to(model.device)
    survival = _survival(look, picture, transforms, seed)
    if photos is not None:
        among = among_photos(look.of_photos(photos), survival.value, "photos")
    else:
        among = _in_table(model, objective, survival.value)
    how = f"unchanged, {DRAWS} draws of each random change, JPEG quality {JPEG_QUALITY}"
    return Trust(
        str(objective),
        survival,
        Provenance(model.name, model.weights_hash, how, seed=seed, n=1),
        photos=among,
        second=second and recognition(model, second, to_pil_image(picture[0].cpu()), objective),
        facet=_facet_share(model, objective, picture, survival.value),
    )


@dataclass(frozen=True)
class Looker:
    """Values of an objective for pictures as they are, without random views."""

    model: ImageModel
    objective: Objective
    goal: Bound = field(init=False)

    def __post_init__(self):
        object.__setattr__(self, "goal", self.objective.bind(self.model))

    @torch.enable_grad()  # a facet takes the gradient of what it leans on
    def __call__(self, pictures: Tensor) -> Tensor:
        """(n, 3, h, h) in [0, 1] -> (n,) on the CPU."""
        return torch.cat([self._chunk(chunk) for chunk in pictures.split(_CHUNK)])

    def of_photos(self, photos: Sequence[Image.Image]) -> Tensor:
        """The same of PIL images, shown as the model takes photos."""
        return torch.cat([self(self.model.pixels(some)) for some in chunks(photos, _CHUNK)])

    def _chunk(self, pictures: Tensor) -> Tensor:
        native = any(self.model.is_native_only(read.layer) for read in self.goal.reads)
        own = pictures.shape[-1]
        size = self.model.image_size if native else own
        show = views.draw((), torch.Generator(), own, size)
        seen = show(pictures.detach().requires_grad_())
        reads = self.model.read(seen, self.goal.reads) if self.goal.reads else {}
        return self.goal.value(Seen(reads, seen, show, own)).detach().float().cpu()


def as_pixels(image: Tensor | Image.Image) -> Tensor:
    """A picture as (1, 3, h, w) float32 in [0, 1]."""
    if isinstance(image, Image.Image):
        return pil_to_tensor(image.convert("RGB"))[None].float() / 255
    if image.ndim != 3 or image.shape[0] != 3:
        raise ClipbenchError(f"a picture is a PIL image or (3, h, w), not {tuple(image.shape)}")
    return image.detach()[None].float()


def among_photos(values: Tensor, value: float, source: str) -> AmongPhotos:
    """Where a value lies among the values of photos, (n,)."""
    return AmongPhotos(Rate(int((values < value).sum()), len(values)), float(values.max()), source)


def recognition(
    model: ImageModel, second: VisionModel, image: Image.Image, objective: Objective
) -> Recognition:
    """What a second network makes of a picture.

    The label is the one that the picture was painted for, if it was painted for a label or a text and the
    second network has a class of that name; else it is the model's own first answer.
    """
    wanted = _label(objective, second)
    label = wanted or most_likely(model, image, k=1)[0][0]
    logits = second.logits([image])[0]
    classes = classes_of(second, label)
    place = 1 + int((logits > logits[classes].max()).sum())
    share = float(logits.softmax(dim=0)[classes].sum())
    network = f"{second.name} {second.weights_hash[:8]}"
    return Recognition(label, wanted is not None, place, len(logits), share, network)


def _label(objective: Objective, second: VisionModel) -> str | None:
    for _, term in objective.terms:
        if isinstance(term, Label | Probed | Text):
            label = term.text if isinstance(term, Text) else term.label
            try:
                classes_of(second, label)
            except ClipbenchError:
                return None
            return label
    return None


def _survival(look: Looker, picture: Tensor, transforms: Sequence[Transform], seed: int) -> Survival:
    changed = _changed(picture, {type(each) for each in transforms}, seed)
    value, grey, *others = look(torch.cat([picture, torch.full_like(picture, _GREY), *changed.values()]))
    parts = torch.stack(others).split([len(each) for each in changed.values()])
    means = {name: float(part.mean()) for name, part in zip(changed, parts, strict=True)}
    return Survival(float(value), float(grey), means)


def _changed(picture: Tensor, known: set[type], seed: int) -> dict[str, Tensor]:
    """The picture after each change: (n, 3, h, w), n draws."""
    generator = torch.Generator().manual_seed(seed)
    size = picture.shape[-1]
    changed = {
        name: torch.cat([views.draw([change], generator, size, size)(picture) for _ in range(DRAWS)])
        for name, change in RANDOM_CHANGES.items()
        if type(change) not in known
    }
    half = interpolate(picture, scale_factor=0.5, mode="bilinear", antialias=True)
    changed["half size"] = interpolate(half, picture.shape[-2:], mode="bilinear")
    changed["mirror"] = picture.flip(-1)
    changed["JPEG"] = _jpeg(picture)
    return changed


def _jpeg(picture: Tensor) -> Tensor:
    file = io.BytesIO()
    to_pil_image(picture[0].cpu()).save(file, format="JPEG", quality=JPEG_QUALITY)
    with Image.open(file) as image:
        return as_pixels(image).to(picture)


def _in_table(model: ImageModel, objective: Objective, value: float) -> AmongPhotos | None:
    """Where a value lies among those of the shipped table's photos, if it knows the unit."""
    table = shipped_quantiles(model)
    if table is None or len(objective.terms) != 1:
        return None
    ((weight, term),) = objective.terms
    if weight == 1 and isinstance(term, Channel) and term.layer in table.values:
        return table.place("channel", term.layer, term.channel, value)
    if weight == 1 and isinstance(term, Neuron) and term.position is None and term.layer in table.values:
        return table.place("neuron", term.layer, term.channel, value)
    return None


def faceted_term(objective: Objective) -> Faceted | None:
    """The facet that an objective consists of, if it does."""
    ((_, term), *others) = objective.terms
    return term if isinstance(term, Faceted) and not others else None


def _facet_share(model: ImageModel, objective: Objective, picture: Tensor, value: float) -> float | None:
    """Size of the facet's term over the sizes of both terms."""
    term = faceted_term(objective)
    if term is None:
        return None
    base = float(Looker(model, term.base)(picture))
    theme = value - base
    return abs(theme) / (abs(theme) + abs(base)) if theme or base else None
