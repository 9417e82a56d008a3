"""The article's check of a code: raise its first unit on an empty picture, and its word comes nearer.

That is, nearer than words do on average: a code tells its word from the others, since its rows are centred
over all of them, and says nothing of what a unit does to all alike.
"""

from dataclasses import dataclass

import torch

from clipbench.models import ClipModel, Read
from clipbench.studies.emotions import PROMPTS, Codes, grey

_RAISED = 5.0  # times the root mean square of the layer


@dataclass(frozen=True)
class Raised:
    """What raising a code's first unit did to its word on a grey picture.

    Args:
        word: the word.
        unit: the first unit of its code.
        before, after: cosine of the picture and the word's first prompt, less its mean over all words.
    """

    word: str
    unit: int
    before: float
    after: float


@torch.no_grad()
def raised(model: ClipModel, found: Codes) -> list[Raised]:
    """Raise the first unit of each code on a grey picture, as the article did to check its codes.

    Words whose code has no unit that adds to it are left out.

    Args:
        model: the one that the codes are of.
        found: its codes.
    """
    page, layer = grey(model), Read(found.layer)
    codes_of = {word: found.code(word, 1) for word in found.words}
    firsts = {word: code[0][0] for word, code in codes_of.items() if code and code[0][1] > 0}
    strength = (
        _RAISED * model.read(model.pixels([page]), [layer])[layer].float().square().mean().sqrt().item()
    )
    texts = model.encode_text([PROMPTS[0].format(word) for word in found.words])
    own = dict(zip(found.words, texts - texts.mean(0), strict=True))
    base, pictures = model.encode_image([page])[0], {}
    for unit in set(firsts.values()):
        direction = torch.zeros(model.layer(found.layer).channels)
        direction[unit] = 1
        with model.add(found.layer, direction, strength):
            pictures[unit] = model.encode_image([page])[0]
    return [
        Raised(word, unit, float(base @ own[word]), float(pictures[unit] @ own[word]))
        for word, unit in firsts.items()
    ]
