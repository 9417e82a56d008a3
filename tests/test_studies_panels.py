"""The panels "Studies" and "Parity" without a browser, for a model whose answers are made up."""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
import traitlets

from clipbench.parity import parity
from clipbench.results import Provenance
from clipbench.stimuli import samples
from clipbench.stimuli.emoji import flags
from clipbench.streams import Progress
from clipbench.studies import MaximalText, emotions
from clipbench.studies.conditional import stratify
from clipbench.studies.country_units import CountryUnits
from clipbench.studies.emotion_check import Raised
from clipbench.studies.feeling_units import FeelingUnits
from clipbench.studies.known_pictures import Shown, known_pictures
from clipbench.studies.picture_rows import Row
from clipbench.studies.records import region_unit
from clipbench.studies.region_pictures import RegionAnswers
from clipbench.studies.regions import country_names
from clipbench.studies.written_names import Names
from widgets import labelling, ledger
from widgets.activation import Activation
from widgets.feelings import Emotions
from widgets.kin import Families
from widgets.phrases import EXAMPLE, MaximalTexts
from widgets.world import Regions

TOLD = Provenance("mini", "0123456789ab", "made up", n=1)
PATIENCE = 300.0  # seconds; a busy machine takes long


class Bench(traitlets.HasTraits):
    model = traitlets.Any(None, allow_none=True)
    unit = traitlets.Unicode("")


def wait(seen: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not seen():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def chart(place):
    wait(lambda: place.children)
    return place.children[0]


def uploaded(content: bytes) -> dict:
    now = datetime.now(UTC)
    kind = {"name": "x.json", "type": "application/json", "size": len(content), "last_modified": now}
    return {**kind, "content": memoryview(content)}


def newest(place):
    """What the chart is to show next: without a browser it waits for one to draw the first figure."""
    return chart(place)._next


def region_answers(answers) -> RegionAnswers:
    """What units say to the countries' names, and with it made-up answers to flags and monuments."""
    rng, told = np.random.default_rng(1), replace(TOLD, seed=0)
    named, units = tuple(flag.name for flag in flags()), answers.shape[1]
    names = Names("layer", country_names(), answers, TOLD)
    flag = rng.normal(size=(len(named), units))
    countries = CountryUnits("layer", named, flag, names.only(named).answers, told)
    images = tuple(one.image for one in samples() if one.kind == "monument")
    titles = tuple(map(str, range(len(images))))
    monuments = Row("monuments", titles, images, rng.normal(size=(len(images), units)))
    return RegionAnswers(names, countries, monuments, TOLD)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_the_nearest_unit_to_a_published_one_is_chosen_and_another_one_can_be(bench):
    panel = Regions(bench)
    assert len(chart(panel._map).data) == 176
    answers = np.random.default_rng(0).normal(size=(175, 20)).astype(np.float32)
    answers[:, 7] = region_unit("RN50x4:862").countries
    panel._take(Progress(527, 527, region_answers(answers)))
    assert panel._unit.line.value == "7" and "correlate by 1.00" in panel._own_told.value
    assert "more than chance" in panel._own_told.value.replace("no more", "")
    assert "United States of America" in chart(panel._own).layout.title.text
    panel._unit.line.value = "20"
    assert "write a number from 0 to 19" in panel._unit.children[1].value
    panel._unit.line.value = "3"
    assert newest(panel._own).layout.title.text.startswith("unit 3: ")
    assert len(newest(panel._rows).layout.images) == 2 * 5 and "of 159" in panel._rows_told.value
    assert "clipbench regions layer:3 --model mini" in panel._own_caption.value
    panel._chosen.value = ()
    assert "choose at least one" in panel._message.value
    bench.model = object()
    assert panel._own.children == panel._rows.children == () and panel._unit.layout.display == "none"
    assert panel._rows_told.value == ""


def test_words_that_are_not_on_the_wheel_are_told_and_codes_of_a_model_stand_beside(bench, monkeypatch):
    panel = Emotions(bench)
    chart(panel._codes)
    panel._words.line.value = "happy, angri"
    assert "angry" in panel._words.children[1].value
    panel._words.line.value = "happy, angry"
    words = emotions.wheel_words()
    weights = np.random.default_rng(0).normal(size=(len(words), 40))
    told = [Raised("happy", 3, 0.1, 0.2), Raised("angry", 4, 0.2, 0.1)]
    monkeypatch.setattr("widgets.feelings.raised", lambda model, found: told)
    shows, answers = np.array([[True, False], [False, True]]), np.array([[2.0, 2], [1, 1]])
    units = FeelingUnits("layer", ("happy", "angry"), (3, 4), shows, answers, replace(TOLD, seed=0))
    monkeypatch.setattr("widgets.feelings.feeling_units", lambda model, found: units)
    panel._take(Progress(126, 126, emotions.Codes("layer", words, weights, {}, TOLD)))
    wait(lambda: "rose for 1 of 2 words" in panel._check.value)
    assert "For 0 of 2 words (95" in panel._check.value  # each has one face, at places 1 and 2 of 2
    wait(lambda: panel._one._unit.line.value == "layer:3")
    assert len(chart(panel._own_wheel).data[0].x) == 121
    assert chart(panel._own).layout.yaxis.ticktext[0].startswith("happy = ")


def test_an_erratum_stands_below_its_plot_and_known_labels_make_a_plot(bench):
    panel = Activation(bench)
    assert len(chart(panel._plot).data) == 9 and len(chart(panel._people).data[0].x) == 11
    panel._unit.value = 1317
    wait(lambda: "unit 1257" in panel._erratum.value)
    assert panel._people.layout.display == "none"
    n = len(known_pictures())
    answers = np.random.default_rng(0).normal(size=(n, 4)).astype(np.float32)
    answers[:, 3] = 0  # a unit that never fires
    panel._take(Shown("layer", n, n, answers, TOLD))
    for place in (panel._own, panel._where, panel._recall):
        assert {re.sub(" ·.*", "", line.name) for line in chart(place).data} == {"photo", "drawing", "word"}
    wait(lambda: panel._bench_place.children)
    panel._own_unit.line.value = "4"
    assert "write a number from 0 to 3" in panel._own_unit.children[1].value
    panel._own_unit.line.value = "3"
    wait(lambda: "answers the same to every picture" in panel._message.value)
    panel._own_unit.line.value = "1"
    wait(lambda: panel._message.value == "" and "layer:1" in panel._own_caption.value)


def test_families_name_their_units(bench):
    panel = Families(bench)
    assert "Lady Gaga" in panel._table.value and "263" in panel._table.value
    panel._family.value = "Region Neurons"
    assert "americans, american, america" in panel._table.value and panel._units.children == ()


def test_a_unit_s_text_stands_there_at_once_and_a_network_that_cannot_read_has_none(bench, mini, control):
    found = MaximalText.load(EXAMPLE)
    assert found.provenance.weights_hash == mini.weights_hash, "`make examples` is due"
    panel = MaximalTexts(bench)
    ours, others = chart(panel._chart).data
    assert len(ours.x) == 10 and len(others.x) == 3 and "place" in panel._told.children[1].value
    bench.model = mini
    panel._unit.line.value = "conv_head:99999"
    assert "no channel 99999" in panel._unit.children[1].value and panel._work() is None
    bench.model = control
    assert "no text tower" in panel._note.value and panel._worker.layout.display == "none"


def test_the_ledger_lists_finds_and_compares(bench, tmp_path):
    panel = ledger.Panel(bench, {"topic": "people"})
    wait(lambda: panel.ready)
    assert panel._list.value.count("<tr>") == 1 + 11 and "not run" in panel._list.value
    panel._topic.value, panel._find.value = "all", "barack obama"
    assert panel._list.value.count("<tr>") == 1 + 2
    *_, last = parity()
    content = last.result.save(tmp_path / "x.json").read_bytes()
    other = content.replace(b'"text/words": 2560', b'"text/words": 1')
    panel._upload.value = (uploaded(other),)
    assert "1 entries differ" in panel._told.value and "differs there" in panel._told.value
    panel._upload.value = (uploaded(b"{}"),)
    assert "&#x27;x.json&#x27; is not a ledger" in panel._message.value
    panel._upload.value = (uploaded(content.replace(b'"ledger": 1', b'"ledger": 2')),)
    assert "is a ledger of version 2" in panel._message.value


def test_keys_label_take_back_and_go_on(bench, tmp_path):
    sample = stratify(np.arange(6.0), 2, 3)
    pages = [image for image, _ in known_pictures()[:6]]
    panel = labelling.Bench(pages, sample, TOLD)
    panel._file.value, panel._rater.value = str(tmp_path / "x.json"), "anna"
    panel._begin()
    for key in ("1", "2", "9", "x", "u", "3"):
        panel._press(key)
    assert panel._labelling.given == {"anna": ("photo", "word")}
    again = labelling.Bench(pages, sample, TOLD)
    again._file.value, again._rater.value = str(tmp_path / "x.json"), "ben"
    again._begin()
    for key in "131112":
        again._press(key)
    assert "6 of 6 labelled" in again._told.value and "κ with anna: 1.00" in again._told.value
    assert {line.name for line in chart(again._plot).data} >= {"photo · 4"}


def test_another_name_in_the_line_labels_nothing_before_it_is_begun_with(tmp_path):
    """The picture on the page is anna's next one, not ben's first."""
    sample = stratify(np.arange(6.0), 2, 3)
    panel = labelling.Bench([image for image, _ in known_pictures()[:6]], sample, TOLD)
    panel._file.value, panel._rater.value = str(tmp_path / "x.json"), "anna"
    panel._begin()
    panel._press("1")
    panel._rater.value, panel._labels.value = "ben", "cat, dog"
    panel._press("2")
    assert panel._labelling.given == {"anna": ("photo", "drawing")}
    panel._open.click()
    assert "was begun with labels" in panel._message.value and panel._work.layout.display == "none"
    panel._press("1")
    assert "ben" not in (tmp_path / "x.json").read_text()


def test_what_the_labelling_bench_cannot_begin_with_is_told(tmp_path):
    panel = labelling.Bench([known_pictures()[0][0]] * 6, stratify(np.arange(6.0), 2, 3), TOLD)
    (tmp_path / "file").write_text("")
    for line, text, sentence in (
        (panel._rater, " ", "the rater has no name"),
        (panel._labels, "a,b,c,d,e,f,g,h,i,j", "there are 10 labels and 9 keys"),
        (panel._labels, "cat", "two different labels"),
        (panel._file, str(tmp_path), "is no file of labels"),
        (panel._file, str(tmp_path / "file" / "x.json"), "cannot write"),
    ):
        panel._rater.value, panel._labels.value, panel._file.value = "anna", "a, b", str(tmp_path / "x.json")
        line.value = text
        panel._open.click()
        assert sentence in panel._message.value and panel._labelling is None
    panel._file.value = str(tmp_path / "x.json")
    panel._open.click()
    assert panel._message.value == "" and "anna: 0 of 6 labelled" in panel._told.value
