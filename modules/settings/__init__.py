"""The dashboard's settings: layouts of its pages, names of properties."""

from __future__ import annotations

from ...core.service.module import Module
from .service import SettingsService
from .tables import SCHEMA

MODULE = Module(name="settings", schema=SCHEMA, service=SettingsService, package=__name__)
