"""The operations that opsmon ships, one file each, found through the same entry-point group as anybody's."""
