"""The tables, the notes without which they mislead, and their forms: Markdown, CSV, LaTeX."""
