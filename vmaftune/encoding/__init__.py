"""Encodes: their arguments, trial encodes with their scores, and what is tried before one."""
