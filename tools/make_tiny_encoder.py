"""Write a small BERT with random weights and the embedded encoder's words, for quick experiments.

python tools/make_tiny_encoder.py runs/tiny-encoder
"""

import argparse
import shutil
from pathlib import Path

SIZES = {
    "vocab_size": 30522,
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 256,
    "max_position_embeddings": 64,
}
WORDS = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("folder", type=Path, help="where to write it")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    import torch
    from transformers import BertConfig, BertModel

    from mindflood.models.pretrained import resolve_encoder

    torch.manual_seed(options.seed)
    BertModel(BertConfig(**SIZES)).save_pretrained(options.folder, safe_serialization=True)
    for name in WORDS:
        shutil.copy(resolve_encoder("embedded") / name, options.folder / name)


if __name__ == "__main__":
    main()
