"""Feature visualisation: pictures that excite a unit, a direction or a text."""

from clipbench.optvis import objectives, parametrizations, priors, probes, regularizers, transforms
from clipbench.optvis.render import Step, recipe, visualize

__all__ = [
    "Step",
    "objectives",
    "parametrizations",
    "priors",
    "probes",
    "recipe",
    "regularizers",
    "transforms",
    "visualize",
]
