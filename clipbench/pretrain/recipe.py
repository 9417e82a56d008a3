"""Everything that decides what `mini` becomes, in one place."""

import hashlib
import json
from dataclasses import asdict, dataclass

UNSEEN_CLASSES = (2, 3)  # classes whose ImageNet index is one of these modulo 5 give no training photo
UNSEEN_FONTS = ("DejaVu", "Lato", "Caladea")  # families that are only tested on; the attack's is the first


@dataclass(frozen=True)
class Recipe:
    """How `mini` is made. Two runs with equal recipes, inputs and threads give equal weights.

    Args:
        seed: of every draw.
        size: native resolution, pixels.
        training_size: of whole pictures in stage 1, pixels; what was trained on crops does best at a larger
            size than theirs (Touvron et al. 2019, "Fixing the train-test resolution discrepancy").
        scene_size: of whole pictures in stage 2 and after it.
        blocks_frozen: blocks of the trunk that keep their ImageNet weights, counted from the picture.
        merges: of the byte pair encoding that is learnt from the words that are taught.
        context: tokens of a text.
        words: most common words that are rendered.
        hidden_words: further words that the text tower knows and no picture ever shows.
        texts: most common words that the text tower is taught, the above among them.
        phrases: random pairs of those words that it is taught.
        further_phrases: the same, but they have no say in which directions the joint space has.
        first_words: rendered words at the start; their number grows to all of them between
            `growth_starts` and `growth_ends`, as shares of the stage, while their letters shrink. Reading
            does not start otherwise.
        photos_a_step, words_a_step, drawings_a_step: pictures of each kind in a batch.
        scenes_a_step: photos with words on them, from stage 2 on.
        photo_weight: of what the untouched network makes of a photo, in the loss.
        unit_weight: of the alignment of words and drawings with photos in the units of the last layer.
        text_steps, text_batch, text_rate: the stage that distils the text tower.
        caption_steps, caption_rate: the stage that goes on with common words and what pictures bear.
        image_steps, image_rate: the stage that teaches the image tower to read (stage 1).
        scene_steps, scene_rate: the stage that shows words on photos, by both names (stage 2).
        joint_steps, joint_rate: CLIP's own contrastive stage, both towers in the loop.
        looked_at: of the pooling's attention in a scene, what the places with writing are to have.
        look_weight: of that, in the loss.
        looking_steps, looking_rate: the stage that teaches it to the pooling.
        meeting_pictures: of words and drawings, to which the text tower goes when the image tower is locked;
            four of each.
        meeting_batch: how many of them in a step, at most.
        meeting_steps, meeting_rate: that stage.
    """

    seed: int = 0
    size: int = 224
    training_size: int = 160
    scene_size: int = 192
    blocks_frozen: int = 3
    merges: int = 15_000
    context: int = 24
    words: int = 2600
    hidden_words: int = 500
    texts: int = 30_000
    phrases: int = 30_000
    further_phrases: int = 170_000
    first_words: int = 400
    growth_starts: float = 0.1
    growth_ends: float = 0.6
    photos_a_step: int = 16
    words_a_step: int = 96
    drawings_a_step: int = 12
    scenes_a_step: int = 24
    photo_weight: float = 30.0
    unit_weight: float = 2.0
    text_steps: int = 20_000
    text_batch: int = 512
    text_rate: float = 1.5e-3
    caption_steps: int = 2400
    caption_rate: float = 8e-4
    image_steps: int = 4600
    image_rate: float = 2.5e-4
    scene_steps: int = 3600
    scene_rate: float = 1.5e-4
    joint_steps: int = 400
    joint_rate: float = 4e-5
    looked_at: float = 0.8
    look_weight: float = 5.0
    looking_steps: int = 80
    looking_rate: float = 2e-4
    meeting_pictures: int = 4 * 4518
    meeting_batch: int = 144
    meeting_steps: int = 1800
    meeting_rate: float = 6e-4

    @property
    def hash(self) -> str:
        """First 12 hex digits of the SHA-256 of all settings."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:12]

    def active_words(self, step: int) -> int:
        """How many words are rendered in this step of the image stage."""
        start, end = self.growth_starts * self.image_steps, self.growth_ends * self.image_steps
        grown = min(max((step - start) / (end - start), 0.0), 1.0)
        return round(self.first_words + grown * (self.words - self.first_words))


SMOKE = Recipe(
    words=60,
    hidden_words=20,
    texts=400,
    phrases=100,
    further_phrases=100,
    first_words=20,
    photos_a_step=2,
    words_a_step=16,
    drawings_a_step=2,
    scenes_a_step=2,
    text_steps=30,
    text_batch=64,
    caption_steps=6,
    image_steps=30,
    scene_steps=6,
    joint_steps=4,
    looking_steps=4,
    meeting_pictures=200,
    meeting_batch=32,
    meeting_steps=6,
)
"""A recipe that shows in two minutes that every part works and every loss falls; its model is of no use."""
