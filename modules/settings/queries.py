"""Statements of the settings module beyond what the kernel makes."""

from __future__ import annotations

from sqlalchemy import Text, bindparam, delete, func
from sqlalchemy.dialects.postgresql import insert

from ...core.sql.db.compiled import compiled
from ...core.sql.schema.columns import Json
from .tables import layout_configuration, user_preference

_zone = bindparam("zone", type_=Text)
_user = bindparam("user_id", type_=Text)
_layout = insert(layout_configuration).values(
    id=bindparam("id", type_=Text),
    zone=_zone,
    user_id=_user,
    is_system_default=_user.is_(None),
    configuration=bindparam("configuration", type_=Json),
)
SET_LAYOUT = compiled(
    _layout.on_conflict_do_update(
        index_elements=[layout_configuration.c.zone, layout_configuration.c.user_id],
        index_where=layout_configuration.c.deleted_at.is_(None),
        set_={"configuration": _layout.excluded.configuration, "updated_at": func.now()},
    )
)

CLEAR_LAYOUT = compiled(delete(layout_configuration).where(layout_configuration.c.zone == _zone, layout_configuration.c.user_id == _user))

_preference = insert(user_preference).values(
    id=bindparam("id", type_=Text), user_id=_user, key=bindparam("key", type_=Text), value=bindparam("value", type_=Json)
)
PREFER = compiled(
    _preference.on_conflict_do_update(
        index_elements=[user_preference.c.user_id, user_preference.c.key],
        index_where=user_preference.c.deleted_at.is_(None),
        set_={"value": _preference.excluded.value, "updated_at": func.now()},
    )
)
