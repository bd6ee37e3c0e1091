"""The chart, the images and the unit of deploy/, without a cluster."""
