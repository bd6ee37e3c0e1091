"""The plugin host: finds plugins, switches them on and off, calls them one by one, and survives every one of them."""
