"""The recipe that makes `mini`: a CLIP out of ImageNet's weights, drawings, fonts, words and photos."""

from clipbench.pretrain.loop import Progress
from clipbench.pretrain.recipe import SMOKE, Recipe
from clipbench.pretrain.run import pretrain

__all__ = ["SMOKE", "Progress", "Recipe", "pretrain"]
