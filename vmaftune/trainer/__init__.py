"""The trainer's service: it takes scores from encoding nodes, keeps them durably, and lets a learner train on them."""
