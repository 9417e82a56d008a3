"""Fold batch norms into the convolutions before them: the same function, fewer operations."""

from collections import OrderedDict

from open_clip.modified_resnet import ModifiedResNet
from open_clip.timm_model import TimmModel
from timm.layers import BatchNormAct2d
from timm.models.efficientnet import EfficientNet
from timm.models.resnet import ResNet
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

# In these families a batch norm that is defined right after a convolution is also applied right after it.
_ADJACENT = (ModifiedResNet, EfficientNet, ResNet)


def fold_batch_norms(tower: nn.Module) -> None:
    """Fold every batch norm of an image tower into its convolution, in place.

    Towers of families whose order of definition is not known to be the order of application are left
    as they are.

    Args:
        tower: an image tower in evaluation mode.
    """
    trunk = tower.trunk if isinstance(tower, TimmModel) else tower
    if isinstance(trunk, _ADJACENT):
        for module in list(trunk.modules()):
            _fold_children(module)


def _fold_children(module: nn.Module) -> None:
    children = list(module.named_children())
    for (conv_name, conv), (norm_name, norm) in zip(children, children[1:], strict=False):
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            setattr(module, conv_name, fuse_conv_bn_eval(conv, norm))
            setattr(module, norm_name, _without_norm(norm))


def _without_norm(norm: nn.BatchNorm2d) -> nn.Module:
    """What is left of a batch norm: nothing, or for timm's fused kind its dropout and nonlinearity."""
    if isinstance(norm, BatchNormAct2d):
        return nn.Sequential(OrderedDict(drop=norm.drop, act=norm.act))
    return nn.Identity()
