"""A CLIP: an image tower and a text tower that meet in one space."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torchvision.transforms import Compose

from clipbench.errors import ClipbenchError
from clipbench.hooks import Tap, editing
from clipbench.models.image_model import ImageModel
from clipbench.streams import chunks

_TEXTS_KEPT = 50_000  # embeddings of texts that are kept; 128 MB at 640 dimensions
_CHUNK = 64  # texts in one forward pass; more are no faster
MARK = "*"  # stands for a learned token in a text


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
        for some in chunks(missing, _CHUNK):
            features = self.network.encode_text(self._tokenize(some).to(self.device), normalize=True)
            known.update(zip(some, features.float(), strict=True))
        return torch.stack([known[text] for text in texts])

    @torch.no_grad()
    def encode_marked(self, texts: Sequence[str], tokens: Tensor) -> Tensor:
        """Embeddings of texts in which each `MARK` stands for a learned token.

        Args:
            texts: n texts, each with k marks as words of their own.
            tokens: (k, width), what flows where the text tower would look up the marks' own embeddings.

        Returns:
            As `encode_text`; nothing is kept.

        Raises:
            ClipbenchError: tokens of another width, texts with another number of marks (or too long, so that
                some were cut off), or a text tower that does not look its tokens up by itself.
        """
        table = getattr(getattr(self.network, "text", self.network), "token_embedding", None)
        if table is None:
            raise ClipbenchError(f"the text tower of {self.name} takes no learned tokens; use another model")
        if tokens.ndim != 2 or tokens.shape[1] != table.embedding_dim:
            raise ClipbenchError(
                f"learned tokens for {self.name} have the shape (tokens, {table.embedding_dim}), "
                f"not {tuple(tokens.shape)}"
            )
        mark = self._tokenize([MARK])[0, 1]
        parts = []
        for some in chunks(texts, _CHUNK):
            numbers = self._tokenize(list(some)).to(self.device)
            marked = numbers == mark.to(self.device)
            if not (marked.sum(dim=1) == len(tokens)).all():
                raise ClipbenchError(
                    f"each text needs {len(tokens)} times {MARK!r}, one for each learned token"
                )
            learned = tokens.to(self.device).repeat(len(numbers), 1)

            def put_in(values: Tensor, marked=marked, learned=learned) -> Tensor:
                values = values.clone()
                values[marked] = learned.to(values)
                return values

            with editing(Tap(table), put_in):
                parts.append(self.network.encode_text(numbers, normalize=True).float())
        return torch.cat(parts)
