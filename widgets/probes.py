"""The linear probes of a model, if there are any."""

from pathlib import Path

from clipbench.cache import cache_home
from clipbench.classify import Probe, load_probe
from clipbench.classify.probe import SHIPPED
from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel


def home() -> Path:
    """The folder whose probes are found by the panels; `Probe.save` writes there if it is told to."""
    return cache_home() / "probes"


def probes_of(model: ImageModel) -> dict[str, Probe]:
    """Name -> probe, of those trained on these weights: the user's own first, then those shipped."""
    found = {}
    for path in [*sorted(home().glob("*.npz")), *sorted(SHIPPED)]:
        try:
            found[Path(path).stem] = load_probe(path, model)
        except ClipbenchError:  # of other weights
            continue
    return found


def probe_of(model: ImageModel) -> Probe | None:
    """The first of them, or None."""
    return next(iter(probes_of(model).values()), None)
