"""Processes and nodes: the supervisor and its replicas. The only place that imports ray."""
