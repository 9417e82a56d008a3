"""Where clipbench keeps what it has fetched or computed, unless the user names another place."""

import os
from pathlib import Path


def cache_home() -> Path:
    """The folder "clipbench" in the user's cache; it need not exist."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "clipbench"
