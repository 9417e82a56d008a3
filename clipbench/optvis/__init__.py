"""Feature visualisation: pictures that excite a unit, a direction or a text."""

from clipbench.optvis import objectives, parametrizations, priors, probes, regularizers, transforms
from clipbench.optvis.faces import Faces, excitement, find_faces
from clipbench.optvis.facet_rows import FacetRow, facet_row
from clipbench.optvis.frames import Frames
from clipbench.optvis.many import Goal, gallery
from clipbench.optvis.plan import Plan
from clipbench.optvis.render import Step, recipe, visualize
from clipbench.optvis.speakers import Speakers, speakers
from clipbench.optvis.strengths import Strip, measure_strip
from clipbench.optvis.themes import absent_facets, shipped_facets

__all__ = [
    "FacetRow",
    "Faces",
    "Frames",
    "Goal",
    "Plan",
    "Speakers",
    "Step",
    "Strip",
    "absent_facets",
    "excitement",
    "facet_row",
    "find_faces",
    "gallery",
    "measure_strip",
    "objectives",
    "parametrizations",
    "priors",
    "probes",
    "recipe",
    "regularizers",
    "shipped_facets",
    "speakers",
    "transforms",
    "visualize",
]
