"""The ledger: its entries, what becomes of them, and what two people compare."""

import json
from functools import partial

import pytest

import clipbench as cb
from clipbench.parity import Chapter, Claim, Ledger, Row, ledger, parity
from clipbench.parity.ledger import claims, has_units


@pytest.fixture(scope="module")
def recounted() -> Ledger:
    *_, last = parity()
    assert last.done == last.total
    return last.result


def test_there_are_thousands_of_entries_each_with_a_method(recounted):
    assert len(recounted.rows) >= 3000
    assert sum(row.claim.topic == "words" for row in recounted.rows) == 2560
    keys = [row.claim.key for row in recounted.rows]
    assert len(set(keys)) == len(keys)
    assert all(row.claim.method and row.claim.what for row in recounted.rows)
    topics = {"words", "regions", "emotions", "attacks", "stroop", "wild", "people", "plot 89"}
    assert topics <= set(recounted.topics)


def test_what_needs_no_weights_agrees_or_errs_as_its_erratum_says(recounted):
    free = [row for row in recounted.rows if not row.claim.needs]
    assert len(free) >= 200 and len(free) == sum(row.found is not None for row in recounted.rows)
    assert {row.state for row in free} == {"agrees", "erratum"}
    assert {row.claim.key for row in free if row.state == "erratum"} == {
        "plot 1257/labels/Non-African Symbol",
        "emotion sums/persecuted",
        "attacks/highest",
        "attacks/piggy bank/text",
    }


def test_what_needs_weights_says_which(recounted):
    rest = [row for row in recounted.rows if row.claim.needs]
    assert {row.state for row in rest} == {"not run"} and all(row.reason.startswith("needs RN50") or
        row.reason.startswith(("needs RN101", "needs the article's")) for row in rest)  # fmt: skip
    assert recounted.counts["not run"] == len(rest)


@pytest.mark.parametrize(
    ("published", "tolerance", "found", "agrees"),
    [
        (0.954, 0.01, 0.96, True),
        (0.954, 0.01, 0.97, False),
        ("iPod", 0, "iPod", True),
        ("iPod", 0, "apple", False),
        (("a", "b", "c"), 1, ("c", "a", "x"), True),
        (("a", "b", "c"), 1, ("a", "x", "y"), False),
    ],
)
def test_agreement_is_by_the_tolerance(published, tolerance, found, agrees):
    claim = Claim("topic/key", "what", published, "method", tolerance)
    assert Row(claim, found).state == ("agrees" if agrees else "differs")


def test_an_erratum_counts_only_if_the_corrected_value_is_found():
    claim = Claim("t/k", "what", 0.97, "method", 0.005, erratum="the record says 95.4 %", corrected=0.954)
    assert [Row(claim, found).state for found in (0.97, 0.954, 0.5, None)] == [
        "agrees", "erratum", "differs", "not run"
    ]  # fmt: skip


def test_a_wrong_record_is_seen(monkeypatch):
    """The words of one unit changed: the second record of the same unit no longer agrees."""
    from clipbench.parity import words
    from clipbench.studies import records

    known = list(records.top_words())
    known[862] = ("x", "y", "z")
    monkeypatch.setattr(records, "top_words", lambda: tuple(known))
    monkeypatch.setattr(ledger, "chapters", lambda: (words.chapter(),))
    *_, last = parity()
    assert [row.claim.key for row in last.result.rows if row.state == "differs"] == ["words twice/862"]


def test_what_needs_the_units_is_measured_only_with_them(monkeypatch, mini):
    claim = Claim("topic/key", "what", 3, "counted", needs="RN50x4")
    chapter = Chapter((claim,), measure=lambda model: iter([("topic/key", 3)]))
    monkeypatch.setattr(ledger, "chapters", lambda: (chapter,))
    states = {}
    for name, trusted in (("not", False), ("yes", True)):
        monkeypatch.setattr(ledger, "has_units", lambda model, trusted=trusted: trusted and model is not None)
        *_, last = parity(mini)
        states[name] = last.result.rows[0].state
    assert states == {"not": "not run", "yes": "agrees"} and not has_units(mini)
    assert last.result.provenance.model == "mini"


def test_a_ledger_is_small_and_comes_back(recounted, tmp_path):
    path = recounted.save(tmp_path / "ledger.json")
    assert path.stat().st_size < 40_000
    back = Ledger.load(path)
    assert back.compare(recounted) == () and back.counts == recounted.counts
    told = json.loads(path.read_text())
    told["found"]["text/families"] = 117
    path.write_text(json.dumps(told))
    ((own, theirs),) = recounted.compare(Ledger.load(path))
    assert (own.state, theirs.state, theirs.found) == ("agrees", "differs", 117)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda told: told.update(ledger=0), "a ledger of version 0"),
        (lambda told: told["found"].update({"no/such": 1}), "with other entries"),
        (lambda told: told.clear(), "is not a ledger"),
        (lambda told: told.update(found=7), "is not a ledger"),
        (lambda told: told["found"].update({"text/words": "many"}), "tells 'many' of 'text/words'"),
        (lambda told: told["found"].update({"text/words": [1]}), r"tells \[1\] of 'text/words'"),
    ],
)
def test_a_ledger_of_another_version_is_refused(recounted, tmp_path, change, sentence):
    path = recounted.save(tmp_path / "ledger.json")
    told = json.loads(path.read_text())
    change(told)
    path.write_text(json.dumps(told))
    with pytest.raises(cb.ClipbenchError, match=sentence):
        Ledger.load(path)


def test_the_figure_splits_each_topic_by_state(recounted):
    figure = cb.figures.ledger(recounted)
    topics = list(recounted.topics)
    sums = [sum(bar.x[place] for bar in figure.data) for place in range(len(topics))]
    assert sums == pytest.approx([1] * len(topics))
    skipped = next(bar for bar in figure.data if bar.name == "not run")
    assert skipped.text[topics.index("words")] == "2,560"


def test_every_claim_is_found_in_its_chapter():
    assert all(claim in chapter.claims for chapter, claim in claims())


def test_the_command_tells_saves_and_compares(recounted, tmp_path, capsys):
    from clipbench.cli import main

    run = partial(_run, main, capsys)
    path = tmp_path / "mine.json"
    status, out, err = run("parity", "--save", path)
    assert (status, err) == (0, "") and f"{len(recounted.rows)} published entries" in out
    status, out, _ = run("parity", "--compare", path)
    assert status == 0 and f"0 of {len(recounted.rows)} entries differ" in out
    status, out, _ = run("parity", "--topic", "people")
    assert status == 0 and "Mike Pence" in out and "not run" in out
    status, _, err = run("parity", "--topic", "peple")
    assert status == 2 and "unknown topic 'peple'; did you mean 'people'" in err
    told = json.loads(run("parity", "--json")[1])
    assert told["counts"] == recounted.counts and len(told["rows"]) == len(recounted.rows)


def _run(main, capsys, *arguments) -> tuple[int, str, str]:
    status = main([str(argument) for argument in arguments])
    return status, *capsys.readouterr()
