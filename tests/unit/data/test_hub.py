"""Whether the hub may be asked is what the hub's own package says."""

import os
import subprocess
import sys

import pytest

from mindflood.data.hub import hub_answers, switched_off_by
from tests.conftest import ROOT

VALUES = [None, "", "0", "1", "on", "True", "YES", "no", "off", "false", "2", "maybe"]
ASK = """
import os, sys
from mindflood.data.hub import switched_off_by
first = "huggingface_hub" in sys.modules
for own in VALUES:
    for of_transformers in VALUES:
        for name, value in (("HF_HUB_OFFLINE", own), ("TRANSFORMERS_OFFLINE", of_transformers)):
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        sys.modules.pop("huggingface_hub.constants", None)
        from huggingface_hub.constants import HF_HUB_OFFLINE
        assert bool(switched_off_by()) == HF_HUB_OFFLINE, (own, of_transformers)
assert not first, "it looks at the environment once, before this project has set it"
"""


def test_every_value_means_what_the_package_of_the_hub_makes_of_it() -> None:
    script = f"VALUES = {VALUES!r}\n{ASK}"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_hub_that_is_switched_off_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("asked"))
    assert switched_off_by() == "HF_HUB_OFFLINE"
    assert not hub_answers()
