"""Predictors: they give the curve of a source with its uncertainty."""
