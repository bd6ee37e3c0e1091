"""Corrections: they shift a predicted curve by what this host has learned."""
