"""Features: cheap signals of a source, known before anything is encoded."""
