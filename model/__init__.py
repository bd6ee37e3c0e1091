"""Models that come with vmaf-tune: read them through vmaftune.models."""
