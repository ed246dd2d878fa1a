"""Notifications: emails to buyers and merchants, and the dashboard's feed."""

from __future__ import annotations

from ...core.service.module import Module
from .provider import NotificationProvider
from .providers.local import LocalNotifications
from .providers.sendgrid import SendGrid
from .providers.smtp import Smtp
from .service import NotificationService
from .tables import SCHEMA

MODULE = Module(
    name="notification",
    schema=SCHEMA,
    service=NotificationService,
    package=__name__,
    provider_kinds={kind.identifier: kind for kind in (LocalNotifications, SendGrid, Smtp)},
    provider=NotificationProvider,
)
