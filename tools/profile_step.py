"""Which kernels one training step spends its time in, ours and PyTorch's.

python tools/profile_step.py --shape 32x64

The same network and the same two threads as tools/bench_step.py; each side runs alone in its own
process under its framework's profiler. Shares are of the kernels' time: Python, the drawing of the
dropout masks and launching are not in it.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench_step import THREADS, Shape, hugging_face, native

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


def table(side: str, shape: Shape, rows: list[Row], longest: int) -> str:
    """The most costly rows as Markdown."""
    total = sum(milliseconds for _, _, milliseconds in rows)
    lines = [f"{side}, {shape}: {total:.0f} ms of kernels a step", ""]
    lines += ["| kernel | calls a step | ms a step | share |", "| --- | --- | --- | --- |"]
    for name, calls, milliseconds in sorted(rows, key=lambda row: -row[2])[:longest]:
        share = milliseconds / total
        lines.append(f"| {name} | {calls:.0f} | {milliseconds:.1f} | {share:.1%} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--shape", default="32x64", metavar="BxL", help="rows x tokens of a batch")
    parser.add_argument("--encoder", default="", metavar="FOLDER", help="its network")
    parser.add_argument("--rows", type=int, default=14, help="kernels printed")
    parser.add_argument("--side", choices=["ours", "pytorch"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        shape = Shape.read(options.shape)
        rows = (ours if options.side == "ours" else pytorch)(shape, options.encoder)
        print(f"{table(options.side, shape, rows, options.rows)}\n", flush=True)
        return
    for side in ("ours", "pytorch"):
        command = [sys.executable, __file__, "--side", side]
        command += ["--shape", options.shape, "--rows", str(options.rows)]
        command += ["--encoder", options.encoder]
        settings = os.environ | {"OMP_NUM_THREADS": str(THREADS)}
        done = subprocess.run(command, env=settings, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{side} could not be profiled: {done.stderr[-2000:]}")
        # MindSpore's profiler reports its own progress on standard output.
        print(done.stdout[done.stdout.index(f"{side}, ") :])


if __name__ == "__main__":
    main()
