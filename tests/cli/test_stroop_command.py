"""`clipbench stroop`."""

import json

import clipbench as cb
from clipbench.attacks.stroop_effect import INKS, WORDS


def test_the_document_is_the_test_and_the_table_tells_the_same(answer, run):
    expected = cb.stroop(cb.models.load("mini/random"))
    assert answer("stroop", "--model", "mini/random") == json.loads(json.dumps(expected.as_dict()))
    status, out, err = run("stroop", "--model", "mini/random")
    lines = [line.split() for line in out.splitlines()]
    assert (status, err, lines[0][3:]) == (0, "", list(WORDS))
    assert [tuple(line) for line in lines[1:9]] == [
        (ink, *row) for ink, row in zip(INKS, expected.answers, strict=True)
    ]
    assert expected.summary.replace("\xa0", " ") in out


def test_the_ink_can_be_faint(answer):
    document = answer("stroop", "--model", "mini/random", "--opacity", "0.4")
    expected = cb.stroop(cb.models.load("mini/random"), opacity=0.4)
    assert document == json.loads(json.dumps(expected.as_dict()))
    assert "opacity 0.4" in document["provenance"]["recipe"]
