"""`clipbench attack`."""

import json

import pytest

import clipbench as cb
from clipbench.attacks import AXES, AttackResult, Case, Curve, robustness
from clipbench.classify import as_classifier
from clipbench.stimuli import Recipe, Tag

ASK = ["--target", "iPod", "--text", "iPod", "--labels", "apple,iPod,mug"]


@pytest.fixture
def folder(apple):
    """Two pictures, one of them in a folder of its own, and a file that is none."""
    (apple.parent / "mugs").mkdir()
    next(one for one in cb.samples() if one.name == "mug").image.save(apple.parent / "mugs" / "mug.PNG")
    (apple.parent / "readme.txt").touch()
    return apple.parent


def settled(document: dict) -> dict:
    """With probabilities to four digits: the last ones depend on what torch computed before."""
    rows = [
        {name: round(told, 4) if isinstance(told, float) else told for name, told in row.items()}
        for row in document["images"]
    ]
    return {**document, "images": rows}


def test_the_document_is_the_result_of_attack_and_reloads_to_it(answer, mini, folder, tmp_path):
    document = answer("attack", folder, *ASK)
    files = [folder / "apple.png", folder / "mugs" / "mug.PNG"]
    expected = cb.attack(mini, files, target="iPod", text="iPod", labels=["apple", "iPod", "mug"])
    assert settled(document) == settled(json.loads(json.dumps(expected.as_dict())))
    (tmp_path / "x.json").write_text(json.dumps(document))
    assert AttackResult.load(tmp_path / "x.json").outcomes == expected.outcomes


def test_the_table_tells_the_same(run, folder):
    status, out, err = run("attack", folder, *ASK, "--model", "mini/random")
    assert (status, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert lines[0][:3] == ["outcome", "images", "share"]
    assert sum(int(line[-8]) for line in lines[1:5]) == 2  # outcome, images, x %, a % to b %
    assert "of the pixels changed, on average" in out and "n = 2" in out


@pytest.mark.parametrize(
    ("arguments", "recipe"),
    [
        ([], Recipe()),
        (["--size", "40", "--outline", "1", "--copies", "3"], Recipe(size=40.0, outline_width=1.0, copies=3)),
        (["--blur", "1.5", "--jpeg", "50", "--shrink"], Recipe(blur=1.5, jpeg=50, shrink=True)),
        (["--font", "DejaVu Serif", "--colour", "red"], Recipe(font="DejaVu Serif", colour="red")),
        (["--opacity", "0.5", "--rotation", "9"], Recipe(opacity=0.5, rotation=9.0)),
        (["--paper", "--width", "0.9", "--rotation", "9"], Tag(width=0.9, rotation=9.0)),
        (["--paper", "--place", "0.2", "0.7"], Tag(place=(0.2, 0.7))),
    ],
)
def test_every_look_reaches_the_recipe(answer, folder, arguments, recipe):
    document = answer("attack", folder / "mugs", *ASK, *arguments, "--model", "mini/random")
    assert f'"iPod" for iPod, {recipe} · ' in document["provenance"]["recipe"]


def test_files_probe_and_broken_pictures(run, answer, folder, tmp_path):
    model = cb.models.load("mini/random")
    photos = [one.image for one in cb.samples()[:10]]
    probe = cb.train_probe(model, cb.embed(model, photos), ["apple", "iPod"] * 5)
    arguments = [
        "attack",
        folder,
        *ASK[:4],
        "--model",
        "mini/random",
        "--probe",
        probe.save(tmp_path / "p.npz"),
    ]
    out, journal = tmp_path / "x.npz", tmp_path / "x.jsonl"
    document = answer(*arguments, "--out", out, "--journal", journal)
    saved = AttackResult.load(out)
    assert saved.labels == ("apple", "iPod") and json.loads(json.dumps(saved.as_dict())) == document
    assert len(journal.read_text().splitlines()) == 1 + 2
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff no")
    status, printed, err = run(*arguments, "--json")
    document = json.loads(printed)
    assert (status, document["n"], len(document["unread"])) == (2, 2, 1)
    assert "broken.jpg" in err and err.count("\n") == 1


def test_a_text_that_is_too_wide_is_told_and_does_no_harm(run, folder):
    arguments = ["attack", folder / "mugs", *ASK[:3], "w" * 40, *ASK[4:], "--model", "mini/random"]
    status, out, err = run(*arguments)
    assert status == 0 and "its end is cut off" in err and err.count("\n") == 1 and "n = 1" in out
    assert run(*arguments, "--shrink")[2] == ""


def test_a_folder_without_pictures(run, tmp_path):
    status, out, err = run("attack", tmp_path, *ASK)
    assert (status, out) == (2, "") and "there is no picture in" in err


@pytest.mark.parametrize(
    ("arguments", "axis", "values"),
    [
        (["--sweep", "size", "--values", "10,20.5"], "size", [10, 20.5]),
        (
            ["--sweep", "font", "--values", "DejaVu Sans,DejaVu Serif"],
            "font",
            ["DejaVu Sans", "DejaVu Serif"],
        ),
        (["--sweep", "place", "--values", "0.2 0.2, 0.5 0.5"], "place", ["0.2 0.2", "0.5 0.5"]),
        (["--sweep", "opacity", "--paper"], "opacity", list(AXES["opacity"].values)),
    ],
)
def test_a_sweep_is_the_curve_of_robustness(answer, folder, tmp_path, arguments, axis, values):
    out = tmp_path / "x.parquet"
    arguments = [*arguments, "--model", "mini/random", "--out", out]
    document = answer("attack", folder, *ASK, *arguments)
    files = [folder / "apple.png", folder / "mugs" / "mug.PNG"]
    model, look = cb.models.load("mini/random"), Tag() if "--paper" in arguments else Recipe()
    classifier = as_classifier(model, ["apple", "iPod", "mug"])
    *_, last = robustness(classifier, files, Case("iPod", "iPod", look), axis, values)
    assert document == json.loads(json.dumps(last.curve.as_dict()))
    assert Curve.load(out) == last.curve


def test_a_sweep_as_a_table(run, folder):
    arguments = ["--sweep", "copies", "--values", "1,8", "--model", "mini/random"]
    status, out, err = run("attack", folder, *ASK, *arguments)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split()[:3] == ["copies", "images", "success"]
    assert [line.split()[:2][1][-2:] for line in lines[1:3]] == ["/2", "/2"] and "n = 2" in lines[-1]


def test_the_help_names_every_axis(run, capsys):
    with pytest.raises(SystemExit):
        run("attack", "--help")
    told = " ".join(capsys.readouterr().out.split())
    assert f"vary one thing: {', '.join(AXES)}" in told
