"""Classifiers made of labels."""

from clipbench.classify.compare import BeforeAfter, before_after
from clipbench.classify.similarity import Similarities, similarities
from clipbench.classify.zero_shot import (
    TEMPLATE,
    check_labels,
    class_probabilities,
    class_weights,
    classes_of,
    fill_in,
    zero_shot,
)

__all__ = [
    "TEMPLATE",
    "BeforeAfter",
    "Similarities",
    "before_after",
    "check_labels",
    "class_probabilities",
    "class_weights",
    "classes_of",
    "fill_in",
    "similarities",
    "zero_shot",
]
