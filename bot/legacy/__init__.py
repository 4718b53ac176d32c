"""The move from HMS-OPS, as far as files are concerned: read, translated, checked, written."""
