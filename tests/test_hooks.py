"""Reading and editing, checked by hand on a network small enough to compute on paper."""

import copy
import gc
import threading
import weakref

import pytest
import torch
from torch import nn

from clipbench.errors import ClipbenchError
from clipbench.hooks import Tap, Tokens, editing, reading, select
from clipbench.units import Unit


class Tiny(nn.Module):
    """Two 1 × 1 convolutions with an in-place ReLU between and an in-place residual sum behind."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 2, 1)
        self.relu = nn.ReLU(inplace=True)
        self.second = nn.Conv2d(2, 2, 1, bias=False)
        with torch.no_grad():
            self.first.weight.copy_(torch.tensor([1.0, -1.0]).view(2, 1, 1, 1))
            self.first.bias.copy_(torch.tensor([0.0, 1.0]))
            self.second.weight.copy_(torch.tensor([[1.0, 2.0], [0.0, 3.0]]).view(2, 2, 1, 1))

    def forward(self, x):
        hidden = self.relu(self.first(x))
        out = self.second(hidden)
        out += hidden
        return out


@pytest.fixture
def net():
    return Tiny()


@pytest.fixture
def picture():
    return torch.tensor([[[[2.0, -3.0]]]])  # hidden before ReLU: (2, -3) and (-1, 4)


def hooks_of(net):
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in net.modules())


def test_reads_before_and_after_an_in_place_relu(net, picture):
    taps = {
        "before": Tap(net.relu, "input"),
        "after": Tap(net.relu, "output"),
        "second": Tap(net.second, "output"),
    }
    with reading(taps) as acts:
        out = net(picture)
    assert acts["before"].flatten().tolist() == [2, -3, -1, 4]
    assert acts["after"].flatten().tolist() == [2, 0, 0, 4]
    assert acts["second"].flatten().tolist() == [2, 8, 0, 12], "the in-place sum overwrote what was read"
    assert out.flatten().tolist() == [4, 8, 0, 16]


def test_the_gradient_flows_through_what_is_read(net, picture):
    picture.requires_grad_()
    with reading({"before": Tap(net.relu, "input")}, stop=True) as acts:
        net(picture)
    acts["before"].square().sum().backward()  # x² + (1 − x)², so 2x − 2(1 − x) = 4x − 2
    torch.testing.assert_close(picture.grad, 4 * picture.detach() - 2)


@pytest.mark.parametrize("tokens", [None, Tokens(prefix=1, grid=(1, 2))])
def test_the_gradient_flows_back_to_what_is_read(tokens):
    """Also where a read is another view of what flows: tokens, and vectors as maps without extent."""
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 1, bias=False))
    with reading({"hidden": Tap(net[0], tokens=tokens)}) as acts:
        out = net(torch.randn(2, 3) if tokens is None else torch.randn(2, 3, 3))
    (gradient,) = torch.autograd.grad(out.sum(), acts["hidden"])
    torch.testing.assert_close(gradient, net[1].weight.detach().view(1, 3, 1, 1).expand_as(acts["hidden"]))


def test_stop_ends_the_forward_pass_at_the_deepest_tap(net, picture):
    ran = []
    net.second.register_forward_hook(lambda *_: ran.append("second"))
    with reading({"after": Tap(net.relu)}, stop=True) as acts:
        net(picture)
    assert "after" in acts and not ran
    with reading({"after": Tap(net.relu)}) as acts:
        net(picture)
    assert ran == ["second"]


def test_nested_reads_each_get_their_own(net, picture):
    with reading({"outer": Tap(net.second)}) as outer:
        with reading({"inner": Tap(net.relu)}, stop=True) as inner:
            net(picture)
        assert "outer" not in outer, "the inner read stopped the pass before the outer's layer"
        net(picture)
    assert set(outer) == {"outer"} and set(inner) == {"inner"}


def test_ablation_equals_zeroed_weights(net, picture):
    before = net(picture)
    with editing(Tap(net.first), lambda value: torch.where(select([Unit("first", 1)], value), 0.0, value)):
        hooked = net(picture)
    twin = copy.deepcopy(net)
    with torch.no_grad():
        twin.first.weight[1], twin.first.bias[1] = 0, 0
    torch.testing.assert_close(hooked, twin(picture))
    assert not torch.equal(hooked, before)
    assert torch.equal(net(picture), before), "it left something behind"


def test_reads_see_edits_and_the_outermost_edit_has_the_last_word(net, picture):
    tap = Tap(net.relu, "input")
    with reading({"x": tap}) as acts, editing(tap, lambda v: v * 0 + 5), editing(tap, lambda v: v * 2):
        net(picture)
    assert acts["x"].unique().tolist() == [5]
    with editing(tap, lambda v: v * 2), editing(tap, lambda v: v * 0 + 5), reading({"x": tap}) as acts:
        net(picture)
    assert acts["x"].unique().tolist() == [10]


def test_one_position_alone_is_selected():
    mask = select([Unit("a", 1, (0, 1)), Unit("a", 0)], torch.zeros(3, 2, 2, 2))
    assert mask[0].tolist() == [[[True, True], [True, True]], [[False, True], [False, False]]]
    with pytest.raises(ClipbenchError, match="rows go from 0 to 1"):
        select([Unit("a", 1, (2, 0))], torch.zeros(1, 2, 2, 2))


def test_everything_is_gone_after_an_exception(net, picture):
    with pytest.raises(KeyError), reading({"x": Tap(net.relu)}), editing(Tap(net.first), lambda v: v + 1):
        net(picture)
        raise KeyError
    assert hooks_of(net) == 0


def test_a_change_that_fails_leaves_the_net_usable(net, picture):
    with pytest.raises(RuntimeError), editing(Tap(net.first), lambda v: v.view(7)):
        net(picture)
    assert hooks_of(net) == 0
    net(picture)


def test_an_edit_in_one_thread_is_not_seen_by_another(net, picture):
    expected = net(picture)
    opened, checked = threading.Event(), threading.Event()
    edited = []

    def edit():
        with editing(Tap(net.first), lambda value: value * 0):
            opened.set()
            checked.wait(10)
            edited.append(net(picture))

    thread = threading.Thread(target=edit)
    thread.start()
    opened.wait(10)
    with reading({"hidden": Tap(net.relu, "input")}) as acts:
        others = net(picture)
    checked.set()
    thread.join()
    assert torch.equal(others, expected) and acts["hidden"].abs().sum() > 0
    assert edited[0].abs().sum() == 0


def test_a_pass_that_ends_early_leaves_nothing_to_the_garbage_collector(net, picture):
    """Else each step's activations stay until it comes round."""
    gc.collect()
    gc.disable()
    try:
        with reading({"hidden": Tap(net.relu, "input")}, stop=True) as acts:
            net(picture)
        read = weakref.ref(acts["hidden"])
        del acts
        assert read() is None
    finally:
        gc.enable()


def test_tokens_become_a_map_and_go_back():
    tokens = torch.arange(2 * 7 * 3.0).view(2, 7, 3)  # one class token, 2 × 3 patches, 3 channels
    layout = Tokens(prefix=1, grid=(2, 3))
    grid = layout.to_map(tokens)
    assert grid.shape == (2, 3, 2, 3)
    for row in range(2):
        for column in range(3):
            assert torch.equal(grid[:, :, row, column], tokens[:, 1 + row * 3 + column])
    assert torch.equal(layout.to_flow(grid, tokens), tokens)
