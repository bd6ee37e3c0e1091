"""Corpora: tables of measured curves that predictors are made from."""
