"""Refund reasons."""

from ..plain import Plain

REFUND_REASONS = Plain("refund_reason", "create-refund-reasons-workflow", "update-refund-reasons", "delete-refund-reasons-workflow")
