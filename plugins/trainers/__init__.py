"""Trainers: they learn to make better models from captures."""
