"""The classifier of a Hugging Face folder, of the architecture that its ``config.json`` names."""

from functools import partial

from mindflood.models.bert import BertForSequenceClassification
from mindflood.models.pretrained import load_pretrained

load_classifier = partial(load_pretrained, BertForSequenceClassification)
