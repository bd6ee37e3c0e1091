"""Training of the predictor: from a corpus to an ONNX model with its card. Needs the extra ``train``."""
