"""What corrections have learned, outside a search: taught from files of captures, tried on them, and shared in bundles."""
