"""The figures, as SVG that stands inside the page or in a file of its own."""
