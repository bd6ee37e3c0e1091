"""What can be asked for, free of any screen: the command line, the Python API, batches and servers all come through here."""
