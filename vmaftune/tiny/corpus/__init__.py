"""Corpora of reference and distorted videos: their names, their geometry, and what libvmaf says of every frame."""
