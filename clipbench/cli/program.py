"""The program: its commands, and the border where an expected error becomes one sentence."""

import argparse
import errno
import os
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

from clipbench.cli import (
    arithmetic,
    atlas,
    attack,
    attack_search,
    circuit,
    classify,
    conditional,
    dashboard,
    dossier,
    emotions,
    facets,
    maximal_text,
    medians,
    models,
    multimodal,
    output,
    parity,
    pretrain,
    regions,
    search,
    side_by_side,
    stroop,
    sweep,
    trust,
    visualize,
    words,
)
from clipbench.errors import ClipbenchError

BAD_INPUT = 2
FULL = (errno.ENOSPC, errno.EDQUOT)  # a disk, or what one may have of it
INTERRUPTED = 130  # what shells give a program that Ctrl-C ended


class Parser(argparse.ArgumentParser):
    """Arguments that cannot be parsed are bad input like any other: one sentence, no usage."""

    def error(self, message: str) -> NoReturn:
        """See `argparse.ArgumentParser.error`."""
        raise ClipbenchError(f"{message}; see {self.prog} --help")


def parser() -> Parser:
    """The parser of the whole command line; what it returns has `run`, the command's function."""
    program = Parser(prog="clipbench", description="Look into CLIP's neurons and fool it with a label.")
    commands = program.add_subparsers(title="commands", required=True)
    for module in (
        dashboard,
        models,
        classify,
        visualize,
        trust,
        multimodal,
        words,
        sweep,
        search,
        circuit,
        dossier,
        atlas,
        attack,
        attack_search,
        stroop,
        regions,
        emotions,
        facets,
        conditional,
        medians,
        maximal_text,
        arithmetic,
        side_by_side,
        parity,
        pretrain,
    ):
        module.add(commands)
    return program


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: what follows the program's name; None takes it from the command line.

    Returns:
        The exit status: 0 good, 2 bad input or a full disk, with a sentence on stderr. With
        CLIPBENCH_DEBUG=1 in the environment the traceback of bad input stands before the sentence.
    """
    try:
        options = parser().parse_args(arguments)
        status = options.run(options)
        sys.stdout.flush()  # here, so that a reader who has gone is met in this try
        return status
    except ClipbenchError as error:
        if os.environ.get("CLIPBENCH_DEBUG") == "1":
            traceback.print_exc()
        output.warn(str(error))
        return BAD_INPUT
    except KeyboardInterrupt:
        output.warn("stopped")
        return INTERRUPTED
    except BrokenPipeError:  # as in `clipbench models --all | head -1`
        output.drop()
        return 0
    except OSError as error:
        if error.errno not in FULL:
            raise
        output.drop()
        output.warn(
            f"{error.filename or 'the output'} cannot be written ({error.strerror}); make room for it"
        )
        return BAD_INPUT
