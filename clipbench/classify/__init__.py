"""Classifiers made of labels."""

from clipbench.classify.compare import BeforeAfter, before_after
from clipbench.classify.zero_shot import (
    TEMPLATE,
    check_labels,
    class_probabilities,
    class_weights,
    classes_of,
    zero_shot,
)

__all__ = [
    "TEMPLATE",
    "BeforeAfter",
    "before_after",
    "check_labels",
    "class_probabilities",
    "class_weights",
    "classes_of",
    "zero_shot",
]
