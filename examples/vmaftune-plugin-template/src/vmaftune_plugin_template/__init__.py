"""A predictor and a correction for vmaf-tune; each module is one plugin."""
