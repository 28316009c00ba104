"""A masked language model of a task's own text, for the offline BERT-Attack and BAE."""
