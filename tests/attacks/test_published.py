"""The article's records, recounted: nothing here needs a model's weights but the table at the end."""

import json

import numpy as np
import pytest

import clipbench as cb
from clipbench.attacks import NINE, NineTable, nine, published
from clipbench.attacks.cells import rate_of
from clipbench.intervals import Rate
from clipbench.stimuli import cover, overlay
from clipbench.tables import read_table

RECORD = published.RECORDS / "small_attacks.json"


def test_the_nine_rows_are_those_of_the_record():
    rates, results = published.attack_rates(RECORD), json.loads(RECORD.read_text())["linear_probes"]
    assert {row.text: row.success for row in NINE} == {text: own["changed to"] for text, own in rates.items()}
    told = {text: own for texts in results["results"].values() for text, own in texts.items()}
    covers = {text: own["avg_img_l0_norm_diff"] for text, own in told.items()}
    assert {row.text: row.cover for row in NINE} == pytest.approx(covers, abs=1e-8)
    assert {row.text: row.original for row in NINE} == {
        text: target for target, texts in results["results"].items() for text in texts
    }
    assert published.CLEAN.share == results["baseline_accuracy"]
    assert [row.success.hits for row in NINE] == sorted((row.success.hits for row in NINE), reverse=True)


def test_the_published_outcomes_sum_to_all_photos():
    rates = published.attack_rates(RECORD)
    assert rates["meow"] == {
        "changed to": Rate(465, 1000),
        "already equal": Rate(2, 1000),
        "changed away": Rate(2, 1000),
        "neither": Rate(531, 1000),
    }
    assert all(sum(rate.hits for rate in own.values()) == 1000 for own in rates.values())


def test_a_record_that_does_not_add_up_is_told(tmp_path):
    document = json.loads(RECORD.read_text())
    document["linear_probes"]["results"]["pizza"]["pizza"]["fraction_changed_to"] = 0.9
    (tmp_path / "x.json").write_text(json.dumps(document))
    with pytest.raises(cb.ClipbenchError, match="'pizza' in .* do not sum to 1000"):
        published.attack_rates(tmp_path / "x.json")
    with pytest.raises(cb.ClipbenchError, match="no record"):
        published.attack_rates(tmp_path / "y.json")


@pytest.mark.parametrize("row", NINE, ids=lambda row: row.text)
def test_our_renderer_covers_what_the_article_s_did(row):
    """On photos of its size, within 0.2 percentage points of the mean over its thousand."""
    photos = [one.image.resize((288, 288)) for one in cb.samples()[::9]]
    shares = [cover(photo, overlay(photo, row.text)) for photo in photos]
    assert np.mean(shares) == pytest.approx(row.cover, abs=0.002)


def test_every_target_is_a_class_that_open_clip_knows():
    from open_clip import IMAGENET_CLASSNAMES

    assert {row.target for row in NINE} <= set(IMAGENET_CLASSNAMES)


def test_in_the_wild_the_word_wins_zero_shot_and_never_by_the_probe():
    cards = published.wild_record(published.RECORDS / "in_the_wild_2.json")
    assert len(cards) == 7 * 6
    assert published.mislabelled(cards, "zero_shot") == Rate(25, 34)
    assert published.mislabelled(cards, "probe") == Rate(0, 34)
    by_name = {(card.item, card.label): card for card in cards}
    assert by_name["apple", "ipod"].winner("zero_shot") == "iPod"
    assert by_name["apple", "ipod"].winner("probe") == "Granny Smith"


def test_the_table_has_a_column_for_each_classifier_and_no_number_without_data(bright, plain, monkeypatch):
    monkeypatch.setattr(type(bright), "labels", ("iPod", "pizza", "trash can"))  # dark, grey, bright
    columns = {"one": bright, "two": bright}
    steps = list(nine(columns, [plain(0), plain(120), plain(250)]))
    assert steps[-1].done == steps[-1].total == 6
    rows = {row.published.text: row for row in steps[-1].rows}
    assert tuple(rows) == tuple(row.text for row in NINE)
    assert rows["library"].results == {"one": None, "two": None}
    for text, target in (("iPod", "iPod"), ("pizza", "pizza"), ("trash", "trash can")):
        alone = cb.attack(bright, [plain(0), plain(120), plain(250)], target=target, text=text)
        for result in rows[text].results.values():
            assert result.outcomes == alone.outcomes and result.provenance == alone.provenance
    told = json.loads(json.dumps([row.as_dict() for row in steps[-1].rows]))
    assert told[0]["published"]["success"]["share"] == 0.954 and told[5]["columns"]["one"] is None
    figure = cb.figures.nine(steps[-1].rows)
    assert [bar.name for bar in figure.data] == ["published", "one", "two"]
    assert figure.data[0].x == tuple(row.success.share for row in NINE)
    assert figure.data[1].text[5] == "no data" and figure.data[0].text[0] == "95\xa0%"
    with pytest.raises(cb.ClipbenchError, match="there is no classifier"):
        next(nine({}, [plain(0)]))


@pytest.mark.parametrize("ending", NineTable.endings)
def test_the_table_is_saved_with_what_was_published(bright, plain, monkeypatch, tmp_path, ending):
    monkeypatch.setattr(type(bright), "labels", ("iPod", "pizza", "trash can"))
    images = [plain(0), plain(120), plain(250)]
    *_, last = nine({"one": bright}, images)
    file = NineTable(last.rows).save(tmp_path / f"nine{ending}")
    if ending == ".json":
        about = json.loads(file.read_text())
        rows = about["rows"]
    else:
        about, rows = read_table(file)
    published = [row for row in rows if row["column"] == "published"]
    assert [rate_of("success", row) for row in published] == [row.success for row in NINE]
    assert [float(row["success_share"]) for row in published] == [row.success.share for row in NINE]
    own = {row["text"]: row for row in rows if row["column"] == "one"}
    assert set(own) == {"iPod", "pizza", "trash"}  # a text without data has no row
    for text, target in (("iPod", "iPod"), ("pizza", "pizza"), ("trash", "trash can")):
        alone = cb.attack(bright, images, target=target, text=text)
        assert rate_of("success", own[text]) == Rate(alone.success.hits, 3)
        assert float(own[text]["cover"]) == pytest.approx(alone.mean_cover)
    assert about["columns"]["one"]["weights_hash"] == alone.provenance.weights_hash
