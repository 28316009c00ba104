"""Small models for the attack's tests."""

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertForMaskedLM,
    PreTrainedTokenizerFast,
)

from mindflood.attack.resources.embedded import embedded_encoder

WORDS = ["the", "a", "film", "plot", "actor", "is", "was", "not", "very", "good", "bad", "dull"]
WORDS += ["warm", "long", "short", ",", "."]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LONGEST = 24

SHAPE = {
    "vocab_size": len(SPECIAL) + len(WORDS),
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": LONGEST,
    "initializer_range": 0.5,  # large, so that different texts get clearly different logits
    "num_labels": 3,
}


def save_tokenizer(folder, longest=LONGEST, pieces=()):
    """A WordPiece tokenizer of WORDS; ``pieces`` (such as ##ing) get the ids behind them."""
    vocabulary = {word: index for index, word in enumerate([*SPECIAL, *WORDS, *pieces])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=longest,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    ).save_pretrained(folder)


def save_classifier(folder, texts, labels):
    """The embedded encoder with a pooler and a head that know ``texts`` by heart."""
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(embedded_encoder())
    model = AutoModelForSequenceClassification.from_pretrained(
        embedded_encoder(), num_labels=int(max(labels)) + 1
    ).eval()
    with torch.no_grad():
        inputs = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        states = model.bert(**inputs).last_hidden_state[:, :1]
    optimizer = torch.optim.Adam(
        [*model.bert.pooler.parameters(), *model.classifier.parameters()], 1e-3
    )
    for _ in range(40):
        logits = model.classifier(model.bert.pooler(states))
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(logits, torch.as_tensor(labels)).backward()
        optimizer.step()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def save_masked_lm(folder):
    """The embedded encoder with a head that looks for words whose vectors are near the state's.

    Untrained, but its words are words of the text's subject.
    """
    model = BertForMaskedLM.from_pretrained(embedded_encoder())
    with torch.no_grad():
        dense = model.cls.predictions.transform.dense
        dense.weight.copy_(torch.eye(len(dense.weight)))
        dense.bias.zero_()
        model.cls.predictions.bias.zero_()
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(embedded_encoder()).save_pretrained(folder)
