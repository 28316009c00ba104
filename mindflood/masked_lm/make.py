"""From a task's text to the folder of its masked language model."""

from dataclasses import asdict
from pathlib import Path

import numpy as np

from mindflood.data.tasks import Task
from mindflood.masked_lm import export
from mindflood.masked_lm.model import load
from mindflood.masked_lm.settings import MaskedLMSettings
from mindflood.masked_lm.train import MaskedLMTrainer, Quality
from mindflood.training import context


def make(task: Task, data: str | None, settings: MaskedLMSettings, out: Path) -> Quality:
    """Train, measure, verify in PyTorch, write; ``out`` appears whole or not at all.

    Raises:
        UserError: the text cannot be read, the encoder is no BERT, the loss is no longer finite,
            PyTorch cannot load the model, or ``out`` cannot be written.
    """
    context.set_up("auto", "graph", None)
    model, encoder = load(settings.encoder, settings.seed)
    trainer = MaskedLMTrainer(model, str(encoder), task, data, settings)
    seconds = trainer.run()
    quality = trainer.quality()
    known = {
        "task": task.name,
        "encoder": settings.encoder,
        "texts": trainer.texts,
        "steps": settings.steps,
        "seconds": round(seconds, 1),
        **asdict(quality),
        "settings": asdict(settings),
    }
    # Rows of one length need no padding, which the two sides would have to agree on.
    first = trainer.held_out.batch(0, 0)
    shortest = int(first.attention_mask.sum(axis=1).min())
    ids = np.ascontiguousarray(first.input_ids[:, :shortest])
    export.write(model, encoder, out, ids, known)
    return quality
