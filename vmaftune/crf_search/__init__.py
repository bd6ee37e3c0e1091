"""The search: the CRF grid, the curve and what is believed of it, where to probe next, when to stop."""
