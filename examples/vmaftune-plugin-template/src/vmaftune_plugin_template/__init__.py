"""A predictor, a correction and a metric for vmaf-tune; each module is one plugin."""
