"""The kinds of random stream: what is drawn is a function of a run's seed and of one of these.

A number is part of what a seed means: to change one is to change every run. A new kind takes the
next free number. Without a kind are the order of the rows (seed, epoch), initial weights (seed,
hash of the name) and samples of rows (seed).
"""

# Keyed (seed, step, kind, pass); a row of the global batch has its stretch of the stream.
HIDDEN_DROPOUT = 0  # which units of the token states and of the head are kept
ATTENTION_DROPOUT = 1  # which attention probabilities are
# Keyed (seed, step, kind, row of the global batch).
UNIT_NOISE = 2  # what the initial δ is made of
# Keyed (seed, kind).
VOCABULARY_TABLE = 3  # TAVAT's first V
CRITIC = 4  # the first weights of InfoBERT's critic
# Keyed (seed, step, kind, pass, row of the global batch).
RESAMPLED_TOKENS = 5  # those that InfoBERT's bottleneck compares with
SHUFFLED_ANCHORS = 6  # the order of the anchored tokens in its release

# A masked language model's training has numbers of its own. Keyed (seed, kind, batch).
MASKED_IN_TRAINING = 0  # which tokens are hidden
MASKED_HELD_OUT = 1
