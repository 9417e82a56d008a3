"""The stimuli of a store, read again from where they came from."""

from collections.abc import Sequence

from clipbench.errors import ClipbenchError
from clipbench.sweeps.pictures import Files, Stimuli
from clipbench.sweeps.words import Look, Words


def reopened(origin: dict, names: Sequence[str], digests: Sequence[bytes]) -> Stimuli:
    """The stimuli of a store, from what it keeps of them.

    Args:
        origin: what `Stimuli.origin` gave.
        names, digests: of all items.

    Raises:
        ClipbenchError: they came from a data set in memory.
    """
    if origin["kind"] == "words":
        return Words(tuple(names), tuple(digests), tuple(Look(**look) for look in origin["looks"]))
    if "root" not in origin:
        raise ClipbenchError(
            f"the pictures of data set {origin['dataset']!r} are in no files; sweep files to see them again"
        )
    return Files(tuple(names), tuple(digests), origin["root"], origin["column"])
