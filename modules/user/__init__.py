"""Users: the shop's staff, and invitations."""

from __future__ import annotations

from ...core.service.module import Module
from .service import UserService
from .tables import SCHEMA

MODULE = Module(name="user", schema=SCHEMA, service=UserService, package=__name__)
