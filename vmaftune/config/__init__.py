"""Configuration: TOML files, strictly validated. Flags win over --config, over the project's file, over the user's."""
