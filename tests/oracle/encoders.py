"""Small random classifiers of every supported architecture, as Hugging Face builds them."""

import numpy as np
import torch
import transformers

SIZES = {
    "vocab_size": 120,
    "hidden_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 96,
    "max_position_embeddings": 40,
    "num_labels": 3,
}
KINDS = ("bert", "roberta", "mpnet", "distilbert", "electra")
PADDING = {"bert": 0, "roberta": 1, "mpnet": 1, "distilbert": 0, "electra": 0}
SEGMENTS = ("bert", "electra")
CLASSES = {
    "bert": "Bert",
    "roberta": "Roberta",
    "mpnet": "MPNet",
    "distilbert": "DistilBert",
    "electra": "Electra",
}
# What the configuration of a kind has besides, and calls otherwise.
MORE = {
    "bert": {"type_vocab_size": 2, "layer_norm_eps": 1e-12},
    "roberta": {"type_vocab_size": 1, "layer_norm_eps": 1e-12},
    "mpnet": {"layer_norm_eps": 1e-12},
    "distilbert": {"seq_classif_dropout": 0.1},
    "electra": {"type_vocab_size": 2, "layer_norm_eps": 1e-12, "embedding_size": 32},
}
NAMES_OF_DISTILBERT = {
    "hidden_size": "dim",
    "num_hidden_layers": "n_layers",
    "num_attention_heads": "n_heads",
    "intermediate_size": "hidden_dim",
    "hidden_act": "activation",
}


def torch_config(kind: str, **changes) -> transformers.PretrainedConfig:
    settings = SIZES | MORE[kind] | {"pad_token_id": PADDING[kind], "initializer_range": 0.1}
    settings |= changes
    if kind == "distilbert":
        settings = {NAMES_OF_DISTILBERT.get(name, name): v for name, v in settings.items()}
    config_type = getattr(transformers, f"{CLASSES[kind]}Config")
    return config_type(**settings)


def torch_model(kind: str, **changes) -> torch.nn.Module:
    torch.manual_seed(0)
    build = transformers.AutoModelForSequenceClassification.from_config
    # The eager attention calls the dropout function, so that a test can hand in the masks.
    return build(torch_config(kind, **changes), attn_implementation="eager").eval()


def inputs_of(model: torch.nn.Module, arrays: list[np.ndarray]) -> dict[str, torch.Tensor]:
    """Ids, mask and segments, where the architecture has some, by the names of its arguments."""
    ids, mask, segments = (torch.tensor(array).long() for array in arrays)
    given = {"input_ids": ids, "attention_mask": mask}
    if model.config.model_type in (*SEGMENTS, "roberta"):
        given["token_type_ids"] = segments
    return given


def embedded(model: torch.nn.Module, arrays: list[np.ndarray]) -> dict[str, torch.Tensor]:
    """The same for a call with word embeddings, from which padding cannot be told."""
    given = inputs_of(model, arrays)
    ids = given.pop("input_ids")
    if model.config.model_type in ("roberta", "mpnet"):
        real = (ids != 1).long()
        given["position_ids"] = torch.cumsum(real, 1) * real + 1
    return given


def torch_logits(model: torch.nn.Module, arrays: list[np.ndarray]) -> torch.Tensor:
    return model(**inputs_of(model, arrays)).logits


def torch_layers(model: torch.nn.Module) -> torch.nn.ModuleList:
    """The transformer layers, wherever the architecture keeps them."""
    base = model.base_model
    return (base.transformer if model.config.model_type == "distilbert" else base.encoder).layer


def batch(kind: str, vocabulary: int = 120, rows: int = 5, length: int = 17) -> list[np.ndarray]:
    """Rows of different lengths, padded; those of BERT and ELECTRA have two segments."""
    random = np.random.default_rng(1)
    ids = random.integers(5, vocabulary, (rows, length)).astype(np.int32)
    mask, segments = np.ones_like(ids), np.zeros_like(ids)
    for row in range(1, rows):
        end = length - 3 * row
        ids[row, end:], mask[row, end:] = PADDING[kind], 0
        if kind in SEGMENTS:
            segments[row, end // 2 : end] = 1
    return [ids, mask, segments]


def torch_masks(
    kind: str, hidden: np.ndarray, attention: np.ndarray, length: int
) -> list[np.ndarray]:
    """The masks of one pass, see ``DropoutNoise``, in the order of PyTorch's two layers."""
    a_layer = 1 if kind == "distilbert" else 2
    sites = 2 * a_layer + 1
    states = [hidden[:, i * length : (i + 1) * length] for i in range(sites)]
    pooled = [hidden[:, i] for i in range(sites * length, hidden.shape[1])]
    masks = [states[0][..., : MORE[kind].get("embedding_size")]]
    for layer in range(2):
        first = 1 + layer * a_layer
        masks += [attention[:, layer], *states[first : first + a_layer]]
    return masks + pooled
