""" "Multimodal units" without a browser: its address, what it measures and keeps, its example."""

import json
import shlex
from urllib.parse import parse_qsl

import numpy as np
import pytest
from PIL import Image

import clipbench as cb
from clipbench.cli import main
from clipbench.stimuli import MODALITIES
from clipbench.studies import Multimodal
from widgets.study import CONTROL, EXAMPLE, EXAMPLES, LAYER, Answer, Study, Wish


def shades(i: int, count: int, blue: int) -> list[Image.Image]:
    return [Image.new("RGB", (48, 48), (60 * i, 40 * j, blue)) for j in range(count)]


@pytest.fixture
def few(monkeypatch) -> list[cb.Concept]:
    """Four concepts of nine cheap pictures instead of the shipped ones."""
    concepts = [cb.Concept(f"c{i}", shades(i, 4, 0), shades(i, 2, 99), shades(i, 3, 200)) for i in range(4)]
    monkeypatch.setattr(cb, "concepts", lambda: list(concepts), raising=False)
    return concepts


@pytest.fixture
def study(few, control) -> Study:
    return Study(lambda: control)


def answered(study: Study, model, layer: str = LAYER) -> Answer:
    return [*study.measure(model, layer)][-1].answer


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_is_of_the_weights_that_are_shipped(name, mini, control):
    """If this fails, mini has changed: run `make examples`."""
    model = {"mini": mini, CONTROL: control}[name]
    found = Multimodal.load(EXAMPLE / EXAMPLES[name])
    assert (found.provenance.model, found.provenance.weights_hash) == (name, model.weights_hash)
    concepts = cb.concepts()
    assert found.concepts == tuple(concept.name for concept in concepts)
    assert len(found.activations) == sum(len(images) for each in concepts for images in each.modalities)
    for at, modality in [(0, 0), (20, 1), (41, 2)]:
        rows = found.activations[(found.concept == at) & (found.modality == modality)]
        fresh = model.activations(list(concepts[at].modalities[modality]), LAYER).mean(dim=(2, 3))
        np.testing.assert_allclose(rows, fresh, atol=1e-3)


def test_the_example_stands_there_at_once_and_is_known_for_its_weights(mini, control):
    study = Study(lambda: pytest.fail("the control is not needed for the example"))
    assert study.known(mini, LAYER) is study.example
    assert study.known(mini, "blocks.4") is None and study.known(control, LAYER) is None
    first, second = study.example.best
    ranked = study.example.result.ranked
    assert [first, second] == [*ranked[:2]]
    this, twin, other = study.example.columns(first, second)
    assert (this.unit, other.unit, twin.provenance.model) == (first, second, CONTROL)
    assert all(cell.ticked for column in (this, other) for cell in column.cells)


def test_a_measurement_shows_each_picture_in_turn_and_ends_with_both_networks(study, few, mini, control):
    steps = [*study.measure(mini, LAYER)]
    pictures = [image for concept in few for images in concept.modalities for image in images]
    assert len(pictures) == 36 and {step.total for step in steps} == {72}
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert steps[0].picture is pictures[31] and [step.answer for step in steps[:-1]] == [None] * (
        len(steps) - 1
    )
    last = steps[-1]
    assert last.done == 72 and last.answer is study.known(mini, LAYER)
    for found, model in ((last.answer.result, mini), (last.answer.control, control)):
        plain = cb.multimodal(model, few, LAYER)
        np.testing.assert_allclose(found.activations, plain.activations, atol=1e-5)
        assert found.provenance.model == model.name


def test_the_control_is_measured_once_and_the_model_anew(study, mini):
    answered(study, mini)
    again = [*study.measure(mini, LAYER)]
    assert again[-1].total == 36
    assert again[-1].answer.control is not None


def test_a_layer_that_the_control_lacks_is_compared_with_its_last_one(few, control):
    class Renamed:
        """The control under other names, as a network of another family has them."""

        name, weights_hash = "other", "0" * 12

        def layer(self, name):
            assert name == "layer4"

        def activations(self, images, layer, relu):
            return control.activations(images, "blocks.4", relu)

    found = answered(Study(lambda: control), Renamed(), "layer4")
    assert (found.result.layer, found.control.layer) == ("layer4", control.last_layer)


def test_the_control_stands_beside_nothing_but_itself(few, control):
    found = answered(Study(lambda: pytest.fail("it is there already")), control)
    assert found.control is None and "control" not in found.counts
    assert [column.unit for column in found.columns(3, 8)] == [3, 8]


def test_who_stops_leaves_nothing_behind(study, mini):
    stream = study.measure(mini, LAYER)
    next(stream)
    stream.close()
    assert study.known(mini, LAYER) is None


def test_a_concept_of_the_user_makes_another_study(study, few, mini):
    before = answered(study, mini)
    study.add(cb.Concept("zebra", shades(3, 1, 50), shades(2, 1, 50), shades(1, 1, 50)))
    assert study.known(mini, LAYER) is None
    found = answered(study, mini)
    assert found.result.concepts == ("c0", "c1", "c2", "c3", "zebra") == found.control.concepts
    assert found.command(0, 1) == ""  # no command knows the pictures
    with pytest.raises(cb.ClipbenchError, match="a concept 'zebra' already"):
        study.add(cb.Concept("zebra", *few[0].modalities))
    study.take_away(0)
    assert study.known(mini, LAYER) is before


def test_what_is_offered_are_the_multimodal_units_with_all_their_concepts(study, mini):
    found = answered(study, mini)
    assert [unit for _, unit in found.offers] == [*found.result.ranked]
    for told, unit in found.offers:
        owned = [concept for each, concept in found.result.pairs if each == unit]
        assert told == f"{unit} · {', '.join(owned)}"


def test_the_numbers_of_pictures_are_counted(study, mini):
    told = "4 concepts in 16 photos (4 each), 8 drawings (2 each), 12 words (3 each)."
    assert answered(study, mini).stimuli == told


def test_the_command_prints_the_numbers_of_the_table(study, few, mini, capsys):
    found = answered(study, mini)
    program, *arguments = shlex.split(found.command(7, 9))
    assert program == "clipbench" and main([*arguments, "--json", "--device", "cpu"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert len(rows) == 4  # each unit, and the control's nearest to it
    for row, column in zip(rows, found.columns(7, 9), strict=False):
        told = column.provenance
        assert (row["model"], row["unit"], row["concept"]) == (told.model, told.unit, column.concept)
        assert [row[each]["first_two"] for each in MODALITIES] == [cell.ticked for cell in column.cells]


def test_the_address_says_layer_and_both_units(study, mini):
    told = dict(parse_qsl(answered(study, mini).query(550, 7)))
    assert Wish.from_query(told) == Wish(LAYER, 550, 7)


@pytest.mark.parametrize(
    ("query", "wish"),
    [
        ({}, Wish(LAYER, None, None)),
        ({"tab": "multimodal", "unit": "", "beside": ""}, Wish(LAYER, None, None)),
        ({"unit": "layer4:244"}, Wish("layer4", 244, None)),
        ({"unit": "conv_head:550@3,4", "beside": "0"}, Wish(LAYER, 550, 0)),
    ],
)
def test_an_address_is_read(query, wish):
    assert Wish.from_query(query) == wish


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"unit": "550"}, "'550' is not an address; write conv_head:550"),
        ({"beside": "x"}, "beside cannot be 'x'; write the number of a unit"),
    ],
)
def test_an_address_that_cannot_be(query, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        Wish.from_query(query)


@pytest.mark.parametrize("text", ["1280", "-1", "", "cat", "1.5", "conv_head:5"])
def test_what_is_no_unit_is_refused(text):
    example = Study(lambda: None).example
    assert example.read(" 1279 ") == 1279
    with pytest.raises(cb.ClipbenchError, match="write a whole number from 0 to 1279"):
        example.read(text)
