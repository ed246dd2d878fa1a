"""Which processes are in the cluster, in which incarnation, and which supervisor is in charge."""
