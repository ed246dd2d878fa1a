"""Statements of the review module beyond what the kernel makes."""

from __future__ import annotations

from sqlalchemy import func, select

from velella.core.sql.db.compiled import any_of, compiled

from .tables import review

RATINGS = compiled(
    select(review.c.product_id, func.count(), func.round(func.avg(review.c.rating), 2))
    .where(any_of(review.c.product_id, "ids"), review.c.deleted_at.is_(None))
    .group_by(review.c.product_id)
)
