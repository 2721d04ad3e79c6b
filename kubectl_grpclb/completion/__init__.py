"""Shell completion: words in, candidates out, in the protocol of kubectl's own completion."""
