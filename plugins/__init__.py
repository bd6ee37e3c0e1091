"""Our own plugins, registered through the entry-point group ``vmaftune`` like anybody's."""
