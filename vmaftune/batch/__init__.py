"""Many files: a durable queue, and executors that do its jobs in child processes or on a cluster."""
