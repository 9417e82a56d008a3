"""A wider network that holds ImageNet's whole: what it knew is kept, what it learns has room of its own.

Channels of every layer are [old | new], old ones being EfficientNet-Lite0's, and what old channels make of
old ones is never changed. Up to a sixteenth of the picture's size, where letters are told apart, old ones
read nothing else, and new ones read all. A block there that Lite0 does not have writes new channels alone,
and uses half of its hidden ones: depth is worth more to reading than width. After that, where words and
things are made of what was told apart, old channels learn to read new ones, too, so that what was read
reaches the units that photos drive.
"""

from collections.abc import Iterator

import timm
import torch
from timm.layers import create_conv2d
from timm.models.efficientnet import EfficientNet
from torch import Tensor, nn
from torch.linalg import vecdot
from torch.nn.functional import conv2d, normalize, pad, relu6

from clipbench.models.folding import fold_batch_norms
from clipbench.pretrain.space import SEMANTIC_WEIGHT, SPELLING, Space

WIDE = "tf_efficientnet_lite3"
MEAN = STD = 0.5  # of the picture's values in [0, 1], as the ImageNet weights expect
_CENTRED = 0.5  # share of photos' mean that the first map to the joint space removes
_FIRST = (1, 2)  # stage and block where new channels begin: the first block of the wide network's own
_COARSE = (
    5  # the first stage at a thirty-second of the picture's size, from which on old channels read new ones
)
_SMALL = 64  # pixels of a map


class Block(nn.Module):
    """An inverted residual block's new channels, beside the old block, if there is one.

    Args:
        old: folded and frozen; None where the narrow network has no such block.
        read: channels that come in, old and new.
        hidden: channels between, of the new part alone.
        written: new channels that go out.
        like: the wide network's block, of which kernel and stride are taken.
        adds: whether new channels are added to those that came in.
    """

    def __init__(
        self, old: nn.Module | None, read: int, hidden: int, written: int, like: nn.Module, adds: bool
    ):
        super().__init__()
        self.old, self._adds = old, adds
        kernel, stride = like.conv_dw.kernel_size[0], like.conv_dw.stride[0]
        self.expand = nn.Conv2d(read, hidden, 1)
        self.spread = create_conv2d(
            hidden, hidden, kernel, stride=stride, padding="same", depthwise=True, bias=True
        )
        self.project = nn.Conv2d(hidden + (old.conv_dw.out_channels if old else 0), written, 1)

    def forward(self, old: Tensor, new: Tensor | None) -> tuple[Tensor, Tensor]:
        """Old and new channels from old and new channels."""
        read = old if new is None else torch.cat([old, new], 1)
        hidden = relu6(spread(self.spread, relu6(self.expand(read))))
        if self.old is not None:
            with torch.no_grad():
                between = self.old.bn2(self.old.conv_dw(self.old.bn1(self.old.conv_pw(old))))
                out = self.old.conv_pwl(between)
                old = out + old if self.old.has_skip else out
            hidden = torch.cat([between, hidden], 1)
        written = self.project(hidden)
        return old, written + new if self._adds and new is not None else written


class GrownTower(nn.Module):
    """The image tower in training.

    Args:
        narrow: EfficientNet-Lite0, folded, without a classifier.
        width: of the joint space.
    """

    def __init__(self, narrow: EfficientNet, width: int):
        super().__init__()
        wide = _folded_wide().requires_grad_(True)
        self.narrow = narrow.requires_grad_(False)
        self.fine = nn.ModuleList(_grown(narrow, wide))
        self.coarse = nn.ModuleList(block for stage in wide.blocks[_COARSE:] for block in stage)
        self.head = wide.conv_head
        self.proj = nn.Linear(wide.num_features, width, bias=False)
        self._start()

    def early(self, pictures: Tensor) -> Tensor:
        """What comes before any new channel, from pictures, (n, 3, h, w) bytes."""
        with torch.no_grad():
            scaled = pictures.float().div(255).sub(MEAN).div(STD)
            x = self.narrow.bn1(self.narrow.conv_stem(scaled.contiguous(memory_format=torch.channels_last)))
            return self.narrow.blocks[: _FIRST[0] + 1](x)

    def late(self, early: Tensor) -> tuple[Tensor, Tensor]:
        """Old and new channels at a sixteenth of the picture's size."""
        old, new = early, None
        for block in self.fine:
            old, new = block(old, new)
        return old, new

    def seen(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """What `late` returns, from pictures, (n, 3, h, w) bytes."""
        return self.late(self.early(pictures))

    def units(self, old: Tensor, new: Tensor) -> Tensor:
        """The units of the last layer before their ReLU6, (n, 1280, h, w), from what `late` returned."""
        x = torch.cat([old, new], 1)
        for block in self.coarse:
            hidden = relu6(spread(block.conv_dw, relu6(block.conv_pw(x))))
            x = block.conv_pwl(hidden) + x if block.has_skip else block.conv_pwl(hidden)
        return self.head(x)

    def old(self, pictures: Tensor) -> Tensor:
        """Old channels at a sixteenth of the pictures' size."""
        with torch.no_grad():
            return self.narrow.blocks[_FIRST[0] + 1 : _COARSE](self.early(pictures))

    def untouched(self, old: Tensor) -> Tensor:
        """What the narrow network's units are, from old channels at a sixteenth."""
        with torch.no_grad():
            return self.narrow.conv_head(self.narrow.blocks[_COARSE:](old))

    def embed(self, units: Tensor) -> Tensor:
        """(n, width) of unit length."""
        return normalize(self.proj(relu6(units).mean((2, 3))), dim=1)

    @torch.no_grad()
    def _start(self) -> None:
        """The coarse part as the narrow network has it: nothing new reaches an old channel yet."""
        *blocks, last = self.coarse
        *theirs, their_last = (block for stage in self.narrow.blocks[_COARSE:] for block in stage)
        for block in blocks[
            len(theirs) :
        ]:  # blocks that the narrow network does not have pass on what they get
            block.conv_pwl.weight.zero_()
        pairs = [(self.head, self.narrow.conv_head)] + [
            (getattr(block, name), getattr(old, name))
            for block, old in [*zip(blocks, theirs, strict=False), (last, their_last)]
            for name in ("conv_pw", "conv_dw", "conv_pwl")
        ]
        for wide, narrow in pairs:
            out, into = narrow.weight.shape[:2]
            _put(wide, narrow)
            wide.weight[:out, into:] = 0
            _keep(wide, narrow)


def _keep(wide: nn.Conv2d, narrow: nn.Conv2d) -> None:
    """Let what `_put` wrote into a wide convolution have no slope."""
    out, into = narrow.weight.shape[:2]
    learnt = torch.ones_like(wide.weight), torch.ones_like(wide.bias)
    learnt[0][:out, :into] = 0
    learnt[1][:out] = 0
    for parameter, mask in zip((wide.weight, wide.bias), learnt, strict=True):
        parameter.register_hook(lambda slope, mask=mask: slope * mask.to(slope.device))


def _put(wide: nn.Conv2d, narrow: nn.Conv2d, first: int = 0) -> None:
    """Weights of a narrow convolution into a wide one, for what goes out from the channel `first` on."""
    out, into = narrow.weight.shape[:2]
    wide.weight[first : first + out, :into] = narrow.weight
    wide.bias[first : first + out] = narrow.bias


def _folded_wide() -> EfficientNet:
    wide = timm.create_model(WIDE, num_classes=0).eval()
    fold_batch_norms(wide)
    return wide


def _grown(narrow: EfficientNet, wide: EfficientNet) -> Iterator[Block]:
    new_in, old_in = 0, narrow.blocks[_FIRST[0]][-1].conv_pwl.out_channels
    for s in range(_FIRST[0], _COARSE):
        for b, like in enumerate(wide.blocks[s]):
            if (s, b) < _FIRST:
                continue
            old = narrow.blocks[s][b] if b < len(narrow.blocks[s]) else None
            old_out = narrow.blocks[s][-1].conv_pwl.out_channels
            new_out = like.conv_pwl.out_channels - old_out
            all_hidden = like.conv_pw.out_channels
            hidden = all_hidden - old.conv_pw.out_channels if old else all_hidden // 2
            yield Block(old, old_in + new_in, hidden, new_out, like, like.has_skip)
            old_in, new_in = old_out, new_out


@torch.no_grad()
def dense(tower: GrownTower) -> EfficientNet:
    """The trunk as the wide network, folded: what `GrownTower` computes in parts, in one."""
    trunk = _folded_wide()
    for parameter in trunk.parameters():
        parameter.zero_()
    _put(trunk.conv_stem, tower.narrow.conv_stem)
    for stage, theirs in zip(trunk.blocks[:_COARSE], tower.narrow.blocks[:_COARSE], strict=True):
        for block, old in zip(stage, theirs, strict=False):
            for name, module in old.named_children():
                if isinstance(module, nn.Conv2d):
                    _put(block.get_submodule(name), module)
    new_blocks = [block for s in range(_FIRST[0], _COARSE) for block in trunk.blocks[s]][_FIRST[1] :]
    for block, grown in zip(new_blocks, tower.fine, strict=True):
        hidden = grown.old.conv_pw.out_channels if grown.old else 0
        written = block.conv_pwl.out_channels - grown.project.out_channels
        _put(block.conv_pw, grown.expand, first=hidden)
        _put(block.conv_dw, grown.spread, first=hidden)
        _put(block.conv_pwl, grown.project, first=written)
    trained = [block for stage in trunk.blocks[_COARSE:] for block in stage]
    for block, own in zip(trained, tower.coarse, strict=True):
        block.load_state_dict(own.state_dict())
    trunk.conv_head.load_state_dict(tower.head.state_dict())
    return trunk


@torch.no_grad()
def start_new(tower: GrownTower, pictures: Tensor) -> None:
    """Set every new convolution so that its channels have mean 0 and variance 1 over some pictures.

    A network without norms does not learn from any other start.
    """
    old, new = tower.early(pictures), None
    for block in tower.fine:
        read = old if new is None else torch.cat([old, new], 1)
        for conv in (block.expand, block.spread):
            read = relu6(_evened(conv, read))
        if block.old is not None:
            between = block.old.bn2(block.old.conv_dw(block.old.bn1(block.old.conv_pw(old))))
            read = torch.cat([between, read], 1)
        _evened(block.project, read)
        old, new = block(old, new)


def _evened(conv: nn.Conv2d, read: Tensor) -> Tensor:
    nn.init.kaiming_normal_(conv.weight)
    nn.init.zeros_(conv.bias)
    out = conv(read)
    mean, spread = out.mean((0, 2, 3)), out.std((0, 2, 3)) + 1e-3
    conv.weight.div_(spread[:, None, None, None])
    conv.bias.copy_(-mean / spread)
    return conv(read)


def spread(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """A depthwise convolution, with a backward pass that does not crawl where maps are small."""
    if conv.stride[0] == 1 and x.shape[2] * x.shape[3] <= _SMALL:
        return _ByTaps.apply(x, conv.weight, conv.bias)
    return conv(x)


class _ByTaps(torch.autograd.Function):
    """A depthwise convolution of stride 1 whose weights' slopes are taken tap by tap.

    oneDNN's own takes two to four times as long where pictures are many and maps are of few pixels.
    """

    @staticmethod
    def forward(context, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        context.save_for_backward(x, weight)
        return conv2d(x, weight, bias, padding="same", groups=len(weight))

    @staticmethod
    def backward(context, slope: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, weight = context.saved_tensors
        channels, size, (high, wide) = len(weight), weight.shape[2], x.shape[2:]
        padded = pad(x, (size // 2,) * 4).permute(0, 2, 3, 1)
        by_channel = slope.permute(0, 2, 3, 1).reshape(-1, channels)
        of_weight = [
            vecdot(padded[:, y : y + high, x : x + wide].reshape(-1, channels), by_channel, dim=0)
            for y in range(size)
            for x in range(size)
        ]
        return (
            conv2d(slope, weight.flip(2, 3), padding="same", groups=channels),
            torch.stack(of_weight, 1).view_as(weight),
            by_channel.sum(0),
        )


def aimed(space: Space, units: Tensor) -> Tensor:
    """The linear map (384, 1280) from photos' averaged units to the joint space, before any training.

    Args:
        space: tells which directions of the units are which directions of the space.
        units: (n, 1280) averages over photos after their ReLU6; they set the length of each part, and half
            of their mean is removed: all of it would help blurred photos and cost sharp ones.
    """
    mean, gram = units.mean(0), units.T @ units / len(units)
    stiff = 1e-3 * gram.diagonal().mean() * torch.eye(len(gram))
    constant = torch.linalg.solve(gram + stiff, mean)  # units @ constant is about 1
    centred = torch.eye(len(gram)) - _CENTRED * torch.outer(constant, mean)
    parts = [
        weight * matrix / (units @ centred @ matrix.T).norm(dim=1).mean()
        for weight, matrix in ((1.0, space.directions), (SEMANTIC_WEIGHT, space.semantic_map))
    ]
    meaning = space.kept.T @ torch.cat(parts) @ centred.T
    return torch.cat([meaning, meaning.norm(dim=1).mean() * _quiet(gram, SPELLING)])


def _quiet(gram: Tensor, number: int) -> Tensor:
    """Random directions (number, d), of unit length, among those along which photos are shortest.

    Spelling is read off there: were it read off nowhere at first, no slope would tell the units of it.
    """
    directions = torch.linalg.eigh(gram).eigenvectors[:, : len(gram) // 2]
    mixed = torch.randn(number, directions.shape[1], generator=torch.Generator().manual_seed(0))
    return normalize(mixed @ directions.T, dim=1)
