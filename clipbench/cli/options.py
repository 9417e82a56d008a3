"""What the commands' options have in common, and the numbers that they take."""

import argparse
import math

_LARGEST = 2**53  # whole numbers beyond it do not survive JSON


def add_common(parser: argparse.ArgumentParser, model: str | None = "mini") -> None:
    """Give a command --model, --device and --json."""
    parser.add_argument(
        "--model", default=model, metavar="NAME", help="as `clipbench models` names it (default: mini)"
    )
    parser.add_argument("--device", metavar="NAME", help="cpu, cuda, mps … (default: the best there is)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def whole(text: str) -> int:
    """A whole number, for argparse."""
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if abs(number) > _LARGEST:
        raise argparse.ArgumentTypeError(f"{text} is too large a number")
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
