"""A CLIP: an image tower and a text tower that meet in one space."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torchvision.transforms import Compose

from clipbench.errors import ClipbenchError
from clipbench.hooks import Tap
from clipbench.models.image_model import ImageModel

_TEXTS_KEPT = 50_000  # embeddings of texts that are kept; 128 MB at 640 dimensions
_CHUNK = 256


class ClipModel(ImageModel):
    """An open_clip model.

    Args:
        network: an `open_clip.CLIP` or another open_clip model with two towers.
        tokenize: list of texts -> (n, context) token numbers.
        name, weights_hash, transform: see `ImageModel`.
    """

    def __init__(
        self,
        network: nn.Module,
        tokenize: Callable[[list[str]], Tensor],
        name: str,
        weights_hash: str,
        transform: Compose,
    ):
        super().__init__(
            network, network.visual, name, weights_hash, transform, heads={"embedding": Tap(network.visual)}
        )
        self._tokenize = tokenize
        self._texts: dict[str, Tensor] = {}

    @property
    def logit_scale(self) -> float:
        """Factor between cosine similarity and logit, about 100 in OpenAI's models."""
        return self.network.logit_scale.exp().item()

    @torch.no_grad()
    def encode_text(self, texts: Sequence[str]) -> Tensor:
        """Embeddings of texts; those seen before are not computed again.

        Args:
            texts: n texts.

        Returns:
            (n, d) float32, each row of unit length, on the model's device.

        Raises:
            ClipbenchError: no texts, one text instead of a list, or an empty text.
        """
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise ClipbenchError('texts must be a list of strings, as in ["a photo of a cat"]')
        if len(texts) == 0 or not all(text.strip() for text in texts):
            raise ClipbenchError("there is an empty text, or none at all; write at least one word")
        missing = [text for text in dict.fromkeys(texts) if text not in self._texts]
        if len(self._texts) + len(missing) > _TEXTS_KEPT:
            self._texts = {}
            missing = list(dict.fromkeys(texts))
        known = self._texts
        for start in range(0, len(missing), _CHUNK):
            chunk = missing[start : start + _CHUNK]
            features = self.network.encode_text(self._tokenize(chunk).to(self.device), normalize=True)
            known.update(zip(chunk, features.float(), strict=True))
        return torch.stack([known[text] for text in texts])
