"""Settings of an experiment: from YAML and the command line, checked."""
