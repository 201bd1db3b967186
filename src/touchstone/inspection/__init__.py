"""A look at data from a notebook or a command line: the verdict on one's own files, what a project holds, the first rows of it."""

from __future__ import annotations

from touchstone.inspection._datasets import list_data, preview
from touchstone.inspection._validation import Validation, validate_files

__all__ = ["Validation", "list_data", "preview", "validate_files"]
