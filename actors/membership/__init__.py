"""Who is there, in which incarnation, and which supervisor is in charge."""
