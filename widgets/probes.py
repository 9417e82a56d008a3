"""The linear probe of a model, if there is one."""

import os
from pathlib import Path

from clipbench.classify import Probe, load_probe
from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel


def home() -> Path:
    """The folder whose probes are found by the panels; `Probe.save` writes there if it is told to."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "clipbench" / "probes"


def probe_of(model: ImageModel) -> Probe | None:
    """The first probe by name that was trained on these weights, or None."""
    for path in sorted(home().glob("*.npz")):
        try:
            return load_probe(path, model)
        except ClipbenchError:  # of other weights
            continue
    return None
