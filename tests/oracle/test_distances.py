"""The ranges of distances of MPNet's relative attention bias against Hugging Face's."""

import torch
from transformers.models.mpnet.modeling_mpnet import MPNetEncoder

from mindflood.models.distances import distance_ranges


def test_every_distance_falls_into_hugging_faces_range():
    places = torch.arange(514)
    theirs = MPNetEncoder.relative_position_bucket(places[None, :] - places[:, None])
    assert (distance_ranges(514) == theirs.numpy()).all()
    assert len(theirs.unique()) == 32 - 1, "a distance of 0 has a range for one direction alone"
