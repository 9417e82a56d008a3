"""Emotions as sums of units: sparse codes of words."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from clipbench.errors import ClipbenchError, unknown
from clipbench.models import ClipModel, Read
from clipbench.results import Provenance
from clipbench.streams import Progress, meanwhile
from clipbench.studies.records import LAYER, MODEL, record, unit_names

PROMPTS = (
    "i am feeling {}",
    "Me feeling {} on my face",
    "a photo of me with a {} expression on my face",
)
DETAIL = 5.0  # times the least inverse penalty that lets any unit in
SPARSITIES = ("10", "20", "30", "40", "100", "1000")  # of the published codes; the article's figures show 40
_SHOWN = 0.05  # smallest share of the largest coefficient that the article shows
_ROWS = 32  # numbers of the embedding in one backward pass


@dataclass(frozen=True, eq=False)
class Codes:
    """Sparse codes of words in the units of a layer.

    Args:
        layer: whose units they are.
        words: k words.
        weights: (k, units) float64; most are zero.
        names: what a unit is called, of those that somebody has named.
        provenance: model and recipe; n counts prompts.
    """

    layer: str
    words: tuple[str, ...]
    weights: np.ndarray
    names: dict[int, str]
    provenance: Provenance

    @property
    def sizes(self) -> np.ndarray:
        """(k,) number of units in each code."""
        return (self.weights != 0).sum(axis=1)

    def code(self, word: str, count: int = 4, without: Sequence[int] = ()) -> tuple[tuple[int, float], ...]:
        """(unit, share of the largest) as the article shows a code: positive ones first, then the negative.

        Where a code has only units that take away, the largest of them counts as −1.

        Args:
            word: one of `words`.
            count: units at most.
            without: units to leave out; the article leaves out those that answer to letters.

        Raises:
            ClipbenchError: the codes lack the word; the sentence names the nearest.
        """
        if word not in self.words:
            raise unknown("word", word, self.words)
        row = self.weights[self.words.index(word)].copy()
        row[list(without)] = 0
        largest = row.max() if row.max() > 0 else np.abs(row).max()
        if largest == 0:
            return ()
        kept = [unit for unit in np.flatnonzero(row).tolist() if abs(row[unit]) / largest > _SHOWN]
        ranked = sorted(kept, key=lambda unit: (row[unit] < 0, -abs(row[unit])))
        return tuple((unit, float(row[unit] / largest)) for unit in ranked[:count])


def wheel_words() -> tuple[str, ...]:
    """The 126 words of the feeling wheel that the article asked for."""
    return tuple(record("emotions")["codes"]["40"])


def published_codes(sparsity: str = "40") -> Codes:
    """The article's codes, before units that answer to letters are left out.

    Raises:
        ClipbenchError: a sparsity that is not among `SPARSITIES`.
    """
    if sparsity not in SPARSITIES:
        raise unknown("sparsity", sparsity, SPARSITIES)
    told = record("emotions")["codes"][sparsity]
    weights = np.zeros((len(told), 2560))
    for row, code in enumerate(told.values()):
        for coefficient, unit in code:
            weights[row, unit] = coefficient
    provenance = Provenance(f"{MODEL} (published)", "", f"sparse codes, sparsity {sparsity}", n=3 * len(told))
    return Codes(LAYER, tuple(told), weights, unit_names(), provenance)


def text_units() -> tuple[int, ...]:
    """The 70 units of RN50x4 that answer to letters; the article left them out of its codes by hand."""
    return tuple(record("emotions")["text_units"])


def codes(
    model: ClipModel, words: Sequence[str], layer: str | None = None, detail: float = DETAIL
) -> Iterator[Progress[Codes]]:
    """Find which units tell each word from the others, a word at a time.

    Each word is put into three prompts. A prompt weighs the units of a layer by how they change its logit,
    linearised at a grey picture: that is the article's W x_text. L1 logistic regression then tells the
    prompts of a word from all others; its coefficients are the word's code.

    Args:
        model: a CLIP.
        words: k different words, at least 2.
        layer: None takes the last one that has a map.
        detail: inverse penalty in multiples of the least that lets any unit in; up to 1 all codes are empty.

    Yields:
        While units are weighed, and after each word, how far it has come, in words; the last one, and only
        that, with the result.

    Raises:
        ClipbenchError: too few words, one twice or empty, no such layer, no positive detail.

    Source: Goh et al. 2021, section "Emotion Composition". Its penalty is not published; this one is
    clipbench's, and so are the standardisation of the units and the equal weight of both classes.
    """
    layer = layer or model.last_layer
    if len(words) < 2 or len(set(words)) < len(words):
        raise ClipbenchError(f"codes need at least two words, each once, not {list(words)[:6]}")
    if not all(word.strip() for word in words):
        raise ClipbenchError("a word is empty; write one, such as jealous")
    if not detail > 0:
        raise ClipbenchError(f"detail must be above 0, not {detail:g}; 5 gives a handful of units")
    prompts = [prompt.format(word) for word in words for prompt in PROMPTS]
    pulls = yield from meanwhile(slopes(model, layer), Progress(0, len(words)))
    rows = standardised((model.encode_text(prompts) @ pulls).double().cpu().numpy())
    kept = []
    for number in range(len(words)):
        own = np.arange(len(prompts)) // len(PROMPTS) == number
        kept.append(sparse_fit(rows, own, detail / least_penalty(rows, own)))
        yield Progress(number + 1, len(words))
    recipe = (
        f"{len(PROMPTS)} prompts a word, linearised at grey behind the ReLU, L1 logistic regression, "
        f"detail {detail:g}"
    )
    provenance = Provenance(model.name, model.weights_hash, recipe, unit=layer, n=len(prompts))
    yield Progress(len(words), len(words), Codes(layer, tuple(words), np.stack(kept), {}, provenance))


@torch.enable_grad()
def slopes(model: ClipModel, layer: str) -> Generator[None, None, Tensor]:
    """Returns (d, units): how much each unit, raised at all positions, moves each number of the embedding.

    The embedding is the one before it is scaled to length 1, at a grey picture. Units are raised behind their
    ReLU: before it, those that are silent on grey would do nothing, and in a small network nearly all are.
    Yields where one can stop.
    """
    units, after = Read(layer, relu=True), Read("embedding")
    seen = model.read(model.pixels([grey(model)]).requires_grad_(), [units, after])
    values, embedding = seen[units], seen[after].flatten(1)
    found = []
    for rows in torch.eye(embedding.shape[1], device=model.device, dtype=model.dtype).split(_ROWS):
        slope = torch.autograd.grad(
            embedding, values, rows[:, None], retain_graph=True, is_grads_batched=True
        )
        found.append(slope[0].sum(dim=(1, 3, 4)))
        yield
    return torch.cat(found).float()


def standardised(rows: np.ndarray) -> np.ndarray:
    """(n, d) with mean 0 and standard deviation 1 in each column; constant columns become zeros."""
    inner = rows - rows.mean(axis=0)
    sd = inner.std(axis=0)
    return np.where(sd > 1e-12, inner / np.where(sd > 1e-12, sd, 1), 0)


def least_penalty(rows: np.ndarray, own: np.ndarray) -> float:
    """The least L1 penalty at which `sparse_fit` leaves no unit: the steepest slope of its loss at zero."""
    return float(np.abs(_counts(own) * (own - 0.5) @ rows).max())


def sparse_fit(rows: np.ndarray, own: np.ndarray, c: float) -> np.ndarray:
    """L1 logistic regression without a constant, both classes of equal weight.

    Args:
        rows: (n, d), standardised.
        own: (n,) bool, the class.
        c: inverse penalty.

    Returns:
        (d,) coefficients.
    """
    from sklearn.linear_model import LogisticRegression

    how = {"solver": "liblinear", "l1_ratio": 1.0, "class_weight": "balanced", "random_state": 0}
    fitted = LogisticRegression(C=c, fit_intercept=False, tol=1e-6, max_iter=1000, **how).fit(rows, own)
    return fitted.coef_[0]


def _counts(own: np.ndarray) -> np.ndarray:
    """(n,) how much each row counts when both classes weigh alike, n / 2 each."""
    share = own.mean()
    return np.where(own, 0.5 / share, 0.5 / (1 - share))


def grey(model: ClipModel) -> Image.Image:
    """An empty picture of the model's size."""
    return Image.new("RGB", (model.image_size, model.image_size), (128, 128, 128))
