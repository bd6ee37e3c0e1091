"""Machine output: every step of a job as one line of JSON. docs/events.md says what a front end may rely on."""
