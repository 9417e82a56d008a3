"""Classifiers made of labels."""

from clipbench.classify.classifier import Classifier, as_classifier
from clipbench.classify.compare import BeforeAfter, before_after
from clipbench.classify.prefix import defence_prefix
from clipbench.classify.probe import Probe, embed, load_probe
from clipbench.classify.similarity import Similarities, similarities
from clipbench.classify.training import fit_readout, train_probe
from clipbench.classify.zero_shot import (
    TEMPLATE,
    check_labels,
    class_probabilities,
    class_weights,
    fill_in,
    zero_shot,
)

__all__ = [
    "TEMPLATE",
    "BeforeAfter",
    "Classifier",
    "Probe",
    "Similarities",
    "as_classifier",
    "before_after",
    "check_labels",
    "class_probabilities",
    "class_weights",
    "defence_prefix",
    "embed",
    "fill_in",
    "fit_readout",
    "load_probe",
    "similarities",
    "train_probe",
    "zero_shot",
]
