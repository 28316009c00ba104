"""A masked language model of a task's own text, for the offline BERT-Attack, BAE, A2T-MLM."""
