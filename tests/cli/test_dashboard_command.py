"""`clipbench dashboard`: a real server on a free port of this machine."""

import asyncio
import http.cookiejar
import json
import queue
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from urllib.request import HTTPCookieProcessor, build_opener, urlopen

import pytest

from clipbench.stimuli import MAX_UPLOAD_BYTES

PROGRAM = [sys.executable, "-c", "import sys; from clipbench.cli import main; sys.exit(main())"]


@pytest.fixture
def dashboard():
    """The running command and the document it printed once the port was open."""
    command = [*PROGRAM, "dashboard", "--no-browser", "--port", "0", "--json"]
    # A shell's background job ignores Ctrl-C and so would its children; handled here, it is default there.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline()]
        while lines[-1] not in ("}\n", ""):
            lines.append(process.stdout.readline())
        yield process, json.loads("".join(lines))
        process.kill()


@pytest.fixture
def session():
    return build_opener(HTTPCookieProcessor(http.cookiejar.CookieJar()))


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_gone(pid: int, patience: float = 10) -> bool:
    deadline = time.monotonic() + patience
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc for the kernels")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_page_is_there_for_its_owner_alone_and_ends_with_its_kernels(dashboard, session, ending):
    process, document = dashboard
    address = urlsplit(document["address"])
    assert address.hostname == "127.0.0.1" and Path(document["notebook"]).name == "dashboard.ipynb"
    with urlopen(f"http://{address.netloc}/") as stranger:
        assert urlsplit(stranger.url).path == "/login" and b"ipywidgets" not in stranger.read()
    with session.open(document["address"]) as page:  # ends when the notebook has run
        assert (page.status, urlsplit(page.url).path, urlsplit(page.url).query) == (200, "/", "")
        assert b"application/vnd.jupyter.widget-view+json" in page.read()
    (kernel,) = children(process.pid)
    process.send_signal(ending)
    assert process.wait(20) == 0
    assert process.stderr.read() == ""
    assert is_gone(kernel)
    with pytest.raises(ConnectionRefusedError), socket.create_connection((address.hostname, address.port)):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/net/tcp")
def test_only_this_machine_can_reach_it(dashboard):
    _, document = dashboard
    port = f"{urlsplit(document['address']).port:04X}"
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = [one[1] for one in sockets if one[1].endswith(f":{port}") and one[3] == "0A"]
    assert listening == [f"0100007F:{port}"]  # 127.0.0.1


def test_a_port_in_use_gets_one_sentence(run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, out, err = run("dashboard", "--no-browser", "--port", port)
    assert (status, out) == (2, "")
    assert err.startswith(f"clipbench: port {port} cannot be used (") and err.count("\n") == 1


def test_without_voila_there_is_one_sentence(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "voila.app", None)
    status, out, err = run("dashboard", "--no-browser", "--port", "0")
    assert (status, out) == (2, "") and err.count("\n") == 1
    assert "the dashboard needs Voilà" in err and 'run "pip install voila"' in err


class Stub:
    """In Voilà's place: keeps what it was told, and ends as soon as the first callback has run."""

    def __init__(self, config):
        Stub.config = config

    def initialize(self, argv):
        assert argv == []

    def start(self):
        asyncio.get_event_loop().call_soon(asyncio.get_event_loop().stop)
        asyncio.get_event_loop().run_forever()


def test_the_browser_gets_the_address_and_the_wishes(monkeypatch, run):
    opened = queue.Queue()
    monkeypatch.setattr("webbrowser.open", opened.put)
    monkeypatch.setattr("voila.app.Voila", Stub)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    status, out, _ = run("dashboard", "--port", "0", "--model", "mini/random", "--device", "cpu", "--json")
    asyncio.set_event_loop(None)
    loop.close()
    address = opened.get(timeout=10)
    assert status == 0 and address == json.loads(out)["address"]
    query = parse_qs(urlsplit(address).query)
    assert query == {"token": [Stub.config.Voila.token], "next": ["/?model=mini%2Frandom&device=cpu"]}
    assert Stub.config.Voila.tornado_settings["websocket_max_message_size"] > MAX_UPLOAD_BYTES
