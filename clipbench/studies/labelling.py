"""Labelling by hand: blind, in random order, saved after every label, by one person or two."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from filelock import FileLock, Timeout

from clipbench.errors import ClipbenchError, unknown
from clipbench.results import UNREADABLE, cannot_write, read_json, save_json

_VERSION = 1
_PATIENCE = 5.0  # seconds; a label is written in milliseconds


@dataclass(frozen=True)
class Labelling:
    """What some raters have said so far about some pictures, and the file that holds it.

    Args:
        path: the file.
        subject: what is labelled: model, weights and unit. A file is of one subject.
        labels: what to choose from.
        pictures: how many there are.
        given: rater -> labels in the order of the pictures, as many as the rater has given.
    """

    path: Path
    subject: str
    labels: tuple[str, ...]
    pictures: int
    given: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def open(cls, path: str | Path, subject: str, labels: Sequence[str], pictures: int) -> "Labelling":
        """Go on with a file, or begin one.

        Raises:
            ClipbenchError: fewer than two labels, one twice, or a file of another subject, with other labels
                or pictures, or that is none of ours.
        """
        labels = tuple(label.strip() for label in labels if label.strip())
        if len(labels) < 2 or len(set(labels)) < len(labels):
            raise ClipbenchError(f"labelling takes two different labels at least, not {list(labels)}")
        begun = cls(Path(path), subject, labels, pictures)
        return replace(begun, given=begun._kept())

    def place(self, rater: str) -> int | None:
        """The picture that a rater is to label next; None after the last one."""
        done = len(self.given.get(rater, ()))
        return done if done < self.pictures else None

    def mark(self, rater: str, label: str) -> "Labelling":
        """Give the next picture a label, and save.

        Raises:
            ClipbenchError: no name, an unknown label, no picture left, or somebody else who labels under that
                name.
        """
        checked_rater(rater)
        if label not in self.labels:
            raise unknown("label", label, self.labels)
        if self.place(rater) is None:
            raise ClipbenchError(
                f"{rater} has labelled all {self.pictures} pictures; undo to change the last"
            )
        return self._saved(rater, (*self.given.get(rater, ()), label))

    def undo(self, rater: str) -> "Labelling":
        """Take a rater's last label back, and save; as it is where there is none."""
        own = self.given.get(rater, ())
        return self._saved(rater, own[:-1]) if own else self

    def kappa(self, one: str, other: str) -> float:
        """Cohen's κ of two raters over the pictures that both have labelled; 1 is full agreement, 0 chance.

        Raises:
            ClipbenchError: a rater who is not there, or no picture that both have labelled.
        """
        from sklearn.metrics import cohen_kappa_score

        for rater in (one, other):
            if rater not in self.given:
                raise unknown("rater", rater, self.given)
        both = min(len(self.given[one]), len(self.given[other]))
        if both == 0:
            raise ClipbenchError(f"{one} and {other} have labelled no picture in common yet")
        first, second = self.given[one][:both], self.given[other][:both]
        if len(set(first) | set(second)) == 1:
            return 1.0  # both gave one and the same label throughout; the formula divides by zero
        return float(cohen_kappa_score(first, second, labels=self.labels))

    def _saved(self, rater: str, own: tuple[str, ...]) -> "Labelling":
        """The same with a rater's labels changed, written at once; what other raters did meanwhile stays."""
        with _held(self.path):
            kept = self._kept() if self.path.exists() else self.given
            if kept.get(rater, ()) != self.given.get(rater, ()):
                raise ClipbenchError(
                    f"somebody else is labelling as {rater!r} in {str(self.path)!r}; take another name"
                )
            made = replace(self, given={**kept, rater: own})
            told = {"version": _VERSION, "subject": self.subject, "labels": self.labels,
                    "pictures": self.pictures, "given": made.given}  # fmt: skip
            save_json(told, self.path)
        return made

    def _kept(self) -> dict[str, tuple[str, ...]]:
        """What the file has been given so far, by anybody; nothing where there is no file."""
        if not self.path.exists():
            return {}
        told = _read(self.path)
        own = {"subject": self.subject, "labels": list(self.labels), "pictures": self.pictures}
        for name, value in own.items():
            if told[name] != value:
                raise ClipbenchError(
                    f"{str(self.path)!r} was begun with {name} {told[name]!r}, not {value!r}; go on with "
                    "those or begin another file"
                )
        return {rater: tuple(labels) for rater, labels in told["given"].items()}


def checked_rater(name: str) -> str:
    """The name of a rater, without spaces around it.

    Raises:
        ClipbenchError: there is nothing in it.
    """
    if not name.strip():
        raise ClipbenchError("the rater has no name; write one, so that a second rater can be told apart")
    return name.strip()


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Read and write as one step, whoever else labels into the file."""
    try:
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=_PATIENCE):
            yield
    except Timeout as error:
        raise ClipbenchError(f"{str(path)!r} is held by another program; name another file") from error
    except OSError as error:
        raise cannot_write(path, error) from error


def _read(path: Path) -> dict:
    try:
        told = read_json(path)
        if told["version"] != _VERSION:
            raise ValueError(told["version"])
        own = {name: told[name] for name in ("subject", "labels", "pictures")}
        return {**own, "given": dict(told["given"])}
    except UNREADABLE as error:
        raise ClipbenchError(
            f"{str(path)!r} is no file of labels of this version; name another one"
        ) from error
