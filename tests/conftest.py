"""Pin the arithmetic before numpy loads: tests compare bits."""

from __future__ import annotations

from touchstone import arithmetic

arithmetic.pin()
