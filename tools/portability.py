"""What MindSpore states of every primitive of the compiled steps: a table of docs/portability.md.

python tools/portability.py            # writes it into the page; minutes
python tools/portability.py --print    # prints what was found, as JSON

Every method's step, on tiny networks, is compiled for the CPU as far as MindSpore's front end goes:
there the graph has the primitives that every device gets, before those of the CPU take their place.
Our own cells are told that they are on another device, so that they leave out what they do on the
CPU alone.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "portability.md"
BEGIN, END = "<!-- tools/portability.py -->", "<!-- end of tools/portability.py -->"
ROWS, LENGTH, CLASSES = 4, 8, 2
SIZES = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 16,
}
PLATFORMS = ("Ascend", "GPU", "CPU")
# What only the workers of msrun compile.
PARALLEL = ("AllGather", "AllReduce")
# Order, tuples and branches: the graph's own structure, for which there is no kernel.
STRUCTURE = {
    "Depend", "Load", "MakeTuple", "Partial", "Return", "Switch", "TupleGetItem", "UpdateState",
}  # fmt: skip
# Primitives whose own text states nothing: what puts them, or their forward, into a graph does.
SPOKEN_FOR = {
    "MatMulExt": "matmul",
    "Muls": "mul",
    "ReluGrad": "ReLU",
    "SoftmaxBackward": "Softmax",
}
# Stated by nobody, and explained in the page.
KNOWN_GAPS = {"TensorMove": ["Ascend", "GPU"]}
_MODULES = (
    "mindspore.ops",
    "mindspore.ops.operations",
    "mindspore.ops.auto_generate",
    "mindspore.ops.operations._grad_ops",
    "mindspore.ops.operations._inner_ops",
)
_STATED = re.compile(r"Supported Platforms:\s*\n\s*(.+)")
_REFERS = re.compile(r"Refer to :func:`mindspore\.ops\.(\w+)`")
_PRIMITIVE = re.compile(r"^\s*%\d+\([^)]*\) = (?:PrimFunc_)?([A-Za-z_]\w*)(?:\[\w+\])?\(", re.M)
_OTHER = re.compile(r"^\s*%\d+\([^)]*\) = ([^\n]{1,60})", re.M)

Case = tuple[Any, tuple[Any, ...]]  # a cell, and what it is called with


def network(kind: str = "bert", **more: Any) -> Any:
    from mindflood.models.bert import BertConfig, BertForSequenceClassification

    padding = {"roberta": 1, "mpnet": 1}.get(kind, 0)
    config = BertConfig(**SIZES, model_type=kind, pad_token_id=padding)  # type: ignore[arg-type]
    return BertForSequenceClassification(config, **more)


def tensors(*arrays: Any) -> tuple[Any, ...]:
    """Ids, mask, segments, labels, weights, and ``arrays`` behind them."""
    import numpy as np
    from mindspore import Tensor

    ids = np.full((ROWS, LENGTH), 5, np.int32)
    labels, weights = np.zeros(ROWS, np.int32), np.full(ROWS, 1 / ROWS, np.float32)
    whole = (ids, np.ones_like(ids), np.zeros_like(ids), labels, weights, *arrays)
    return tuple(map(Tensor, whole))


def optimizer_of(model: Any, critic: Any = None) -> Any:
    from mindflood.training.optimizer import AdamW, parameter_groups
    from mindflood.training.schedule import scheduled

    return AdamW(parameter_groups(model, 0.01, critic), scheduled("linear", 2e-5, 2, 10))


def flooding(kind: str = "bert", half: bool = False, parts: bool = False) -> Iterator[Case]:
    """Fine-tuning is the same graph at another level b."""
    import mindspore as ms

    from mindflood.flooding import FloodingTrainOneStepCell
    from mindflood.flooding.accumulation import AccumulatedFloodingStep
    from mindflood.flooding.update import LossScale
    from mindflood.models.dropout import DropoutNoise
    from mindflood.models.loss import MeanCrossEntropy

    model = network(kind, compute_type=ms.float16) if half else network(kind)
    step = FloodingTrainOneStepCell(
        MeanCrossEntropy(model), optimizer_of(model), 0.1,
        max_gradient_norm=1.0, loss_scale=LossScale() if half else None,
    )  # fmt: skip
    inputs = tensors(*DropoutNoise(model.config, 0).draw(0, range(ROWS), LENGTH))
    if not parts:
        yield step.set_train(), inputs
        return
    accumulated = AccumulatedFloodingStep(step)
    yield accumulated._accumulate.set_train(), (ms.Tensor(0.5, ms.float32), *inputs)
    yield accumulated._apply.set_train(), ()


def packed() -> Iterator[Case]:
    """Two texts a row."""
    import numpy as np
    from mindspore import Tensor

    from mindflood.flooding import FloodingTrainOneStepCell
    from mindflood.models.dropout import DropoutNoise
    from mindflood.models.packed_texts import PackedCrossEntropy

    model, half = network(), LENGTH // 2
    step = FloodingTrainOneStepCell(
        PackedCrossEntropy(model), optimizer_of(model), 0.1, max_gradient_norm=1.0
    )
    ids, _, segments, labels, weights = tensors()
    rows = ROWS // 2
    owners = np.tile(np.repeat(np.arange(2, dtype=np.int32), half), (rows, 1))
    positions = np.tile(np.arange(half, dtype=np.int32), (rows, 2))
    firsts = Tensor(np.arange(ROWS, dtype=np.int32) * half)
    noise = DropoutNoise(model.config, 0, packed=True).draw(0, range(rows), LENGTH)
    texts = (ids[:rows], Tensor(owners), segments[:rows], Tensor(positions), firsts)
    yield step.set_train(), (labels, weights, *texts, *map(Tensor, noise))


def rows() -> Iterator[Case]:
    """AdaFlood's is iFlood's graph with the levels as an input."""
    from mindflood.flooding import FloodingTrainOneStepCell
    from mindflood.models.dropout import DropoutNoise
    from mindflood.models.loss import RowCrossEntropy

    for rule in ("iflood", "softad"):
        model = network()
        step = FloodingTrainOneStepCell(
            RowCrossEntropy(model), optimizer_of(model), 0.1, max_gradient_norm=1.0, rows=rule
        )
        inputs = tensors(*DropoutNoise(model.config, 0).draw(0, range(ROWS), LENGTH))
        yield step.set_train(), inputs


def defence(method: str, rule: str | None = None, **settings: Any) -> Iterator[Case]:
    from mindflood.config.checks import checked
    from mindflood.config.settings import Config
    from mindflood.defences.settings import DefenceSettings
    from mindflood.training.defended_step import cell_beside, defended, rule_in

    chosen = DefenceSettings(**{"steps": 2, "radius": 0.1} | settings)
    given = Config(
        method=method, encoder="embedded", defence=chosen, flood_level=0.1, flood_rows=rule
    )
    config = checked(given, "portability")
    model = network()
    critic = cell_beside(method, model, seed=0)
    step, noise = defended(
        config, model, optimizer_of(model, critic), 0.1, critic,
        max_gradient_norm=1.0, loss_scale=None, rows=rule_in(config),
    )  # fmt: skip
    yield step.set_train(), tensors(*noise.draw(0, range(ROWS), LENGTH))


def probe() -> Iterator[Case]:
    from mindflood.flooding.accordance import AccordanceProbe, probed_parameters
    from mindflood.models.loss import MeanCrossEntropy

    model = network()
    probed = AccordanceProbe(MeanCrossEntropy(model), probed_parameters(model), CLASSES)
    yield probed._gradient.set_train(False), tensors()


def evaluation() -> Iterator[Case]:
    from mindflood.training.evaluation import Classifier

    yield Classifier(network()).set_train(False), tensors()[:3]


def masked_lm() -> Iterator[Case]:
    from mindspore import nn

    from mindflood.masked_lm.model import BertForMaskedLM, MaskedCrossEntropy

    model = BertForMaskedLM(network(), 0)
    step = nn.TrainOneStepCell(MaskedCrossEntropy(model), optimizer_of(model)).set_train()
    ids, mask, segments, labels, weights = tensors()
    yield step, (ids, mask, segments, labels, labels, weights)


LENGTHS: dict[str, Any] = {"step_size": 0.01, "magnitude": 0.02, "radius": 0.02}
CASES: dict[str, Callable[[], Iterator[Case]]] = {
    "finetune and flooding": flooding,
    "RoBERTa": lambda: flooding("roberta"),
    "MPNet": lambda: flooding("mpnet"),
    "DistilBERT": lambda: flooding("distilbert"),
    "ELECTRA": lambda: flooding("electra"),
    "packed texts": packed,
    "float16": lambda: flooding(half=True),
    "accumulation": lambda: flooding(parts=True),
    "rows": rows,
    "probe": probe,
    "evaluation": evaluation,
    "masked-lm": masked_lm,
    "pgd": lambda: defence("pgd"),
    "pgd in linf": lambda: defence("pgd", norm="linf", **LENGTHS),
    "freelb": lambda: defence("freelb"),
    "freelb release": lambda: defence("freelb", variant="release", reuse_dropout=False),
    "freelb by rows": lambda: defence("freelb", "iflood"),
    "freeat": lambda: defence("freeat"),
    "yopo": lambda: defence("yopo"),
    "yopo release": lambda: defence("yopo", variant="release"),
    "tavat": lambda: defence("tavat"),
    "tavat release": lambda: defence("tavat", variant="release"),
    "infobert": lambda: defence("infobert"),
    "infobert release": lambda: defence("infobert", variant="release"),
    "pgd-at": lambda: defence("pgd-at"),
    "pgd-at by η·g": lambda: defence("pgd-at", normalise=False, step_size=0.1),
    "lds": lambda: defence("lds"),
    "lds by η·g": lambda: defence("lds", normalise=False, step_size=0.1),
}


def found() -> dict[str, Any]:
    """In a process of its own: MindSpore reads once whether it is to write its graphs down.

    Returns:
        ``mindspore``: its version; ``cases``: case → primitive → how often; ``stated``: primitive
        → ``platforms`` (None: nothing is stated) and ``by``, whose words these are.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "MS_DEV_SAVE_GRAPHS": "1",
            "MS_DEV_SAVE_GRAPHS_PATH": folder,
            "MS_DEV_DUMP_IR_PASSES": "validate",
            "GLOG_v": "3",
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        }
        command = [sys.executable, __file__, "--graphs", folder]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(done.stderr[-4000:])
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def compile_all(graphs: Path) -> dict[str, Any]:
    import mindspore as ms

    from mindflood.training.context import set_up

    set_up("CPU", "graph", 1)
    ours = ms.get_context
    cases = {}
    for name, make in CASES.items():
        # Our cells ask for the device when they are made; MindSpore itself asks elsewhere.
        ms.get_context = lambda key: "another" if key == "device_target" else ours(key)
        made = list(make())
        ms.get_context = ours
        before, counts = set(graphs.glob("*_validate_*.ir")), Counter[str]()
        for cell, inputs in made:
            cell.compile(*inputs)
        for path in set(graphs.glob("*_validate_*.ir")) - before:
            counts += primitives_in(path.read_text(encoding="utf-8"))
            path.unlink()
        assert counts, f"{name}: MindSpore wrote no graph"
        cases[name] = dict(sorted(counts.items()))
    names = sorted({*PARALLEL, *(name for counts in cases.values() for name in counts)})
    return {
        "mindspore": ms.__version__,
        "cases": cases,
        "stated": {name: statement(name) for name in names},
    }


def primitives_in(graph: str) -> Counter[str]:
    """How often each primitive stands in a graph as MindSpore writes it (``.ir``).

    Raises:
        ValueError: a line that assigns and calls neither a primitive nor a graph.
    """
    counts = Counter(_PRIMITIVE.findall(graph))
    for name in STRUCTURE & counts.keys():
        del counts[name]
    for call in _OTHER.findall(graph):
        if not (_PRIMITIVE.match(f"%0() = {call}") or call.startswith(("call ", "@", "%"))):
            raise ValueError(f"not understood: {call}")
    counts.pop("call", None)
    return counts


def statement(primitive: str) -> dict[str, Any]:
    """MindSpore's words on a primitive.

    Its own, those that they refer to, those of what puts it into a graph, or, of a gradient, those
    of its forward operator.
    """
    own = _text(primitive)
    names = [primitive, *_REFERS.findall(own), SPOKEN_FOR.get(primitive, "")]
    names.append(primitive.removesuffix("Grad"))
    for name in filter(None, names):
        text = _text(name)
        text += "".join(map(_text, _REFERS.findall(text)))
        if stated := _STATED.search(text):
            return {"platforms": re.findall(r"``(\w+)``", stated[1]), "by": f"ops.{name}"}
    return {"platforms": None, "by": ""}


def _text(name: str) -> str:
    for module in _MODULES:
        text = getattr(getattr(importlib.import_module(module), name, None), "__doc__", None)
        if text:
            return str(text)
    return ""


def gaps(answer: dict[str, Any]) -> dict[str, list[str]]:
    """Primitive → Ascend and GPU, where MindSpore does not state it for them."""
    missing = {
        name: [p for p in PLATFORMS[:2] if p not in (said["platforms"] or ())]
        for name, said in answer["stated"].items()
    }
    return {name: platforms for name, platforms in missing.items() if platforms}


def table(answer: dict[str, Any]) -> str:
    """The page's generated part."""
    lines = [
        f"MindSpore {answer['mindspore']}, {len(answer['cases'])} cases: "
        f"{', '.join(answer['cases'])}.",
        "",
        "| primitive | Ascend | GPU | CPU | stated by | where |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, said in answer["stated"].items():
        where = [case for case, counts in answer["cases"].items() if name in counts]
        places = ", ".join(where) or "several devices"
        if len(where) == len(answer["cases"]):
            places = "all"
        elif len(where) > len(answer["cases"]) / 2:
            rest = [case for case in answer["cases"] if case not in where]
            places = f"all but {', '.join(rest)}"
        marks = ["yes" if p in (said["platforms"] or ()) else "not stated" for p in PLATFORMS]
        by = f"`{said['by']}`" if said["by"] else "nobody"
        lines.append(f"| `{name}` | {' | '.join(marks)} | {by} | {places} |")
    return "\n".join(lines)


def in_page(page: str) -> str:
    """The generated part of the page's text, as it stands there."""
    return page.partition(BEGIN)[2].partition(END)[0].strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--print", action="store_true", help="JSON, and leave the page")
    parser.add_argument("--graphs", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.graphs:
        print(json.dumps(compile_all(options.graphs)))
        return
    answer = found()
    if options.print:
        print(json.dumps(answer, indent=1))
        return
    page = PAGE.read_text(encoding="utf-8")
    head, _, rest = page.partition(BEGIN)
    tail = rest.partition(END)[2]
    PAGE.write_text(f"{head}{BEGIN}\n\n{table(answer)}\n\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
