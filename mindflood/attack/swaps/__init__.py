"""What takes a word's place, and what keeps the meaning, as TextAttack's parts."""
