"""The nouns, frozen: what is read, what it means, what is concluded."""
