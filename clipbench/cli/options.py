"""What the commands' options have in common, and the numbers that they take."""

import argparse
import math

from clipbench.errors import ClipbenchError

_LARGEST = 2**53  # whole numbers beyond it do not survive JSON


def add_common(parser: argparse.ArgumentParser, model: str | None = "mini", told: str = "mini") -> None:
    """Give a command --model, whose default is `model` and told as `told`, --device and --json."""
    parser.add_argument(
        "--model", default=model, metavar="NAME", help=f"as `clipbench models` names it (default: {told})"
    )
    parser.add_argument("--device", metavar="NAME", help="cpu, cuda, mps … (default: the best there is)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def add_classifier(parser: argparse.ArgumentParser) -> None:
    """Give a command what says who answers: --labels, --template, --probe."""
    parser.add_argument(
        "--labels",
        metavar="A,B,…",
        help="what to choose from (default: ImageNet's names; of a timm/… model its own classes)",
    )
    parser.add_argument(
        "--template",
        action="append",
        metavar="TEXT",
        help='sentence with {} for the label (default: "a photo of a {}"); several are averaged',
    )
    parser.add_argument(
        "--probe",
        metavar="FILE",
        help="a linear probe in place of labels (for mini also tiny-imagenet or readout, once made)",
    )
    parser.add_argument(
        "--prefix", metavar="FILE", help="learned tokens before each label, Defense-Prefix's, as a .pt file"
    )


def classifier_of(options: argparse.Namespace):
    """The classifier that such options mean."""
    import clipbench as cb
    from clipbench.classify import TEMPLATE, as_classifier, defence_prefix

    model = cb.load(options.model, device=options.device)
    labels = None if options.labels is None else options.labels.split(",")
    template = options.template
    if template is not None and len(template) == 1:
        (template,) = template
    if options.prefix is not None:
        if options.probe is not None or isinstance(template, list):
            raise ClipbenchError("--prefix takes labels and one template at most; leave the others out")
        return defence_prefix(model, options.prefix, labels, TEMPLATE if template is None else template)
    answers = model if options.probe is None else cb.load_probe(options.probe, model)
    return as_classifier(answers, labels, template)


def whole(text: str) -> int:
    """A whole number, for argparse."""
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if abs(number) > _LARGEST:
        raise argparse.ArgumentTypeError(f"{text} is too large a number")
    return number


def positive(text: str) -> int:
    """A whole number of at least 1, for argparse."""
    number = whole(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is too few; give at least 1")
    return number


def real(text: str) -> float:
    """A finite number, for argparse."""
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{text} is not a finite number")
    return number
