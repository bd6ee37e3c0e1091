"""Tiny full-reference models: small networks that give vmaf_v0.6.1 from six of libvmaf's features (ADR-0203, ADR-0244)."""
