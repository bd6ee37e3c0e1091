"""The contract checks: our own plugins pass them, and each of them finds the plugin that was broken for it."""
