"""What runs the stages: whole experiments, epochs, the grid search, one training."""
