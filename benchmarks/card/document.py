"""MODEL_CARD.md and the card beside the weights, made of what was measured: every number is from there."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from card.figure import in_unit, of_chance
from clipbench.errors import ClipbenchError
from clipbench.models.card import CARD, MINI, WEIGHTS
from clipbench.models.weights import read_weights, state_hash

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
MODEL_CARD = ROOT / "MODEL_CARD.md"
_TEMPLATE = Path(__file__).parent / "model_card.md"
_VERDICT = {True: "reached", False: "**short**", None: ""}
_TITLES = {
    "photos": "Photos",
    "zero-shot": "Zero-shot proper",
    "reading": "Reading",
    "drawings": "Drawings",
    "texts": "Text tower",
    "units": "Multimodal units",
    "article": "The article's printed label",
    "wild": "The article's photos in the wild",
    "costs": "What it costs",
}


def results(folder: Path = RESULTS) -> list[dict]:
    """What was measured, by label."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("mini_card_*.json")]
    return sorted(found, key=lambda one: one["label"])


def write_card() -> None:
    """Write MODEL_CARD.md and the card beside the embedded weights.

    Raises:
        ClipbenchError: the embedded weights were not measured.
    """
    measured = results()
    shipped = of_weights(measured, state_hash(read_weights(MINI / WEIGHTS)))
    MODEL_CARD.write_text(markdown(measured, shipped), encoding="utf-8")
    (MINI / CARD).write_text(short_card(shipped), encoding="utf-8")


def of_weights(measured: Sequence[dict], weights_hash: str) -> dict:
    """What was measured with these weights."""
    for one in measured:
        if one["weights_hash"] == weights_hash:
            return one
    labels = ", ".join(f"{one['label']} ({one['weights_hash']})" for one in measured) or "nothing"
    raise ClipbenchError(
        f"the embedded weights {weights_hash} were not measured; there is {labels}; "
        "run benchmarks/mini_card.py PHOTOS first"
    )


def short_card(shipped: dict) -> str:
    """What `clipbench models` shows: the figures, without what else was written down."""
    kept = ("weights_hash", "label", "recipe", "seed", "figures", "best_units", "skipped")
    return json.dumps({key: shipped[key] for key in kept}, indent=1, ensure_ascii=False) + "\n"


def markdown(measured: Sequence[dict], shipped: dict) -> str:
    """MODEL_CARD.md: the template with its places filled."""
    measured = [*(one for one in measured if one is not shipped), shipped]
    filled = {
        "weights": f"{shipped['weights_hash']} ({shipped['label']})",
        "recipe": shipped["recipe"] or "none",
        "summary": summary(shipped),
        "tables": "\n".join(line for subject in _TITLES for line in table(measured, subject)),
        "units": "\n".join(unit_lines(shipped)),
        "controls": "\n".join(control_table(shipped)),
        "skipped": "\n".join(skip_lines(measured)),
        "particulars": "\n".join(particulars(measured)),
        **{
            f"about.{key}": f"{told:,}" if isinstance(told, int) else told
            for key, told in shipped["about"].items()
        },
    }
    text = _TEMPLATE.read_text(encoding="utf-8")
    text = re.sub(r"\{\{([\w.]+)\}\}", lambda place: str(filled[place[1]]), text)
    return re.sub(r"\n{3,}", "\n\n", text)


def summary(shipped: Mapping) -> str:
    """How many targets are reached, and which are not."""
    aimed = [one for one in shipped["figures"] if one["reached"] is not None]
    short = [f"- {one['what']}: {one['told']}; wanted {aim(one)}" for one in aimed if not one["reached"]]
    reached = len(aimed) - len(short)
    said = f"Of {len(aimed)} targets {reached} {'is' if reached == 1 else 'are'} reached."
    return "\n".join([said, *(["", "Short of their targets are:", "", *short] if short else [])])


def table(measured: Sequence[dict], subject: str) -> Iterator[str]:
    """A subject's figures, what was measured beside one another."""
    rows: dict[str, dict[str, dict]] = {}
    for one in measured:
        for figure in one["figures"]:
            if figure["key"].startswith(f"{subject}/"):
                rows.setdefault(figure["key"], {})[one["label"]] = figure
    if not rows:
        return
    labels = [one["label"] for one in measured]
    yield f"### {_TITLES[subject]}\n"
    yield f"| what | {' | '.join(labels)} | wanted | chance |"
    yield f"|---|{'---|' * len(labels)}---|---|"
    for row in rows.values():
        last = list(row.values())[-1]
        cells = [cell(row[label]) if label in row else "not measured" for label in labels]
        cells += [aim(last), of_chance(last["chance"], last["unit"])]
        yield f"| {last['what']} | {' | '.join(cells)} |"
    hows = dict.fromkeys(figure["how"] for row in rows.values() for figure in row.values() if figure["how"])
    yield ""
    yield from (f"- {how}." for how in hows)
    yield ""


def cell(figure: Mapping) -> str:
    """A value with its verdict."""
    verdict = _VERDICT[figure["reached"]]
    return f"{figure['told']}; {verdict}" if verdict else figure["told"]


def aim(figure: Mapping) -> str:
    """What a figure should reach."""
    if figure["target"] is None:
        return ""
    return f"{'≤' if figure['at_most'] else '≥'} {in_unit(figure['target'], figure['unit'])}"


def unit_lines(shipped: Mapping) -> Iterator[str]:
    """The units that answer most clearly."""
    for one in shipped["best_units"]:
        photos, drawings, words = one["sds"]
        yield f"- `{one['unit']}`, {one['concept']}: photos {photos}, drawings {drawings}, words {words}"


def control_table(shipped: Mapping) -> Iterator[str]:
    """The figures of the two controls beside what chance gives."""
    kinds = shipped["controls"]
    rows: dict[str, dict[str, dict]] = {}
    for kind, figures in kinds.items():
        for figure in figures:
            rows.setdefault(figure["key"], {})[kind] = figure
    yield f"| what | {' | '.join(kinds)} | chance |"
    yield f"|---|{'---|' * len(kinds)}---|"
    for row in rows.values():
        last = list(row.values())[-1]
        cells = [row[kind]["told"] if kind in row else "" for kind in kinds]
        yield f"| {last['what']} | {' | '.join(cells)} | {of_chance(last['chance'], last['unit'])} |"


def skip_lines(measured: Sequence[dict]) -> Iterator[str]:
    """What was not measured, and why."""
    for one in measured:
        yield from (f"- {one['label']}, {gap['subject']}: {gap['why']}." for gap in one["skipped"])


def particulars(measured: Sequence[dict]) -> Iterator[str]:
    """Of each measurement: what of, on what, and how long it took."""
    for one in measured:
        machine = one["machine"]
        versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
        yield (
            f"- {one['label']}: weights {one['weights_hash']}, recipe {one['recipe'] or 'none'}, seed "
            f"{one['seed']}, up to {one['most']} pictures behind a figure, {one['seconds'] / 60:.0f} minutes "
            f"on {machine['cores']} cores of {machine['cpu']}, Python {machine['python']}, {versions}"
        )
