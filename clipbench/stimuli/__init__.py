"""What a model is shown: pictures of the user, shipped photos, labels laid on both, and whole concepts."""

from clipbench.stimuli.concepts import MODALITIES, Concept, written
from clipbench.stimuli.drawings import Drawing, concepts, drawings
from clipbench.stimuli.folder import is_picture, picture_files
from clipbench.stimuli.images import MAX_UPLOAD_BYTES, Photo, read_image
from clipbench.stimuli.lettering import FONTS
from clipbench.stimuli.overlay import compressed, cover, cut_off, label_width, overlay, paper
from clipbench.stimuli.recipes import ARTICLE, BAND, TAG, Recipe, Tag
from clipbench.stimuli.samples import Sample, sample, samples
from clipbench.stimuli.vocabulary import common_words, read_words

__all__ = [
    "ARTICLE",
    "BAND",
    "FONTS",
    "MAX_UPLOAD_BYTES",
    "MODALITIES",
    "TAG",
    "Concept",
    "Drawing",
    "Photo",
    "Recipe",
    "Sample",
    "Tag",
    "common_words",
    "compressed",
    "concepts",
    "cover",
    "cut_off",
    "drawings",
    "is_picture",
    "label_width",
    "overlay",
    "paper",
    "picture_files",
    "read_image",
    "read_words",
    "sample",
    "samples",
    "written",
]
