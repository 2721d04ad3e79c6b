"""One file a verb: flags in, a flow called, exit code out."""
