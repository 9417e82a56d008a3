"""clipbench: look into CLIP's neurons and fool it with a label.

The names below are the public interface. Each is imported when it is first used, so that
`import clipbench` costs next to nothing and open_clip is only loaded when a model is.
"""

from importlib import import_module

_HOMES = {
    "AttackResult": "clipbench.attacks",
    "ClipbenchError": "clipbench.errors",
    "Concept": "clipbench.stimuli",
    "Probe": "clipbench.classify",
    "Provenance": "clipbench.results",
    "Store": "clipbench.sweeps",
    "Unit": "clipbench.units",
    "Words": "clipbench.sweeps",
    "attack": "clipbench.attacks",
    "attack_search": "clipbench.attacks",
    "available": "clipbench.models",
    "before_after": "clipbench.classify",
    "circuit": "clipbench.studies",
    "class_probabilities": "clipbench.classify",
    "concepts": "clipbench.stimuli",
    "defence_prefix": "clipbench.classify",
    "defend": "clipbench.attacks",
    "embed": "clipbench.classify",
    "fill_in": "clipbench.classify",
    "fit_readout": "clipbench.classify",
    "gallery": "clipbench.optvis",
    "label_units": "clipbench.studies",
    "load": "clipbench.models",
    "load_probe": "clipbench.classify",
    "maximal_text": "clipbench.studies",
    "multimodal": "clipbench.studies",
    "overlay": "clipbench.stimuli",
    "paper": "clipbench.stimuli",
    "read_image": "clipbench.stimuli",
    "robustness": "clipbench.attacks",
    "samples": "clipbench.stimuli",
    "search_units": "clipbench.studies",
    "similarities": "clipbench.classify",
    "stroop": "clipbench.attacks",
    "sweep": "clipbench.sweeps",
    "train_probe": "clipbench.classify",
    "trust": "clipbench.studies",
    "visualize": "clipbench.optvis",
    "why": "clipbench.attacks",
    "written": "clipbench.stimuli",
    "zero_shot": "clipbench.classify",
}
_MODULES = {
    "attacks": "clipbench.attacks",
    "figures": "clipbench.figures",
    "hooks": "clipbench.hooks",
    "models": "clipbench.models",
    "objectives": "clipbench.optvis.objectives",
    "optvis": "clipbench.optvis",
    "parametrizations": "clipbench.optvis.parametrizations",
    "parity": "clipbench.parity",
    "priors": "clipbench.optvis.priors",
    "probes": "clipbench.optvis.probes",
    "regularizers": "clipbench.optvis.regularizers",
    "studies": "clipbench.studies",
    "sweeps": "clipbench.sweeps",
    "transforms": "clipbench.optvis.transforms",
}

__all__ = sorted([*_HOMES, *_MODULES])


def __getattr__(name: str):
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name in _MODULES:
        return import_module(_MODULES[name])
    raise AttributeError(f"module 'clipbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
