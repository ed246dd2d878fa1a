"""`velella import medusa`: a shop that was kept by Medusa v2 moves in, out of its own database."""

from __future__ import annotations
