"""What a source is made of: its facts, its samples, and who it is (its content's fingerprint)."""
