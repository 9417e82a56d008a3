"""The panel "Persons" and a unit of feelings without a browser, for a network of random weights."""

import time
from datetime import UTC, datetime
from io import BytesIO

import numpy as np
import pytest
import traitlets
from PIL import Image
from traitlets.utils.bunch import Bunch

from clipbench.optvis import shipped_facets
from clipbench.optvis.facet_rows import STRENGTH
from clipbench.results import Provenance
from clipbench.streams import Progress
from clipbench.studies.feeling_rows import FeelingRows
from clipbench.studies.label_medians import label_medians, labelled_files
from clipbench.studies.picture_rows import Row
from widgets.feeling_unit import FeelingUnit
from widgets.medians import Medians
from widgets.persons import Persons
from widgets.unit_facets import UnitFacets
from widgets.unit_field import UnitField


class Bench(traitlets.HasTraits):
    model = traitlets.Any(None, allow_none=True)
    unit = traitlets.Unicode("")

    def loaded(self):
        return self.model


@pytest.fixture
def bench(tiny) -> Bench:
    return Bench(model=tiny)


def wait(seen) -> None:
    deadline = time.monotonic() + 300
    while not seen():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def uploaded(name: str, shade: int) -> Bunch:
    """A file as the browser hands it over."""
    file = BytesIO()
    Image.new("RGB", (64, 64), (shade, 9, 9)).save(file, "PNG")
    content, now = file.getvalue(), datetime.now(UTC)
    told = {"name": name, "type": "image/png", "size": len(content), "last_modified": now}
    return Bunch(**told, content=memoryview(content))


def test_the_unit_follows_the_page_and_a_wrong_one_is_told(bench):
    field = UnitField(Bench())
    assert field.meaning is None and not field.wrong  # there is no model yet
    field = UnitField(bench)
    assert field.line.value == "layer4:0"
    bench.unit = "layer3:7"
    assert str(field.meaning) == "layer3:7"
    field.line.value = "layer4:9999"
    assert field.wrong and "no channel 9999" in field.children[1].value


def test_medians_of_a_folder_are_those_of_the_study(bench, tiny, tmp_path):
    for label in ("dark", "bright"):
        (tmp_path / label).mkdir()
        for shade in (10, 30):
            page = Image.new("RGB", (64, 64), (shade + 200 * (label == "bright"), 9, 9))
            page.save(tmp_path / label / f"{shade}.png")
    panel = Medians(bench, UnitField(bench))
    panel._folder.line.value = str(tmp_path)
    *_, last = panel._work()()
    panel._take(last)
    *_, alone = label_medians(tiny, labelled_files(tmp_path), "layer4:0")
    assert panel._place.children[0].data[0].x == pytest.approx(alone.result.medians)
    assert all(
        f'download="medians{ending}"' in panel._files.value for ending in (".json", ".csv", ".parquet")
    )
    assert f"clipbench medians {tmp_path} layer4:0 --model tiny" in panel._caption.value
    bench.model = None
    assert panel._place.children == () and panel._files.value == panel._caption.value == ""


def test_uploads_of_two_labels_need_no_folder(bench):
    panel = Medians(bench, UnitField(bench))
    for label, shades in (("夜", (10, 30)), ("day", (200,))):
        panel._uploads._label.value = label
        panel._uploads._upload.value = tuple(uploaded(f"{shade}.png", shade) for shade in shades)
        panel._uploads._add.click()
        wait(lambda label=label: label in panel._uploads._own)
    *_, last = panel._work()()
    panel._take(last)
    assert set(last.result.labels) == {"夜", "day"} and last.result.counts.sum() == 3
    assert "clipbench medians" not in panel._caption.value  # no command knows the uploads
    panel._uploads._take_away(0)
    assert [label for _, label in panel._uploads.pictures] == ["day"]


def test_what_medians_cannot_begin_with_is_told(bench, tmp_path):
    panel = Medians(bench, UnitField(bench))
    panel._folder.line.value = str(tmp_path / "nowhere")
    assert "there is no folder" in panel._folder.children[1].value and panel._work() is None
    panel._folder.line.value = ""
    with pytest.raises(ValueError, match="two labels with readable pictures at least, and there are 0"):
        next(panel._work()())
    panel._uploads._add.click()
    assert "the photos have no label" in panel._uploads._message.value
    panel._uploads._label.value = "<b>"
    panel._uploads._add.click()
    assert "no photo of &#x27;&lt;b&gt;&#x27; yet" in panel._uploads._message.value
    broken = Bunch({**uploaded("x.png", 1), "content": memoryview(b"no picture"), "size": 10})
    panel._uploads._upload.value = (broken,)
    panel._uploads._add.click()
    wait(lambda: "x.png" in panel._uploads._message.value)
    assert panel._uploads.pictures == []


def test_a_model_without_facets_says_so_and_a_wrong_folder_of_them_too(bench, mini, tmp_path):
    panel = UnitFacets(bench, UnitField(bench), ("face", "pose"))
    with pytest.raises(ValueError, match="there is no facet for tiny"):
        next(panel._work()())
    panel._folder.line.value = str(tmp_path)
    assert "there is no facet (.npz)" in panel._folder.children[1].value and panel._work() is None


def test_the_row_stands_there_with_its_command_when_it_is_painted(mini):
    bench, (first, second, *_) = Bench(model=mini), shipped_facets(mini)
    panel = UnitFacets(bench, UnitField(bench, "conv_head:550"), (second, first, "pose of nobody"))
    steps = panel._work()()
    panel._take(next(steps))
    assert panel._frame.sent == 1 and panel._frame.layout.display is None
    named = f"--facet {second} --facet {first}"
    assert panel._command == f"clipbench facets conv_head:550 {named} --strength {STRENGTH:g} --model mini"


def test_persons_open_with_the_published_bars(bench):
    panel = Persons(bench)
    medians = next(child for child in panel.children if isinstance(child, Medians))
    (beside,) = medians.children
    chart = beside.children[0].children[1].children[0]
    assert len(chart.data[0].x) == 11 and max(chart.data[0].x) == pytest.approx(33.01, abs=0.005)


def test_rows_of_a_unit_of_another_layer_are_not_shown_as_its_own(bench):
    rng, pages = np.random.default_rng(0), (Image.new("RGB", (8, 8)),) * 6
    row = Row("faces", tuple("abcdef"), pages, rng.normal(size=(6, 512)))
    told = Provenance("tiny", "0123456789ab", "made up", n=18)
    found = FeelingRows("layer4", row, row, row, (("a",),) * 6, told)
    panel = FeelingUnit(bench)
    panel._take(Progress(18, 18, found))
    assert len(panel._rows.children[0].layout.images) == 15
    assert "clipbench emotions --unit layer4:0 --model tiny" in panel._caption.value
    panel.choose("layer3:1")
    assert panel._rows.children == () and panel._caption.value == ""
    panel.choose("layer4:1")
    assert "unit 1 answers most to" in panel._standing.value
