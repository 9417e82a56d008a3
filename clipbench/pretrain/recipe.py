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
        small_size: of drawings alone, and of photos while reading is learnt.
        scene_size: of whole pictures in stage 2 and after it.
        merges: of the tokenizer's byte pair encoding: enough to make the 10,000 most common words, and those
            of the class names, a token each.
        context: tokens of a text.
        words: most common words that are rendered.
        hidden_words: further words that the text tower knows and no picture ever shows.
        texts: most common words that the text tower is taught, the above among them.
        phrases: random pairs of those words that it is taught.
        first_words: rendered words at the start; their number grows to all of them between
            `growth_starts` and `growth_ends`, as shares of the stage, while their letters shrink. Reading
            does not start otherwise.
        photos_a_step, words_a_step, drawings_a_step: pictures of each kind in a batch.
        posters_a_step: drawings with a word on them, in stage 1.
        scenes_a_step: photos with a word on them, in stage 2.
        photo_weight: of what the untouched network makes of a photo, in the loss.
        scene_weight: of the middle of both contents of a poster or a scene.
        unit_weight: of the alignment of words and drawings with photos in the units of the last layer.
        text_steps, text_batch, text_rate: the stage that distils the text tower.
        caption_steps, caption_rate: the stage that goes on with the captions that pictures bear.
        word_steps, word_rate: the stage that teaches the image tower to read (stage 1).
        image_steps, image_rate: the stage that shows drawings and posters as well (stage 1).
        scene_steps, scene_rate: the stage that shows words on photos, by both names (stage 2).
        joint_steps, joint_rate: CLIP's own contrastive stage, both towers in the loop.
    """

    seed: int = 0
    size: int = 224
    training_size: int = 160
    small_size: int = 96
    scene_size: int = 192
    merges: int = 16_400
    context: int = 24
    words: int = 2600
    hidden_words: int = 500
    texts: int = 30_000
    phrases: int = 30_000
    first_words: int = 400
    growth_starts: float = 0.1
    growth_ends: float = 0.6
    photos_a_step: int = 8
    words_a_step: int = 96
    drawings_a_step: int = 12
    posters_a_step: int = 4
    scenes_a_step: int = 8
    photo_weight: float = 15.0
    scene_weight: float = 5.0
    unit_weight: float = 2.0
    text_steps: int = 2600
    text_batch: int = 512
    text_rate: float = 1.5e-3
    caption_steps: int = 200
    caption_rate: float = 3e-4
    word_steps: int = 1800
    word_rate: float = 1e-3
    image_steps: int = 800
    image_rate: float = 5e-4
    scene_steps: int = 250
    scene_rate: float = 5e-4
    joint_steps: int = 40
    joint_rate: float = 2e-5

    @property
    def hash(self) -> str:
        """First 12 hex digits of the SHA-256 of all settings."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:12]

    def active_words(self, step: int) -> int:
        """How many words are rendered in this step of the stage that teaches reading alone."""
        start, end = self.growth_starts * self.word_steps, self.growth_ends * self.word_steps
        grown = min(max((step - start) / (end - start), 0.0), 1.0)
        return round(self.first_words + grown * (self.words - self.first_words))


SMOKE = Recipe(
    words=60,
    hidden_words=20,
    texts=400,
    phrases=100,
    first_words=20,
    photos_a_step=2,
    words_a_step=16,
    drawings_a_step=2,
    posters_a_step=1,
    scenes_a_step=2,
    text_steps=30,
    text_batch=64,
    caption_steps=6,
    word_steps=20,
    image_steps=30,
    scene_steps=6,
    joint_steps=4,
)
"""A recipe that shows in two minutes that every part works and every loss falls; its model is of no use."""
