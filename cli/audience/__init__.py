"""The commands about audiences; one file each."""
