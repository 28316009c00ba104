"""The doctor's questions: each is answered in bounded time, no framework is imported here."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from importlib import metadata
from pathlib import Path
from typing import Any

TOO_SLOW = "did not answer in time; the machine is busy, try again"
_SECONDS = 22.0
_HUB_SECONDS = 2.0
# Where mindflood runs from a checkout that is not installed, there is no metadata to read.
_NEEDED = [
    "mindspore>=2.7,<2.8; python_version < '3.12'",
    "mindnlp>=0.5.1,<0.6; python_version < '3.12'",
    "mindspore>=2.10,<2.11; python_version >= '3.12'",
    "numpy<2",
    "pandas<3",
    "textattack>=0.3.11,<0.4",
    "torch==2.13.0",
    "transformers>=4.57,<5",
]
MENDS = {
    "counter-fitted word vectors": "reach textattack.s3.amazonaws.com once, or set TA_CACHE_DIR",
    "Universal Sentence Encoder": "pip install tensorflow tensorflow_hub, and reach tfhub.dev",
    "NLTK stop words": "python -m nltk.downloader stopwords",
    "NLTK part-of-speech tagger": (
        "python -m nltk.downloader averaged_perceptron_tagger_eng universal_tagset"
    ),
}
MINDSPORE = """
import json, mindspore as ms
found = [name for name in ("Ascend", "GPU", "CPU") if ms.hal.is_available(name)]
assert float(ms.ops.add(ms.Tensor(1.0), ms.Tensor(1.0))) == 2.0
print(json.dumps({"devices": found}))
"""
TORCH = """
import json, torch
cuda = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
print(json.dumps({"devices": [torch.cuda.get_device_name(number) for number in cuda]}))
"""
RESOURCES = """
import json
from mindflood.attack.resources.downloads import PIECES
from mindflood.attack.resources.shipped import NAMES, damage
answers = [[piece.name, piece.missing(), piece.offline_instead] for piece in PIECES.values()]
why = next(filter(None, map(damage, NAMES)), None)
print(json.dumps({"words": why, "downloads": answers}))
"""


def ask(script: str, *, offline: bool = False, seconds: float = _SECONDS) -> dict[str, Any] | str:
    """The JSON object that ``script`` prints last, run in a process of its own; else why not."""
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join(
        [str(Path(__file__).resolve().parents[1]), os.environ.get("PYTHONPATH", "")]
    ).rstrip(os.pathsep)
    if offline:  # nothing is fetched while looking
        environment["HF_HUB_OFFLINE"] = "1"
    try:
        done = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        return TOO_SLOW
    except OSError as error:
        return f"cannot start Python: {error}"
    for line in reversed(done.stdout.splitlines()):
        with contextlib.suppress(json.JSONDecodeError):
            answer = json.loads(line)
            if isinstance(answer, dict):
                return answer
    return (done.stderr.strip().splitlines() or [f"ended with status {done.returncode}"])[-1][:200]


def requirements() -> dict[str, str]:
    """Package → version range that mindflood needs on this Python.

    As installed or, in a checkout, as known.
    """
    from packaging.requirements import Requirement

    try:
        lines = metadata.requires("mindflood") or []
    except metadata.PackageNotFoundError:
        lines = _NEEDED
    needed = map(Requirement, lines)
    return {
        package.name: str(package.specifier)
        for package in needed
        if package.marker is None or package.marker.evaluate({"extra": ""})
    }


def fits(version: str, needed: str) -> bool:
    """Whether ``version`` lies in the range ``needed`` (as in ``>=2.7,<2.8``)."""
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(needed).contains(version, prereleases=True)


def memory() -> tuple[int, int]:
    """Free and whole memory in bytes; a container's own limit counts."""
    page = os.sysconf("SC_PAGE_SIZE")
    total, free = page * os.sysconf("SC_PHYS_PAGES"), page * os.sysconf("SC_AVPHYS_PAGES")
    with contextlib.suppress(OSError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                free = 1024 * int(line.split()[1])
    with contextlib.suppress(OSError, ValueError):  # "max" where there is no limit
        group = Path("/sys/fs/cgroup")
        limit = int((group / "memory.max").read_text())
        used = int((group / "memory.current").read_text())
        total, free = min(total, limit), min(free, limit - used)
    return free, total


def hub_state() -> str:
    """``reachable``, or why the Hugging Face hub is not."""
    from mindflood.data.hub import switched_off_by

    if variable := switched_off_by():
        return f"switched off by {variable}"
    address = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    outcome = [f"no answer from {address} in {_HUB_SECONDS:g} seconds"]

    def knock() -> None:
        try:
            request = urllib.request.Request(address, method="HEAD")
            with urllib.request.urlopen(request, timeout=_HUB_SECONDS):
                outcome[0] = "reachable"
        except urllib.error.HTTPError:
            outcome[0] = "reachable"  # a refusal is an answer
        except (OSError, ValueError) as error:
            outcome[0] = f"{address} not reachable: {error}"

    thread = threading.Thread(target=knock, daemon=True)  # looking up a name has no time limit
    thread.start()
    thread.join(_HUB_SECONDS)
    return outcome[0]


def cached_on_hub() -> list[str]:
    """Models and data sets in the local cache of the Hugging Face hub, at most eight."""
    from huggingface_hub import CacheNotFound, scan_cache_dir

    try:
        found = scan_cache_dir().repos
    except (CacheNotFound, ValueError):  # no folder, or a file of its name
        return []
    kinds = ("model", "dataset")
    kept = sorted((kinds.index(r.repo_type), r.repo_id) for r in found if r.repo_type in kinds)
    return [name for _, name in kept[:8]]


def tasks_in(folder: Path) -> list[str]:
    """The known tasks that have a folder of their name in ``folder``."""
    from mindflood.data.tasks import TASKS

    return [name for name in TASKS if (folder / name).is_dir()]
