"""The one error that a user can cause, and sentences that name the nearest right answer."""

from collections.abc import Iterable
from difflib import get_close_matches


class ClipbenchError(ValueError):
    """Bad input. Its one sentence says what was wrong and what would be right."""


def unknown(kind: str, got: str, known: Iterable[str]) -> ClipbenchError:
    """An error for a name that is not among the known ones.

    Args:
        kind: what the name stands for, such as "layer".
        got: the name as the user wrote it.
        known: the names that would have been right, in their natural order.

    Returns:
        The error, with the three nearest names, or with the first few when none is near.
    """
    known = list(known)
    lowered = {name.lower(): name for name in known}
    near = [lowered[name] for name in get_close_matches(got.lower(), lowered, n=3, cutoff=0.5)]
    if near:
        return ClipbenchError(f"unknown {kind} {got!r}; did you mean {_either(near)}?")
    if not known:
        return ClipbenchError(f"unknown {kind} {got!r}; there is none to choose from")
    shown = ", ".join(repr(name) for name in known[:6])
    return ClipbenchError(f"unknown {kind} {got!r}; there are {shown}{' …' if len(known) > 6 else ''}")


def _either(names: list[str]) -> str:
    quoted = [repr(name) for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
