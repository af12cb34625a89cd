"""Small things that tracking code imports by name."""
