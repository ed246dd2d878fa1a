"""Flows for payments: captures, refunds, cancellations, webhooks."""
