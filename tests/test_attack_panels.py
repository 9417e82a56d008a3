"""The slow parts of "Fool it" and the wall, without a browser: what they measure, keep and save."""

import json
import re
import shlex
from base64 import b64decode
from dataclasses import replace

import pytest
from PIL import Image

import clipbench as cb
from clipbench.attacks import AttackResult, Case, measure, shipped_photos
from clipbench.classify import as_classifier
from clipbench.cli import main
from clipbench.results import Provenance
from clipbench.stimuli import picture_files, sample
from widgets import folder, links, probes, scene, wall


@pytest.fixture(scope="module")
def chaos():
    return cb.load("mini/random", device="cpu")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def photos(tmp_path):
    """A folder with two pictures and one that is broken."""
    (tmp_path / "photos").mkdir()
    for name in ("apple", "mug"):
        sample(name).image.save(tmp_path / "photos" / f"<b>{name}.png")
    (tmp_path / "photos" / "z.png").write_bytes(b"no picture")
    return tmp_path / "photos"


def finished(classifier, case, files, journal) -> AttackResult:
    *_, last = measure(classifier, files, [case], journal=journal)
    return last.results[0]


@pytest.mark.parametrize(
    "changes", [{}, {"x": 0.2, "y": 0.7}, {"label": "printed", "size": 30 / 288, "opacity": 0.5}]
)
def test_the_command_of_a_folder_says_all_of_it(chaos, photos, capsys, changes):
    chosen = replace(scene.example(), **changes)
    classifier = as_classifier(chaos, chosen.asked)
    case = Case("mug", chosen.text, chosen.recipe)
    result = finished(classifier, case, picture_files(photos), None)
    program, *arguments = shlex.split(folder.command(str(photos), chosen, "mug", "mini/random"))
    assert program == "clipbench" and main([*arguments, "--json", "--device", "cpu"]) == 2  # one is broken
    told = json.loads(capsys.readouterr().out)
    assert told["cover"] == pytest.approx(result.mean_cover)
    after = [row["after_share"] for row in told["images"]]
    assert after == pytest.approx(result.after_share.tolist(), abs=1e-5) and len(after) == 2


def test_a_run_has_a_journal_of_its_own_and_goes_on_with_it(chaos, photos):
    files, chosen = picture_files(photos), scene.example()
    classifier = as_classifier(chaos, chosen.asked)
    case = Case("iPod", "iPod", chosen.recipe)
    path = folder.journal(classifier, case, files)
    result = finished(classifier, case, files, path)
    assert len(path.read_text().splitlines()) == 1 + 2
    again = next(measure(classifier, files, [case], journal=path))
    assert again.done == 3 and again.results[0].outcomes == result.outcomes
    others = [
        folder.journal(as_classifier(chaos, ["iPod", "apple"]), case, files),
        folder.journal(classifier, replace(case, text="iPods"), files),
        folder.journal(classifier, replace(case, target="mug"), files),
        folder.journal(classifier, replace(case, recipe=replace(chosen.recipe, width=0.4)), files),
        folder.journal(classifier, case, files[:1]),
    ]
    assert len({path, *others}) == 6


def test_the_table_is_only_text_and_the_files_come_back(chaos, photos, tmp_path):
    files, chosen = picture_files(photos), scene.example()
    result = finished(as_classifier(chaos, chosen.asked), Case("iPod", "iPod"), files, None)
    table = folder._table(result)
    assert "&lt;b&gt;apple.png" in table and "<b>" not in table
    assert re.search(r"changed to</td><td class='cb-number'>\d", folder._rates(result))
    assert saved_and_read(result, tmp_path) == [result.as_dict()] * len(AttackResult.endings)


def saved_and_read(result, tmp_path) -> list[dict]:
    """What comes back of each file that the links of a panel save."""
    line = links.links(result, "x")
    saved = dict(re.findall(r'download="x(\.\w+)" href="[^,]*,([^"]*)"', line))
    assert set(saved) == set(result.endings)
    for ending, content in saved.items():
        (tmp_path / f"back{ending}").write_bytes(b64decode(content))
    return [type(result).load(tmp_path / f"back{ending}").as_dict() for ending in saved]


def test_the_wall_of_the_article_marks_what_its_table_counts_and_saves_it(chaos, tmp_path):
    photos = shipped_photos()
    *_, last = wall.of_the_article(chaos, photos)
    table = cb.attacks.in_the_wild(chaos, photos)
    assert [(cell.thing, cell.word) for cell in last.cells] == [(each.item, each.word) for each in photos]
    assert [cell.answer for cell in last.cells] == [row.seen for row in table.rows]
    assert sum(cell.flip for cell in last.cells) == len(table.flipped) and last.table.flips == table.flips
    assert saved_and_read(last.table, tmp_path) == [table.as_dict()] * 3


def test_the_wall_of_shipped_photos_asks_what_zero_shot_says(chaos):
    *_, last = wall.of_ours(chaos)
    labels = list(dict.fromkeys(cell.thing for cell in last.cells)) + list(wall._WORDS)
    assert len(last.cells) == last.total == 6 * 6
    for cell in last.cells[:3]:
        photo = sample("apple").image
        picture = cb.paper(photo, cell.word) if cell.word else photo
        shares = cb.zero_shot(chaos, [chaos.crop(picture)], labels)[0]
        assert cell.share == pytest.approx(float(shares.max()), abs=0.02)  # written before or after the crop
    known = {cell.thing for cell in last.cells if not cell.word and cell.known}
    assert all(cell.thing in known for cell in last.cells if cell.flip)


def test_a_figure_of_the_wall_is_only_text():
    cell = wall.Cell(b"", "<b>", 'x" onerror="', "<i>", 0.5, known=False, flip=True)
    told = wall._figure(cell)
    assert "<b>" not in told and "<i>" not in told and 'x"' not in told and "→ &lt;i&gt;" in told


def test_probes_are_found_by_the_weights_they_were_trained_on(chaos):
    assert probes.probes_of(chaos) == {} and probes.probe_of(chaos) is None
    probes.home().mkdir(parents=True)
    features = cb.embed(chaos, [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")] * 5)
    probe = cb.train_probe(chaos, features, ["red", "blue"] * 5)
    probe.save(probes.home() / "b.npz")
    other = Provenance("mini", "of other weights", "a recipe", n=1)
    replace(probe, provenance=other).save(probes.home() / "a.npz")
    assert list(probes.probes_of(chaos)) == ["b"] and probes.probe_of(chaos).labels == ("blue", "red")
