"""Names of units: read from a table of labels, and found from the unit's side as a search finds the unit."""

import pytest

import clipbench as cb
from clipbench.report import Desk, named, read_labels
from clipbench.report.overview import overview
from clipbench.studies import Label, Labels, search_units
from clipbench.sweeps import Store

NAMES = ("cat", "dog", "horse", "coffee", "castle", "apple", "hammer", "goldfish", "butterfly", "pyramid")


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_labels_are_read_as_they_were_written(tiny, tmp_path, ending):
    told = cb.Provenance(tiny.name, tiny.weights_hash, "named")
    cat = Label("a:0", "cat", "cat", 2, 0.9, 0.001, 0, 0.5, 0.1, 0.2)
    none = Label("a:1", "dog", None, 1, 0.5, 0.4, 7, 0.0, 0.0, 0.0)
    path = Labels((cat, none), ("photos", "weights"), told).save(tmp_path / f"labels{ending}")
    found = read_labels(path, tiny)
    assert (found["a:0"].label, found["a:0"].auc, found["a:0"].votes) == ("cat", 0.9, 2)
    assert found["a:0"].as_dict()["name"] == "cat" and "90%" in found["a:0"].as_dict()["told"]
    assert found["a:1"].label is None and found["a:1"].as_dict()["name"] == ""


def test_labels_of_other_weights_and_other_files_are_refused(tiny, tmp_path):
    told = cb.Provenance("other", "ba9876543210", "named")
    label = Label("a:0", "cat", "cat", 2, 0.9, 0.001, 0, 0.5, 0.1, 0.2)
    path = Labels((label,), ("photos",), told).save(tmp_path / "labels.csv")
    with pytest.raises(cb.ClipbenchError, match="labels of weights ba987654"):
        read_labels(path, tiny)
    (tmp_path / "other.csv").write_text("no table")
    with pytest.raises(cb.ClipbenchError, match="no table of labels"):
        read_labels(tmp_path / "other.csv", tiny)


def test_a_name_leads_to_the_unit_from_either_side(mini, tmp_path, monkeypatch):
    monkeypatch.setattr(named, "imagenet_labels", lambda: NAMES)
    layer = mini.last_layer
    list(cb.sweep(mini, [sample.path for sample in cb.samples()[::3]], [layer], store=tmp_path / "store"))
    store = Store.open(tmp_path / "store", mini)
    unit = cb.Unit(layer, int(overview(layer, store).ordered("spread")[0]))
    *_, part = named.search(Desk(mini, unit, store, tmp_path))
    first = part.content["rows"][0]
    units = mini.layer(layer).channels
    matches = search_units(mini, first["name"], store, layer, others=NAMES, top=units).matches
    weights, photos, writing = next(match.ranks for match in matches if match.unit == str(unit))
    assert first["places"] == [photos, weights, writing]
    assert part.content["units"] == units and len(part.content["rows"]) == 8


def test_a_network_without_words_of_its_own_has_no_such_section(tiny, tmp_path):
    list(cb.sweep(tiny, [sample.path for sample in cb.samples()[:3]], ["layer1"], store=tmp_path / "store"))
    desk = Desk(tiny, cb.Unit("layer1", 0), Store.open(tmp_path / "store", tiny), tmp_path)
    *_, part = named.search(desk)
    assert part.content == {} and part.pictures == {}
