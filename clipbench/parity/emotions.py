"""The sparse codes of 126 words, and the sums of units that the article's text makes of them."""

from clipbench.models import ClipModel
from clipbench.parity.claim import Answers, Chapter, Claim
from clipbench.studies import emotions, records
from clipbench.studies.emotion_wheel import wheel

_CODED = "units of the word's code, by L1 logistic regression over three prompts of each of the 126 words"
_SUMS = {  # word -> units that the text says are in it
    "jealous": {767: "success", 1430: "grumpy"},
    "bored": {451: "relaxing", 1430: "grumpy"},
    "intimate": {52: "soft smile", 2003: "heart"},
    "interested": {2202: "question mark", 2003: "heart"},
    "inquisitive": {2202: "question mark", 2478: "shocked"},
    "surprised": {2083: "celebration", 2478: "shock"},
    "powerful": {1346: "lightning"},
    "creative": {1737: "painting"},
    "embarrassed": {641: "the years 2000 to 2012"},
    "let down": {979: "destruction"},
    "accepted": {1820: "LGBT"},
    "confident": {22: "overweight"},
    "pressured": {736: "Asian culture"},
    "stressed": {2191: "mental illness"},
    "anxious": {2191: "mental illness"},
    "mad": {2191: "mental illness"},
}
_JAIL = Claim(
    "emotion sums/persecuted", "unit that responds to jail, in the code of persecuted", "1551",
    "looked up in the published codes and names",
    erratum='the text links unit 1551; the code has 2297, named "Freedom / metal cage"', corrected="2297",
)  # fmt: skip


def chapter() -> Chapter:
    """Codes, which need RN50x4, and sums and the wheel, which do not."""
    published = emotions.published_codes()
    claims = [
        Claim(f"emotions/{word}", f"units of the code of {word}", own, _CODED, len(own) // 2, records.MODEL)
        for word in published.words
        if (own := _units(published, word))
    ]
    for word, units in _SUMS.items():
        told = tuple(str(unit) for unit in units)
        what = f"{word} contains {' + '.join(units.values())}"
        claims.append(
            Claim(f"emotion sums/{word}", what, told, "positive parts of the published code at sparsity 40")
        )
    wheel = Claim("emotion sums/wheel", "words of the wheel that have a code", 121, "looked up in the codes")
    return Chapter((*claims, _JAIL, wheel), _recount, _measure)


def _units(codes: emotions.Codes, word: str) -> tuple[str, ...]:
    without = emotions.text_units()
    return tuple(str(unit) for unit, share in codes.code(word, without=without) if share > 0)


def _recount() -> Answers:
    published = emotions.published_codes()
    for word in _SUMS:
        row = published.weights[published.words.index(word)]
        yield f"emotion sums/{word}", tuple(str(unit) for unit in (row > 0).nonzero()[0].tolist())
    row = published.weights[published.words.index("persecuted")]
    yield _JAIL.key, next(str(unit) for unit in (-row).argsort().tolist() if "cage" in _name(unit))
    yield "emotion sums/wheel", sum(disc.word in published.words for disc in wheel())


def _name(unit: int) -> str:
    return records.unit_names().get(unit, "")


def _measure(model: ClipModel) -> Answers:
    *_, last = emotions.codes(model, emotions.wheel_words(), records.LAYER)
    for word in last.result.words:
        yield f"emotions/{word}", _units(last.result, word)
