"""Training a linear probe on stored features: penalty by one part of the images, accuracy by another."""

import warnings
from collections.abc import Sequence

import numpy as np
import torch

from clipbench.classify.classifier import as_classifier
from clipbench.classify.probe import Probe
from clipbench.errors import ClipbenchError
from clipbench.intervals import Rate
from clipbench.models import ImageModel, VisionModel
from clipbench.results import Provenance

LEAST = 5  # images of a class: three to train on, one to choose the penalty by, one to be held out
_CS = tuple(10.0**power for power in range(-4, 3))  # 1 / penalty; features have coordinates of about 1
_SPARSE_CS = tuple(10.0**power for power in range(-3, 2))
_RIDGES = tuple(10.0**power for power in range(-4, 3))  # times the number of images
_STEPS = 1000  # as in Radford et al. 2021


def train_probe(
    model: ImageModel,
    features: np.ndarray,
    truths: Sequence[str],
    *,
    sparse: bool = False,
    first: Sequence[bool] | None = None,
    seed: int = 0,
) -> Probe:
    """Logistic regression on stored features.

    Three fifths of each class train it, one fifth chooses the penalty by accuracy, one fifth is held out.
    Penalties are tried from the strongest on, until one does worse than the best before it.

    Args:
        model: the model that made the features.
        features: (n, d), as `embed` gives them.
        truths: n labels; classes with fewer than `LEAST` images are left out and told as `no_data`.
        sparse: L1 penalty (solver saga), which leaves a label few coordinates; else L2 (L-BFGS).
        first: n, which images are to be held out before others, such as those that the model was not made
            with; None has no preference.
        seed: of the split.

    Raises:
        ClipbenchError: shapes that do not fit, or fewer than two classes with enough images.

    Source: Radford et al. 2021, section 3.2 and appendix A.3; Goh et al. 2021 for the sparse one.
    """
    features, truths = _check(model, features, truths)
    labels, numbers, counts = np.unique(truths, return_inverse=True, return_counts=True)
    enough = counts >= LEAST
    if enough.sum() < 2:
        raise ClipbenchError(f"a probe needs at least two classes with {LEAST} images each; give more images")
    kept = enough[numbers]
    features, truths = features[kept], truths[kept]
    train, validation, test = split(truths, seed, None if first is None else np.asarray(first)[kept])
    c, fitted = _sweep(features, truths, train, validation, sparse)
    kind = f"{'sparse ' if sparse else ''}logistic regression"
    recipe = f"{kind}, C = {c:g} of {len(_SPARSE_CS if sparse else _CS)} by validation"
    weights, bias = _rows(fitted)
    hits = int((fitted.predict(features[test]) == truths[test]).sum())
    return Probe(
        model,
        tuple(labels[enough].tolist()),
        torch.from_numpy(weights).to(model.device),
        torch.from_numpy(bias).to(model.device),
        kind,
        Rate(hits, len(test)),
        tuple(labels[~enough].tolist()),
        Provenance(model.name, model.weights_hash, recipe, seed=seed, n=len(train)),
    )


def fit_readout(
    model: ImageModel, features: np.ndarray, control: VisionModel, theirs: np.ndarray, *, seed: int = 0
) -> Probe:
    """A readout of a control's classes: ridge regression from a model's features to the control's logits.

    It was trained on no label: it says what the control would say, as far as the model's features tell.
    Its accuracy held out is how often both name the same class.

    Args:
        model: the model that made the features.
        features: (n, d), as `embed` gives them.
        control: a network with classes.
        theirs: (n, d'), the control's features of the same images, as its own tower gives them.
        seed: of the split.

    Raises:
        ClipbenchError: shapes that do not fit, or fewer than `LEAST` images.
    """
    classifier = as_classifier(control)
    with torch.no_grad():
        head = torch.as_tensor(theirs, dtype=control.dtype, device=control.device)
        wanted = classifier.logits(head).double().cpu().numpy()
    features, _ = _check(model, features, ["any"] * len(wanted))
    if len(features) < LEAST:
        raise ClipbenchError(f"a readout needs at least {LEAST} images, not {len(features)}")
    train, validation, test = split(np.zeros(len(features)), seed)
    fits = [(ridge(features[train], wanted[train], each), each) for each in _RIDGES]
    errors = [np.square(_apply(fit, features[validation]) - wanted[validation]).mean() for fit, _ in fits]
    (weights, bias), strength = fits[int(np.argmin(errors))]
    agree = _apply((weights, bias), features[test]).argmax(axis=1) == wanted[test].argmax(axis=1)
    kind = f"ridge readout of the logits of {control.name} {control.weights_hash}"
    recipe = f"{kind}, penalty {strength:g} n of {len(_RIDGES)} by validation"
    return Probe(
        model,
        classifier.labels,
        torch.from_numpy(weights.T.astype(np.float32)).to(model.device),
        torch.from_numpy(bias.astype(np.float32)).to(model.device),
        kind,
        Rate(int(agree.sum()), len(test)),
        (),
        Provenance(model.name, model.weights_hash, recipe, seed=seed, n=len(train)),
    )


def split(
    truths: np.ndarray, seed: int, first: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions of three, one and one fifth of each class, at least one each, drawn by the seed.

    The last fifth, which is held out, and then the second take those before all others that `first` marks.
    """
    rng = np.random.default_rng(seed)
    parts = ([], [], [])
    for truth in np.unique(truths):
        places = rng.permutation(np.flatnonzero(truths == truth))
        if first is not None:
            places = places[np.argsort(first[places], kind="stable")]  # marked ones last
        fifth = len(places) // 5
        cuts = (len(places) - 2 * fifth, len(places) - fifth)
        for part, some in zip(parts, np.split(places, cuts), strict=True):
            part.append(some)
    return tuple(np.sort(np.concatenate(part)) for part in parts)


def ridge(features: np.ndarray, wanted: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights (d, k) and bias (k,) of least |features · weights + bias − wanted|² + strength n |weights|²."""
    middle, aim = features.mean(axis=0), wanted.mean(axis=0)
    inner, outer = features - middle, wanted - aim
    gram = inner.T @ inner + strength * len(features) * np.eye(features.shape[1])
    weights = np.linalg.solve(gram, inner.T @ outer)
    return weights, aim - middle @ weights


def _apply(fit: tuple[np.ndarray, np.ndarray], features: np.ndarray) -> np.ndarray:
    weights, bias = fit
    return features @ weights + bias


def _sweep(features: np.ndarray, truths: np.ndarray, train: np.ndarray, validation: np.ndarray, sparse: bool):
    """The 1 / penalty that is right most often on the validation images, the least of equals, and its fit."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    best = (-1.0, 0.0, None)
    for c in _SPARSE_CS if sparse else _CS:
        how = {"solver": "saga", "l1_ratio": 1.0, "random_state": 0} if sparse else {"solver": "lbfgs"}
        with warnings.catch_warnings():  # one that has not converged stands or falls by validation, too
            warnings.simplefilter("ignore", ConvergenceWarning)
            fitted = LogisticRegression(C=c, max_iter=_STEPS, **how).fit(features[train], truths[train])
        right = fitted.score(features[validation], truths[validation])
        if right < best[0]:
            break
        if right > best[0]:
            best = (right, c, fitted)
    return best[1:]


def _rows(fitted) -> tuple[np.ndarray, np.ndarray]:
    """Weights (k, d) and bias (k,); of two classes scikit-learn keeps the difference alone."""
    weights, bias = fitted.coef_.astype(np.float32), fitted.intercept_.astype(np.float32)
    if len(fitted.classes_) > 2:
        return weights, bias
    return np.concatenate([0 * weights, weights]), np.concatenate([0 * bias, bias])


def _check(model: ImageModel, features: np.ndarray, truths: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    features, wide = np.asarray(features, dtype=np.float64), model.layer("embedding").channels
    if features.ndim != 2 or features.shape != (len(truths), wide):
        raise ClipbenchError(
            f"features of {len(truths)} images by {model.name} have the shape ({len(truths)}, {wide}), "
            f"not {features.shape}"
        )
    return features, np.asarray(truths)
