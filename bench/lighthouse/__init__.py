"""What Lighthouse says of the pages: a check of its own, as it needs Node and some minutes."""
