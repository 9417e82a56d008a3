"""Logistic regression with two classes that count alike, however many examples each has."""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

_PENALTY = 0.316  # inverse strength of the L2 penalty, as scikit-learn counts it (Radford et al. 2021)


@torch.enable_grad()
def fit(features: Tensor, positive: Tensor) -> tuple[Tensor, Tensor]:
    """Weights and bias of a logistic regression, trained to its minimum by L-BFGS.

    Features are standardised first, and the weights brought back to their scale; one that never changes
    gets the weight 0.

    Args:
        features: (n, d) float64.
        positive: (n,) bool, with examples of both classes.

    Returns:
        Weights (d,) and bias (), both float64: a logit is features · weights + bias.
    Source: scikit-learn's `LogisticRegression(C=0.316, class_weight="balanced")`.
    """
    mean, deviation = features.mean(dim=0), features.std(dim=0, correction=0)
    varies = deviation > 1e-12
    standard = torch.where(varies, (features - mean) / deviation.where(varies, 1.0), 0.0)
    share = positive.double().mean()
    counts = torch.where(positive, 0.5 / share, 0.5 / (1 - share))
    weights = torch.zeros(features.shape[1] + 1, dtype=torch.float64, requires_grad=True)  # bias last
    solver = torch.optim.LBFGS(
        [weights], max_iter=1000, tolerance_grad=1e-9, tolerance_change=1e-12, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        solver.zero_grad()
        logits = standard @ weights[:-1] + weights[-1]
        error = binary_cross_entropy_with_logits(logits, positive.double(), counts, reduction="sum")
        total = _PENALTY * error + 0.5 * weights[:-1].square().sum()
        total.backward()
        return total

    solver.step(loss)
    scaled = torch.where(varies, weights[:-1].detach() / deviation.where(varies, 1.0), 0.0)
    return scaled, weights[-1].detach() - scaled @ mean


def balanced_accuracy(predicted: Tensor, positive: Tensor) -> float:
    """Mean of the rates at which either class is told right; both arguments (n,) bool."""
    right = predicted == positive
    return ((right[positive].double().mean() + right[~positive].double().mean()) / 2).item()
