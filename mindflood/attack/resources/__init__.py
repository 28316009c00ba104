"""What the offline attacks know of words: all of it ships with the package or is computed here."""
