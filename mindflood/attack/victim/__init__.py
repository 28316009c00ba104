"""The model under attack: its folder, its batches, its temperature."""
