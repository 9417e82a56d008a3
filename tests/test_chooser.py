"""The menu of models shows what is loaded and loads what is chosen, and nothing by itself."""

import time

from widgets.chooser import ModelMenu
from widgets.workbench import Workbench


def settle(bench, name):
    deadline = time.monotonic() + 60
    while (bench.loading or bench.model is None or bench.model.name != name) and time.monotonic() < deadline:
        time.sleep(0.05)


def test_the_menu_keeps_the_model_that_was_asked_for_until_another_is_chosen():
    bench = Workbench("mini/random", device="cpu")
    (menu,) = [child for child in ModelMenu(bench).children if hasattr(child, "options")]
    settle(bench, "mini/random")
    time.sleep(0.3)
    assert (bench.model.name, bench.loading, menu.value) == ("mini/random", "", "mini/random")
    menu.value = "timm/tf_efficientnet_lite0"
    settle(bench, "timm/tf_efficientnet_lite0")
    assert bench.model.name == menu.value == "timm/tf_efficientnet_lite0"


def test_a_model_that_no_list_names_can_be_asked_for():
    bench = Workbench("RN50-quickgelu/random", device="cpu")
    (menu,) = [child for child in ModelMenu(bench).children if hasattr(child, "options")]
    settle(bench, "RN50-quickgelu/random")
    time.sleep(0.3)
    assert menu.value == "RN50-quickgelu/random" and "mini" in menu.options
