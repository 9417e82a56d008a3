"""Where panels keep what they have computed, so that it goes on after a stop and another day."""

from pathlib import Path

from clipbench.cache import cache_home
from clipbench.models import ImageModel
from clipbench.report import Portraits
from clipbench.results import made_folder


def folder_for(*names: str) -> Path:
    """A folder in the user's cache, made if need be.

    Raises:
        ClipbenchError: it cannot be made.
    """
    return made_folder(cache_home().joinpath(*names))


def portraits_of(model: ImageModel) -> Portraits:
    """Pictures of a model's units, which all panels share; beside the parts of its dossiers."""
    return Portraits(model, folder_for("dossiers", model.weights_hash) / "pictures")
