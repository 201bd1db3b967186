"""Groups of commands that `touchstone` carries, one file each."""
