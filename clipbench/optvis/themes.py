"""The facets that are shipped: themes that a model's lower layers tell from everything else.

`scripts/make_facets.py` trains them and writes down which ones did not pass, and why.
"""

import json
from functools import cache
from pathlib import Path

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel
from clipbench.optvis.probes import Facet, load_facet

FACETS = Path(__file__).with_name("facets")
_ABSENT = "absent.json"  # weights_hash, and theme -> sentence


def shipped_facets(model: ImageModel) -> dict[str, Facet]:
    """The shipped facets that belong to a model, by name; none for most models."""
    return {name: facet for name, facet in _all().items() if facet.weights_hash == model.weights_hash}


def absent_facets(model: ImageModel) -> dict[str, str]:
    """The themes that a shipped model has no facet for, each with a sentence that says why."""
    told = json.loads((FACETS / _ABSENT).read_text(encoding="utf-8"))
    return told["reasons"] if told["weights_hash"] == model.weights_hash else {}


def write_facets(folder: Path, model: ImageModel, facets: dict[str, Facet], reasons: dict[str, str]) -> None:
    """Put trained facets in the place of all in a folder, and the reasons of those that are absent."""
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.npz"):
        old.unlink()
    for name, facet in facets.items():
        facet.save(folder / f"{name}.npz")
    told = {"weights_hash": model.weights_hash, "reasons": reasons}
    (folder / _ABSENT).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def facets_in(folder: str | Path) -> dict[str, Facet]:
    """The facets in a folder by name, in the order of their files.

    Raises:
        ClipbenchError: there is no such folder, none in it, or a file that is no facet of clipbench.
    """
    files = sorted(Path(folder).expanduser().glob("*.npz"))
    if not files:
        raise ClipbenchError(f"there is no facet (.npz) in {str(folder)!r}; name a folder with facets")
    return {facet.name: facet for facet in map(load_facet, files)}


@cache
def _all() -> dict[str, Facet]:
    return facets_in(FACETS)
