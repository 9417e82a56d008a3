"""Pages about units that open without a kernel: a dossier of one, an atlas of a layer."""

from clipbench.report.desk import Desk, stores_at
from clipbench.report.dossier import Building, Dossier, build
from clipbench.report.survey import Surveying, atlas

__all__ = ["Building", "Desk", "Dossier", "Surveying", "atlas", "build", "stores_at"]
