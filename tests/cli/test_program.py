"""The program as a process of its own: streams, exit status, speed, terminal."""

import json
import os
import subprocess
import sys

import pytest

PROGRAM = [sys.executable, "-c", "import sys; from clipbench.cli import main; sys.exit(main())"]


def process(*arguments, **options):
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=120, **options
    )


def test_a_real_run_of_a_command(apple):
    done = process("classify", apple, "--labels", "apple,iPod", "--overlay", "iPod", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    labels = {row["label"] for row in json.loads(done.stdout)["images"][0]["labels"]}
    assert labels == {"apple", "iPod"}


def test_a_real_run_with_bad_input():
    done = process("layers", "--model", "minu")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "clipbench: unknown model 'minu'; did you mean 'mini'?\n"


def test_help_is_there_before_torch_is():
    code = "import sys; from clipbench.cli.program import parser; parser(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "numpy", "PIL", "voila", "tqdm"} & set(loaded.stdout.split())
    assert process("--help").stdout.startswith("usage: clipbench")


def test_a_reader_who_leaves_early_is_no_error():
    """As in `clipbench layers | head -1`; the pipe is closed before anything is written to it."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing) as out:
        done = subprocess.run(
            [*PROGRAM, "layers"], stdout=out, stderr=subprocess.PIPE, text=True, timeout=120
        )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
@pytest.mark.parametrize("arguments", [["layers"], ["layers", "--json"], ["models", "--all"]])
def test_a_table_or_a_document_on_a_full_disk_gets_one_sentence(arguments):
    """Some fail as they are printed, some when the rest of the buffer is written at the end."""
    with open("/dev/full", "w") as full:
        done = subprocess.run([*PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE, text=True)
    reason = "the output cannot be written (No space left on device)"
    assert (done.returncode, done.stderr) == (2, f"clipbench: {reason}; make room for it\n")


def test_other_errors_of_the_system_are_not_taken_for_a_full_disk(monkeypatch):
    from clipbench.cli import program

    def broken(_options):
        raise TimeoutError("no answer")

    monkeypatch.setattr("clipbench.cli.models.list_layers", broken)
    with pytest.raises(TimeoutError, match="no answer"):
        program.main(["layers"])


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_a_terminal_gets_a_progress_bar_and_a_pipe_gets_none(tmp_path):
    import pty
    import termios

    command = ["visualize", "conv_head:1", "--steps", "20", "--size", "64", "--out", str(tmp_path / "x.png")]
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    termios.tcsetwinsize(theirs, (24, 80))  # a new one has no columns, and then no room for a bar
    done = subprocess.run([*PROGRAM, *command, "--json"], stdout=subprocess.PIPE, stderr=theirs, timeout=120)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    os.close(theirs)
    assert "/21" in shown and "step" in shown
    assert json.loads(done.stdout)["values"][-1]["step"] == 20
    assert process(*command).stderr == ""


def test_every_command_takes_the_shared_options():
    from clipbench.cli.program import parser

    for words in (
        ["dashboard"],
        ["models"],
        ["layers"],
        ["classify", "x"],
        ["visualize", "a:1", "--out", "x"],
        ["attack", "x", "--target", "a", "--text", "a"],
        ["attack-search", "x", "--target", "a"],
        ["stroop"],
        ["regions", "a:1"],
        ["emotions", "happy"],
        ["facets", "a:1"],
        ["medians", "x", "a:1"],
        ["arithmetic", "--plus", "a"],
        ["side-by-side", "mini"],
        ["parity"],
    ):
        options = parser().parse_args([*words, "--model", "mini", "--device", "cpu", "--json"])
        assert (options.model, options.device, options.json) == ("mini", "cpu", True)
