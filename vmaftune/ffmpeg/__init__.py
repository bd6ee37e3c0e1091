"""ffmpeg: where it is, what it can do, the commands we give it, and one runner for all of them."""
