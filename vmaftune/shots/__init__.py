"""One CRF for each shot, so that the whole reaches its target at the smallest size."""
