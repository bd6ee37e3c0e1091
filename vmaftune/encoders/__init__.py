"""Encoders: one declarative table of what each understands, and the arguments made from it."""
