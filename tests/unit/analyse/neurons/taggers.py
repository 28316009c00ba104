"""Small taggers and tagged sentences."""

from collections.abc import Sequence
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from mindflood.data.tasks import get_task
from tests.unit.attack_models import SHAPE, save_tokenizer

PIECES = ("##ing", "##s")


def a_tagger(folder: Path, kind: str = "bert", seed: int = 0) -> Path:
    """A tagger of random weights, 2 layers of 32 neurons, that takes 24 tokens."""
    torch.manual_seed(seed)
    names = dict(enumerate(get_task("pos").label_names))
    shape = SHAPE | {"id2label": names, "label2id": {name: at for at, name in names.items()}}
    del shape["num_labels"]
    if kind == "bert":
        shape["vocab_size"] += len(PIECES)
        config = transformers.BertConfig(**shape)
        network = transformers.BertForTokenClassification(config)
        save_tokenizer(folder, pieces=PIECES)
    else:
        shape |= {"vocab_size": 300, "max_position_embeddings": 26, "pad_token_id": 1}
        config = transformers.RobertaConfig(**shape)
        network = transformers.RobertaForTokenClassification(config)
        save_bytes_tokenizer(folder)
    network.eval().save_pretrained(folder)
    return folder


def save_bytes_tokenizer(folder: Path) -> None:
    """RoBERTa's kind of tokenizer, without merges: a byte a token."""
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: at for at, token in enumerate([*special, *letters])}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), add_prefix_space=True
    )
    transformers.RobertaTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=24, add_prefix_space=True
    ).save_pretrained(folder)


def conllu(path: Path, sentences: Sequence[Sequence[tuple[str, str]]]) -> None:
    """Write sentences of (word, Penn tag)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    blocks = [
        "".join(
            f"{at}\t{word}\t_\t_\t{tag}\t_\t_\t_\t_\t_\n" for at, (word, tag) in enumerate(some, 1)
        )
        for some in sentences
    ]
    path.write_text("\n".join(blocks) + "\n", encoding="utf-8")
