"""What tells one supported encoder from another: a row a ``model_type`` of Hugging Face.

All of them are the transformer of Devlin et al. 2019 (BERT) but for what their row says: RoBERTa
(Liu et al. 2019), MPNet (Song et al. 2020), DistilBERT (Sanh et al. 2019), ELECTRA (Clark et al.
2020).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mindflood.kinds import Kind

_SELF = (".self_attention.", ".self.")  # `self` cannot be an attribute of a cell


@dataclass(frozen=True)
class Architecture:
    """One encoder.

    Attributes:
        family: how the names of Hugging Face's classes begin.
        segments: whether the two texts of a pair have embeddings of their own.
        counted_positions: whether positions count the tokens that are not padding, from behind the
            padding index on.
        relative_bias: whether a learned number a head and distance is added to all layers' scores.
        pooling_head: whether the head of a classifier drops out of the first state, and then pools
            it itself; the others pool in the encoder.
        pooling: the activation of the pooled state.
        drops_attention: whether there is dropout behind the attention's output, beside that behind
            the feed-forward block's.
        embedding_size: whether words may have fewer coordinates than states.
        renamed: from the names of our cells to those of Hugging Face's state dict, in this order.
        keys: fields of :class:`mindflood.models.config.BertConfig` that ``config.json`` calls
            otherwise; None: it has no such key, and the default holds.
        defaults: of fields, where they are not those of BERT.
        fixed: keys whose value must be this one, and what to do where it is not.
        head_rates: by kind of head, the key of its dropout's rate and the default, where it is not
            that of the classifier of texts.
    """

    family: str
    segments: bool = False
    counted_positions: bool = False
    relative_bias: bool = False
    pooling_head: bool = False
    pooling: str = "tanh"
    drops_attention: bool = True
    embedding_size: bool = False
    renamed: tuple[tuple[str, str], ...] = (_SELF,)
    keys: Mapping[str, str | None] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    fixed: Mapping[str, tuple[Any, str]] = field(default_factory=dict)
    head_rates: Mapping[Kind, tuple[str, float]] = field(default_factory=dict)


_ABSOLUTE = {"position_embedding_type": ("absolute", "choose a model with absolute positions")}
_ENCODERS_ONLY = {"is_decoder": (False, "choose a model that looks both ways")}
_HEAD = "choose a model whose head of choices is as ELECTRA has it"
_POOLED_CHOICES = {
    "summary_type": ("first", _HEAD),
    "summary_use_proj": (True, _HEAD),
    "summary_activation": ("gelu", _HEAD),
    "summary_first_dropout": (0.0, _HEAD),
}

ARCHITECTURES: Mapping[str, Architecture] = {
    "bert": Architecture("Bert", segments=True, fixed=_ABSOLUTE | _ENCODERS_ONLY),
    "roberta": Architecture(
        "Roberta",
        counted_positions=True,
        pooling_head=True,
        defaults={"vocab_size": 50265, "pad_token_id": 1},
        fixed=_ABSOLUTE | _ENCODERS_ONLY,
    ),
    "mpnet": Architecture(
        "MPNet",
        counted_positions=True,
        relative_bias=True,
        pooling_head=True,
        renamed=(
            (".attention.self_attention.query.", ".attention.attn.q."),
            (".attention.self_attention.key.", ".attention.attn.k."),
            (".attention.self_attention.value.", ".attention.attn.v."),
            (".attention.output.dense.", ".attention.attn.o."),
            (".attention.output.LayerNorm.", ".attention.LayerNorm."),
        ),
        keys={"classifier_dropout": None, "type_vocab_size": None},
        defaults={"vocab_size": 30527, "pad_token_id": 1},
        fixed={
            "relative_attention_num_buckets": (32, "Hugging Face's MPNet computes 32 at all times"),
            "pad_token_id": (1, "Hugging Face's MPNet counts positions from 1 at all times"),
        },
    ),
    "distilbert": Architecture(
        "DistilBert",
        pooling="relu",
        drops_attention=False,
        renamed=(
            (".encoder.layer.", ".transformer.layer."),
            (".attention.self_attention.query.", ".attention.q_lin."),
            (".attention.self_attention.key.", ".attention.k_lin."),
            (".attention.self_attention.value.", ".attention.v_lin."),
            (".attention.output.dense.", ".attention.out_lin."),
            (".attention.output.LayerNorm.", ".sa_layer_norm."),
            (".intermediate.dense.", ".ffn.lin1."),
            (".output.dense.", ".ffn.lin2."),
            (".output.LayerNorm.", ".output_layer_norm."),
            ("distilbert.pooler.dense.", "pre_classifier."),
        ),
        keys={
            "hidden_size": "dim",
            "num_hidden_layers": "n_layers",
            "num_attention_heads": "n_heads",
            "intermediate_size": "hidden_dim",
            "hidden_act": "activation",
            "hidden_dropout_prob": "dropout",
            "attention_probs_dropout_prob": "attention_dropout",
            "classifier_dropout": "seq_classif_dropout",
            "type_vocab_size": None,
            "layer_norm_eps": None,
        },
        defaults={"num_hidden_layers": 6, "classifier_dropout": 0.2},
        fixed={"sinusoidal_pos_embds": (False, "choose a model with learned positions")},
        head_rates={"tagging": ("dropout", 0.1)},
    ),
    "electra": Architecture(
        "Electra",
        segments=True,
        pooling_head=True,
        pooling="gelu",
        embedding_size=True,
        # The pooler that it has for choices alone.
        renamed=(_SELF, ("electra.pooler.dense.", "sequence_summary.summary.")),
        defaults={
            "embedding_size": 128,
            "hidden_size": 256,
            "num_attention_heads": 4,
            "intermediate_size": 1024,
        },
        fixed=_ABSOLUTE | _ENCODERS_ONLY | _POOLED_CHOICES,
        head_rates={"choice": ("summary_last_dropout", 0.1)},
    ),
}
