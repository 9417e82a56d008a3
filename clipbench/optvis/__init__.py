"""Feature visualisation: pictures that excite a unit, a direction or a text."""

from clipbench.optvis import objectives, parametrizations, regularizers, transforms
from clipbench.optvis.render import Step, recipe, visualize

__all__ = ["Step", "objectives", "parametrizations", "recipe", "regularizers", "transforms", "visualize"]
