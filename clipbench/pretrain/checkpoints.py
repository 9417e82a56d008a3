"""What a run has reached, on disk: written whole or not at all, and refused by another recipe."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from clipbench.errors import ClipbenchError


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one run, a file a stage.

    Args:
        folder: where they lie; made if it is not there.
        recipe_hash: of the recipe; a checkpoint of another one is refused.
    """

    folder: Path
    recipe_hash: str

    def save(self, stage: str, **content: Any) -> None:
        """Replace a stage's checkpoint.

        Raises:
            ClipbenchError: the disk is full or the folder cannot be written; the old checkpoint is intact.
        """
        path = self._path(stage)
        partial = path.with_suffix(".partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.save({"recipe": self.recipe_hash, **content}, partial)
            partial.replace(path)
        except (OSError, RuntimeError) as error:  # torch's zip writer raises RuntimeError on a full disk
            kept = "the checkpoint before it is intact" if path.is_file() else "nothing was kept"
            raise ClipbenchError(
                f"the checkpoint {str(path)!r} could not be written ({str(error).splitlines()[0]}); {kept}; "
                "make room and start again with the same command"
            ) from error
        finally:
            partial.unlink(missing_ok=True)

    def load(self, stage: str) -> dict[str, Any] | None:
        """What was saved last, or None.

        Raises:
            ClipbenchError: it belongs to another recipe or cannot be read.
        """
        path = self._path(stage)
        if not path.is_file():
            return None
        try:
            content = torch.load(path, map_location="cpu", weights_only=True)
            found = content.pop("recipe")
        except Exception as error:  # torch.load raises what the damage happens to cause
            raise ClipbenchError(f"{str(path)!r} is no checkpoint that can be read; remove it") from error
        if found != self.recipe_hash:
            raise ClipbenchError(
                f"{str(path)!r} was made by recipe {found}, not by {self.recipe_hash}; name another folder "
                "with --out, or remove it"
            )
        return content

    def _path(self, stage: str) -> Path:
        return self.folder / "checkpoints" / f"{stage}.pt"
