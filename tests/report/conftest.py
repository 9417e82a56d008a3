"""What the tests of pages share."""

import pytest
from making import made_up

from clipbench.report import Dossier


@pytest.fixture
def dossier() -> Dossier:
    return made_up()
