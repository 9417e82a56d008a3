"""The article's nine automated attacks, by any classifier, beside what was published."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from clipbench.attacks.cells import counted
from clipbench.attacks.published import NINE, Published
from clipbench.attacks.rendering import Item
from clipbench.attacks.result import AttackResult
from clipbench.attacks.run import Case, measure
from clipbench.classify import Classifier
from clipbench.errors import ClipbenchError
from clipbench.stimuli import ARTICLE, Recipe, Tag
from clipbench.tabled import Written


@dataclass(frozen=True, eq=False)
class NineRow:
    """One text: the article's figures, and those of some classifiers.

    Args:
        published: the article's row, by its linear probe.
        results: a column's name -> its result, or None where the classifier has no such label: no data.
    """

    published: Published
    results: dict[str, AttackResult | None]

    def as_dict(self) -> dict:
        """The same as plain JSON types."""
        columns = {name: result and result.as_dict(rows=False) for name, result in self.results.items()}
        published = {"success": self.published.success.as_dict(), "cover": self.published.cover}
        return {
            "text": self.published.text,
            "target": self.published.target,
            "published": published,
            "columns": columns,
        }


@dataclass(frozen=True, eq=False)
class NineTable(Written):
    """The nine texts as a file: what was published, and below it the counts of each column that has data.

    Args:
        rows: the nine.
    """

    rows: tuple[NineRow, ...]

    def cells(self) -> list[dict]:
        """A row for each text and column: how often the target won and had not before, and the cover."""
        return [cell for row in self.rows for cell in _cells(row)]

    def about(self) -> dict:
        """By the name of a column, how it was obtained; of its texts the first with data stands for all."""
        told = {}
        for row in self.rows:
            for name, result in row.results.items():
                if result is not None and name not in told:
                    told[name] = result.provenance.as_dict()
        return {"columns": told}


@dataclass(frozen=True, eq=False)
class NineProgress:
    """How far it has come; `rows` holds the results of the columns so far."""

    done: int
    total: int
    rows: tuple[NineRow, ...]


def nine(
    classifiers: dict[str, Classifier],
    images: Sequence[Item],
    recipe: Recipe | Tag = ARTICLE,
    truths: Sequence[str] | None = None,
) -> Iterator[NineProgress]:
    """Run the nine texts through some classifiers, a batch at a time.

    Args:
        classifiers: columns, such as {"zero-shot": …, "linear probe": …}; targets in open_clip's spelling.
        images: n PIL images or paths; the article's were 1,000 of ImageNet's validation set.
        recipe: the article's unless told otherwise.
        truths: n labels, for the accuracy without text; the article's was 0.742.

    Yields:
        After each batch the table so far; a column that has not begun is not in it.

    Raises:
        ClipbenchError: as `attack`; no classifier.
    """
    if not classifiers:
        raise ClipbenchError("there is no classifier; give at least one, under a name")
    finished: dict[str, dict[str, AttackResult]] = {}
    for number, (name, classifier) in enumerate(classifiers.items()):
        cases = [Case(row.target, row.text) for row in NINE if row.target in classifier.labels]
        for step in measure(classifier, images, cases, recipe, truths) if cases else ():
            if step.rows or step.done == step.total:  # the latter says so if no image could be read
                finished[name] = {result.text: result for result in step.results}
            yield NineProgress(
                number * len(images) + step.done, len(classifiers) * len(images), _rows(finished)
            )
        finished.setdefault(name, {})
    yield NineProgress(len(classifiers) * len(images), len(classifiers) * len(images), _rows(finished))


def _rows(finished: dict[str, dict[str, AttackResult]]) -> tuple[NineRow, ...]:
    return tuple(NineRow(row, {name: own.get(row.text) for name, own in finished.items()}) for row in NINE)


def _cells(row: NineRow) -> Iterator[dict]:
    columns = [("published", row.published.success, row.published.cover)]
    columns += [(name, one.success, one.mean_cover) for name, one in row.results.items() if one is not None]
    for name, success, cover in columns:
        own = {"text": row.published.text, "target": row.published.target, "column": name}
        yield {**own, **counted("success", success), "cover": cover}
