"""One file a part of the documentation that is written from the program."""
