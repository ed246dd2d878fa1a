"""Pages, lists and documents: one statement each."""
