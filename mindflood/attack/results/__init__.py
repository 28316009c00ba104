"""What an attack leaves: records, card, and the log."""
