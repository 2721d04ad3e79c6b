"""Makes releases: archives for krew, plugin.yaml, wheel and source archive. It is in none of them."""
