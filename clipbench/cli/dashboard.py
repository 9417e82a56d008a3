"""`clipbench dashboard`: the dashboard notebook as a web page of this machine, served by Voilà."""

import argparse
import logging
import os
import secrets
import socket
import threading
import webbrowser
from pathlib import Path
from urllib.parse import urlencode

import clipbench
from clipbench.cli.options import add_common, whole
from clipbench.cli.output import write_json
from clipbench.errors import ClipbenchError

_HOST = "127.0.0.1"  # never a network: the page's kernel runs with all rights of its user
_PORT = 8866  # Voilà's own
_LARGEST_MESSAGE = (
    64 * 2**20
)  # bytes; an upload comes as one message, and tornado's 10 MiB drops it in silence
_IDLE = 60  # seconds until the kernel of a page that was closed ends; a page does not end its kernel itself
_LOOK = 10  # seconds between two looks for such kernels


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "dashboard",
        help="open the dashboard in a browser",
        description="Serve the dashboard to this machine alone and open it in a browser; Ctrl-C ends it.",
    )
    parser.add_argument(
        "--port", type=whole, default=_PORT, metavar="N", help=f"default: {_PORT}; 0 takes any that is free"
    )
    parser.add_argument("--no-browser", action="store_true", help="print the address only")
    add_common(parser, model=None)  # the notebook itself starts with mini
    parser.set_defaults(run=dashboard)


def dashboard(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM; all kernels end with the server."""
    try:
        from tornado.ioloop import IOLoop
        from voila.app import Voila
    except ImportError as error:
        raise ClipbenchError(f'the dashboard needs Voilà ({error}); run "pip install voila"') from error

    port, notebook = _free(options.port), _notebook()
    # A token, because Voilà takes requests under any host name: without one, other users of this machine
    # could use the dashboard, and so could a page from the web whose name resolves to 127.0.0.1. The login
    # page swaps it for a cookie, so that the address of the dashboard itself can be passed on as a link.
    token = secrets.token_hex(16)
    logging.getLogger("tornado.general").setLevel("ERROR")  # warns of jupyter_server's own ping settings
    server = Voila(config=_settings(notebook, port, token))
    server.initialize([])
    wishes = {"model": options.model, "device": options.device}
    query = urlencode({key: value for key, value in wishes.items() if value})
    login = {"token": token, "next": f"/?{query}"} if query else {"token": token}
    address = f"http://{_HOST}:{port}/login?{urlencode(login)}"
    IOLoop.current().add_callback(_announce, address, notebook, options)  # runs once the port is open
    server.start()
    return 0


def _settings(notebook: Path, port: int, token: str):
    import zmq
    from traitlets.config import Config

    voila = {
        "notebook_path": str(notebook),
        "ip": _HOST,
        "port": port,
        "port_retries": 0,
        "open_browser": False,  # Voilà would open an address without the token
        "token": token,
        "tornado_settings": {"websocket_max_message_size": _LARGEST_MESSAGE},
        "config_file_paths": [],  # else a voila.py in the current folder would be run
        "log_level": "ERROR",  # it warns that the notebook is not trusted, which matters to an editor alone
    }
    kernels = {"cull_idle_timeout": _IDLE, "cull_interval": _LOOK}
    encryption = {"transport_encryption": "auto" if zmq.has("curve") else "disabled"}
    return Config({"Voila": voila, "MappingKernelManager": kernels, "KernelManager": encryption})


def _announce(address: str, notebook: Path, options: argparse.Namespace) -> None:
    from clipbench.results import versions

    if options.json:
        write_json({"address": address, "notebook": str(notebook), "provenance": {"versions": versions()}})
    else:
        print(f"The dashboard is at {address}\nCtrl-C ends it.", flush=True)
    if not options.no_browser:  # a browser for the terminal would hold the server up
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


def _notebook() -> Path:
    """The dashboard in the package, as a wheel has it, or beside the package in a checkout."""
    package = Path(clipbench.__file__).parent
    for folder in (package, package.parent):
        path = folder / "notebooks" / "dashboard.ipynb"
        if path.is_file():
            return path
    raise ClipbenchError("dashboard.ipynb is not part of this installation; install clipbench again")


def _free(port: int) -> int:
    """The port, or one that the system chooses for 0.

    Raises:
        ClipbenchError: it is in use, not allowed, or no port.
    """
    if not 0 <= port < 2**16:
        raise ClipbenchError(f"there is no port {port}; give one from 0 to {2**16 - 1}")
    try:
        with socket.create_server((_HOST, port)) as probe:
            return probe.getsockname()[1]
    except OSError as error:
        reason = os.strerror(error.errno)
        raise ClipbenchError(
            f"port {port} cannot be used ({reason}); give another one, or 0 for any"
        ) from error
