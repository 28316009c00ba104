"""Which kernels one training step spends its time in, ours and PyTorch's.

python tools/profile_step.py --shape 32x64

The same network and the same two threads as tools/bench_step.py; each side runs alone in its own
process under its framework's profiler. Shares are of the kernels' time: Python, the drawing of the
dropout masks and launching are not in it.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench_step import THREADS, Shape, hugging_face, native
from records import Sheet, add_option, numbers, words

STEPS = 3
Row = tuple[str, float, float]  # kernel, calls a step, milliseconds a step


def ours(shape: Shape, encoder: str) -> list[Row]:
    """Kernels of our fine-tuning step, by MindSpore's profiler."""
    step = native(shape, None, encoder)
    step()
    import mindspore as ms

    with tempfile.TemporaryDirectory() as folder:
        profiler = ms.profiler.Profiler(output_path=folder, op_time=True)
        for _ in range(STEPS):
            step()
        profiler.analyse()
        (table,) = Path(folder).rglob("cpu_op_type_info_*.csv")
        with table.open() as lines:
            return [
                (
                    row["op_type"],
                    float(row["type_occurrences"]) / STEPS,
                    float(row["total_compute_time"]) / STEPS,
                )
                for row in csv.DictReader(lines)
            ]


def pytorch(shape: Shape, encoder: str) -> list[Row]:
    """Operators of PyTorch's eager step, by its profiler, without the time of their callees."""
    step = hugging_face(shape, encoder)
    step()
    import torch

    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiler:
        for _ in range(STEPS):
            step()
    return [
        (event.key, event.count / STEPS, event.self_cpu_time_total / 1000 / STEPS)
        for event in profiler.key_averages()
    ]


SIDES = {"ours": ours, "torch": pytorch}


def alone(script: str, side: str, options: argparse.Namespace, **asked: str) -> tuple[Any, str]:
    """What a side of ``script`` finds in a process of its own, and all that the process said.

    Args:
        asked: variables of its environment.

    Raises:
        SystemExit: it fails.
    """
    command = [sys.executable, script, "--side", side, "--encoder", options.encoder]
    command += ["--shape", f"{options.shape.rows}x{options.shape.length}"]
    settings = os.environ | {"OMP_NUM_THREADS": str(THREADS)} | asked
    done = subprocess.run(command, env=settings, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{side} could not be profiled: {done.stderr[-2000:]}")
    # MindSpore reports its own progress on standard output.
    (line,) = [line for line in done.stdout.splitlines() if line.startswith(("[[", "{"))]
    return json.loads(line), done.stdout + done.stderr


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--shape", type=Shape.read, default=Shape(32, 64), metavar="BxL")
    parser.add_argument("--encoder", default="", metavar="FOLDER", help="its network")
    parser.add_argument("--rows", type=int, default=14, help="kernels of each side")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    add_option(parser)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(SIDES[options.side](options.shape, options.encoder)), flush=True)
        return
    columns = [words("side"), words("kernel"), numbers("calls a step", 0)]
    columns += [numbers("ms a step", 1), numbers("share%", 1)]
    sheet = Sheet("profile", columns, packages=["mindspore", "torch"], threads=THREADS)
    for side in SIDES:
        rows = sorted(alone(__file__, side, options)[0], key=lambda row: -row[2])
        total = sum(milliseconds for *_, milliseconds in rows)
        sheet.add(side, "all", sum(calls for _, calls, _ in rows), total, 100.0)
        for name, calls, milliseconds in rows[: options.rows]:
            sheet.add(side, name, calls, milliseconds, 100 * milliseconds / total)
    sheet.keep(options.record)


if __name__ == "__main__":
    main()
