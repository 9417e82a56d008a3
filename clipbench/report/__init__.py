"""Pages about units that open without a kernel: a dossier of one, an atlas of a layer."""

from clipbench.report.desk import Desk, stores_at
from clipbench.report.dossier import Building, Dossier, build
from clipbench.report.named import Named, read_labels
from clipbench.report.overview import Overview, mapped, overview
from clipbench.report.portraits import COARSE, FINE, Grade, Portraits
from clipbench.report.survey import Surveying, atlas

__all__ = [
    "COARSE",
    "FINE",
    "Building",
    "Desk",
    "Dossier",
    "Grade",
    "Named",
    "Overview",
    "Portraits",
    "Surveying",
    "atlas",
    "build",
    "mapped",
    "overview",
    "read_labels",
    "stores_at",
]
