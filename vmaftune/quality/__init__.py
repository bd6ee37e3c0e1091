"""What a score is: its scale, the metrics, and how two videos are compared by one. Below everything but errors."""
