"""The papers' analyses of a trained model: noise, the ball around a sample,
other data, and texts that fooled other models."""
